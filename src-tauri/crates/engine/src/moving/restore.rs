//! From a backup back to a store.

use std::fs::File;
use std::path::{Path, PathBuf};

use patchbay_model::{Code, Context, Problem, Timestamp};
use patchbay_store::{Batch, StorePlace};
use patchbay_vault::{FileKey, KeyAccess, KeyHeader, Vault};
use uuid::Uuid;

use super::read::{Reading, read};
use super::target::{Keys, Rows, Target, store_header};
use super::{Counts, Progress, seals};
use crate::installation::StoreUrl;

/// A store that was restored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Restored {
    /// What is in it.
    pub counts: Counts,
    /// Its id, which is that of the store before.
    pub store_id: Uuid,
    /// When the backup was made.
    pub made_at: Timestamp,
    /// Where the store lies that was in its place.
    pub kept: Option<PathBuf>,
    /// What was wrong with the store when the backup was made, and is wrong with this one.
    pub findings: Vec<String>,
}

/// Restores a backup: into a place where no store is or, when `replace` says so, in place of the one that is there. That one
/// is kept beside it under a name with the time. The backup is read to its end and the new store is looked through before it
/// takes the place, so that whatever fails leaves everything as it was.
///
/// # Errors
/// `seal_broken`, `invalid_image`, `store_newer` for a file that cannot be used; `wrong_key`, `key_unavailable` without the
/// master key of the time of the backup; `in_use` when a store is there, `store_locked` when somebody has it open; problems
/// of the store.
pub async fn restore(file: File, key: Option<FileKey>, url: &StoreUrl, keys: &KeyAccess, replace: bool, context: &Context, progress: Progress<'_>) -> Result<Restored, Problem> {
    let reading = read(file, key, keys).await?;
    let keys = unlock(&reading, keys).await?;
    match url.file() {
        Some(path) => into_file(reading, keys, path, replace, context, progress).await,
        None => into_database(reading, keys, url, context, progress).await,
    }
}

/// Opens the keys that lie in the backup.
pub(super) async fn unlock(reading: &Reading, access: &KeyAccess) -> Result<Keys, Problem> {
    let damaged = || Problem::new(Code::InvalidImage, "The backup has no keys that can be read. Take another backup.");
    let header = reading.header().key_header.clone().ok_or_else(damaged)?;
    let header: KeyHeader = serde_json::from_value(header).map_err(|_| damaged())?;
    let (access, parts) = (access.clone(), header.clone());
    let vault = tokio::task::spawn_blocking(move || access.open_vault(&parts)).await.map_err(|_| Problem::internal("unlocking was interrupted"))??;
    Ok(Keys { vault, header })
}

async fn into_file(reading: Reading, keys: Keys, path: &Path, replace: bool, context: &Context, progress: Progress<'_>) -> Result<Restored, Problem> {
    let taken = || {
        let words = "Name another place, or say --replace: then the store that is there is kept beside it, and this one takes its place.";
        Problem::new(Code::InUse, format!("There is a file {} already. {words}", path.display()))
    };
    // Before anything is locked: whoever has it open need not be asked to leave.
    if path.symlink_metadata().is_ok() && !replace {
        return Err(taken());
    }
    let place = StorePlace::hold(path, "restores the store").await?;
    if place.is_taken() && !replace {
        return Err(taken());
    }
    let draft = place.draft()?;
    let target = match Target::create_file(&draft).await {
        Ok(target) => target,
        Err(problem) => {
            place.give_up(&draft);
            return Err(problem);
        }
    };
    let filled = fill(&target, reading, keys, context, progress).await;
    // Closed in any case: the file's log is merged then.
    target.close().await;
    match filled {
        Ok(restored) => {
            let kept = place.is_taken().then(|| kept_name(path, context.now()));
            place.put(&draft, kept.as_deref().unwrap_or(path)).await?;
            Ok(Restored { kept, ..restored })
        }
        Err(problem) => {
            place.give_up(&draft);
            Err(problem)
        }
    }
}

async fn into_database(reading: Reading, keys: Keys, url: &StoreUrl, context: &Context, progress: Progress<'_>) -> Result<Restored, Problem> {
    let target = Target::create(url).await?;
    let filled = fill(&target, reading, keys, context, progress).await;
    target.close().await;
    filled
}

/// Fills a store with a backup, and looks it through.
pub(super) async fn fill(target: &Target, reading: Reading, keys: Keys, context: &Context, progress: Progress<'_>) -> Result<Restored, Problem> {
    let keys = keys.fitted(target, context)?;
    keys.unlock(target);
    let (store_id, made_at, of) = (reading.header().store_id, reading.header().made_at, reading.header().rows());
    let header = store_header(store_id, &keys.header, reading.header().store_created_at)?;
    let mut rows = Looked { reading, vault: &keys.vault, sealed_values: 0, findings: Vec::new() };
    target.fill(&mut rows, header, of, progress).await?;
    let Looked { reading, sealed_values, mut findings, .. } = rows;
    findings.extend(target.store.verify_structure().await?.into_iter().map(|finding| finding.sentence));
    Ok(Restored { counts: Counts { tables: reading.sums(), sealed_values }, store_id, made_at, kept: None, findings })
}

/// Rows of a backup, of which every sealed value was opened.
struct Looked<'a> {
    reading: Reading,
    vault: &'a Vault,
    sealed_values: u64,
    findings: Vec<String>,
}

/// Most values that are told one by one.
const TOLD: usize = 100;

impl Rows for Looked<'_> {
    async fn next(&mut self) -> Result<Option<Batch>, Problem> {
        let Some(mut batch) = self.reading.next().await? else { return Ok(None) };
        for cell in batch.sealed()? {
            match seals::open(self.vault, &cell) {
                Ok(_) => self.sealed_values += 1,
                Err(problem) if self.findings.len() < TOLD => self.findings.push(problem.message),
                Err(_) => {}
            }
        }
        Ok(Some(batch))
    }
}

/// The name under which the store before is kept: the same, and when.
fn kept_name(path: &Path, now: Timestamp) -> PathBuf {
    let at: String = now.to_string().chars().take(19).filter(|c| c.is_ascii_alphanumeric()).collect();
    let mut number = 1;
    loop {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".before-{at}Z"));
        if number > 1 {
            name.push(format!("-{number}"));
        }
        let kept = PathBuf::from(name);
        if kept.symlink_metadata().is_err() {
            return kept;
        }
        number += 1;
    }
}
