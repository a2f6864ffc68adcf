//! Backups that somebody asks for, into a file that somebody names.

use std::fs::File;
use std::path::{Path, PathBuf};

use patchbay_model::{Code, Context, Problem, Timestamp};
use patchbay_vault::FileSeal;

use super::write::{AsItIs, unwritable, write_image};
use super::{Counts, Progress};
use crate::Engine;

/// Ends the name of a file that is not finished.
const UNFINISHED: &str = ".unfinished";

/// Writes the whole store, as it is at this moment, into a new file, sealed. Others go on reading and writing meanwhile. The
/// file has its name when it is whole and on the disk; a file that is there already is not replaced. With the key header in
/// it, nobody restores it without the master key of the store, whatever he can open.
///
/// # Errors
/// `backup_failed` when the file cannot be written; `name_taken` when it is there already; problems of the store.
pub async fn backup(engine: &Engine, path: &Path, seal: FileSeal, progress: Progress<'_>) -> Result<Counts, Problem> {
    let taken = || Problem::new(Code::NameTaken, format!("There is a file {} already. Name another one with --to; an earlier backup is not replaced.", path.display()));
    if path.symlink_metadata().is_ok() {
        return Err(taken());
    }
    let draft = draft(path, engine.context());
    let file = private(&draft).map_err(|error| unwritable(&error))?;
    let written = write_backup(engine, file, Some(seal), progress).await;
    let finished = written.and_then(|(file, counts)| {
        drop(file);
        // A hard link does not replace a file that somebody made meanwhile, as renaming would.
        std::fs::hard_link(&draft, path).or_else(|error| match error.kind() {
            std::io::ErrorKind::AlreadyExists => Err(taken()),
            // Where there are no hard links, the moment in between is left to chance.
            _ if path.symlink_metadata().is_err() => std::fs::rename(&draft, path).map_err(|error| unwritable(&error)),
            _ => Err(unwritable(&error)),
        })?;
        sync_folder(path).map_err(|error| unwritable(&error))?;
        Ok(counts)
    });
    // Beside the whole file it is superfluous; without one, nothing must be left.
    let _ = std::fs::remove_file(&draft);
    finished
}

/// Writes the whole store into an open file, and waits for the disk. Gives the file back.
///
/// # Errors
/// `backup_failed` when the file cannot be written; problems of the store.
pub async fn write_backup(engine: &Engine, file: File, seal: Option<FileSeal>, progress: Progress<'_>) -> Result<(File, Counts), Problem> {
    let source = engine.store().image(engine.now()).await?;
    write_image(AsItIs(source), file, seal, progress).await
}

/// A name for a backup that was not given one: the store's, and when.
pub fn file_name(store: &str, now: Timestamp) -> String {
    let at: String = now.to_string().chars().take(19).filter(|c| c.is_ascii_alphanumeric()).collect();
    let store: String = store.chars().map(|c| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.') { c } else { '_' }).collect();
    format!("{store}-{at}Z.backup.age")
}

/// A name beside the file, for what is not finished.
fn draft(path: &Path, context: &Context) -> PathBuf {
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{}{UNFINISHED}", context.new_uuid().simple()));
    path.with_file_name(name)
}

fn private(path: &Path) -> std::io::Result<File> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Makes names in the file's folder durable.
pub(super) fn sync_folder(path: &Path) -> std::io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_which_store_and_when() {
        let at = "2026-11-22T13:14:15.678901Z".parse().unwrap();
        assert_eq!(file_name("acme.db", at), "acme.db-20261122T131415Z.backup.age");
        assert_eq!(file_name("a/b c", at), "a_b_c-20261122T131415Z.backup.age");
    }
}
