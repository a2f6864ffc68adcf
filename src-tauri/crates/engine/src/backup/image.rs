//! What is in a backup: a line that anybody can read, then an image of the store, sealed with age.
//!
//! The line has the key header, which is public and without which a passphrase is of no use; so a backup can be restored where
//! nothing is left of the store but this file and the master key.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use patchbay_model::{Code, Problem, Timestamp};
use patchbay_store::{ImageDecoder, ImageEncoder};
use patchbay_vault::{AgeIdentity, FileKey, FileSeal, KeyHeader, open_file, seal_file};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use uuid::Uuid;

use super::folder::trouble;
use crate::Engine;

/// Version of this form.
const VERSION: u32 = 1;
/// Longest first line; a key header has some keys and never more than a few kilobytes.
const LONGEST: u64 = 256 * 1024;
/// Parts of the image that may wait for the disk.
const AHEAD: usize = 4;

/// The first line.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct BackupHeader {
    /// Version of the form.
    pub patchbay_backup: u32,
    /// The store that it is of.
    pub store_id: Uuid,
    /// When it was begun.
    pub made_at: Timestamp,
    /// The keys of that store, wrapped under its master key.
    pub key_header: KeyHeader,
}

/// A part of what is written.
enum Part {
    Text(String),
    /// Without this the file is cut off, and does not open.
    End,
}

/// Writes the store into an open file, reads it back, and gives the file back.
///
/// # Errors
/// `backup_failed` when the disk fails or what was read back is not what was written; problems of the store.
pub(super) async fn write(engine: &Engine, file: File) -> Result<File, Problem> {
    let now = engine.now();
    let mut image = engine.store().image(now).await?;
    let damaged = |_| Problem::new(Code::StoreDamaged, "The store's key header cannot be read, so no backup can be sealed. Run `patchbay store verify`.");
    let key_header = image.header().key_header.clone().unwrap_or_default();
    let header = BackupHeader { patchbay_backup: VERSION, store_id: image.header().store_id, made_at: now, key_header: serde_json::from_value(key_header).map_err(damaged)? };
    let identity = engine.vault().backup_identity()?;
    let seal = FileSeal::Recipients(vec![identity.recipient()]);
    let folder = super::offered(engine)?.path().to_owned();
    let (parts, received) = mpsc::channel(AHEAD);
    let writing = tokio::task::spawn_blocking(move || sealed(file, &folder, &header, &seal, received));
    let read = async {
        let (mut encoder, first) = ImageEncoder::new(image.header());
        // A writer that has failed takes nothing more, and says why below.
        let mut taken = parts.send(Part::Text(first)).await.is_ok();
        while taken && let Some(batch) = image.next().await? {
            taken = parts.send(Part::Text(encoder.batch(&batch))).await.is_ok();
        }
        let (last, _) = encoder.finish();
        if taken && parts.send(Part::Text(last)).await.is_ok() {
            let _ = parts.send(Part::End).await;
        }
        drop(parts);
        image.end().await?;
        Ok::<(), Problem>(())
    }
    .await;
    let written = writing.await.map_err(|_| Problem::internal("the writing of a backup was interrupted"))?;
    read?;
    let file = written?;
    tokio::task::spawn_blocking(move || checked(file, identity)).await.map_err(|_| Problem::internal("the reading of a backup was interrupted"))?
}

fn sealed(file: File, folder: &Path, header: &BackupHeader, seal: &FileSeal, mut received: mpsc::Receiver<Part>) -> Result<File, Problem> {
    let failed = |error: io::Error| trouble("A backup cannot be written", folder, &error);
    let mut output = BufWriter::with_capacity(1 << 18, file);
    let mut first = serde_json::to_vec(header).map_err(Problem::internal)?;
    first.push(b'\n');
    output.write_all(&first).map_err(failed)?;
    let mut output = seal_file(seal, output)?.map_err(failed)?;
    loop {
        match received.blocking_recv() {
            Some(Part::Text(text)) => output.write_all(text.as_bytes()).map_err(failed)?,
            Some(Part::End) => break,
            None => return Err(Problem::new(Code::BackupFailed, "The store could not be read to its end, so there is no backup of it.")),
        }
    }
    let output = output.finish().map_err(failed)?;
    output.into_inner().map_err(|error| failed(error.into_error()))
}

/// Reads a backup as a restore would, to its last line: every count and checksum is compared.
fn checked(mut file: File, identity: AgeIdentity) -> Result<File, Problem> {
    let unreadable =
        |what: &str| Problem::new(Code::BackupFailed, format!("A backup was written, but cannot be read again: {what}. Check the disk; the store itself is untouched."));
    file.seek(SeekFrom::Start(0)).map_err(|error| unreadable(&error.to_string()))?;
    let mut input = BufReader::with_capacity(1 << 18, file);
    read_header(&mut input)?;
    let opened = open_file(&FileKey::Identities(vec![identity]), &mut input).map_err(|problem| unreadable(&problem.message))?;
    let mut image = ImageDecoder::open(BufReader::new(opened)).map_err(|error| unreadable(&error.to_string()))?;
    while image.next_batch().map_err(|error| unreadable(&error.to_string()))?.is_some() {}
    Ok(input.into_inner())
}

/// Reads the first line. What is behind it is an age file, sealed to [`patchbay_vault::Vault::backup_identity`].
///
/// # Errors
/// `store_damaged` when it is no backup that this or an earlier Patchbay made by itself, `store_newer`.
pub fn read_header(input: &mut impl BufRead) -> Result<BackupHeader, Problem> {
    let no = || Problem::new(Code::StoreDamaged, "This is not a backup that Patchbay made by itself, or its first line is damaged. Name another file.");
    let mut line = Vec::new();
    input.take(LONGEST).read_until(b'\n', &mut line).map_err(|_| no())?;
    if line.last() != Some(&b'\n') {
        return Err(no());
    }
    let value: serde_json::Value = serde_json::from_slice(&line).map_err(|_| no())?;
    match value.get("patchbay_backup").and_then(serde_json::Value::as_u64) {
        Some(version) if version > u64::from(VERSION) => {
            Err(Problem::new(Code::StoreNewer, format!("The backup was made by a newer Patchbay (form {version}, this program knows {VERSION}). Update this program.")))
        }
        Some(_) => serde_json::from_value(value).map_err(|_| no()),
        None => Err(no()),
    }
}
