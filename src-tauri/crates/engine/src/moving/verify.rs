//! Looking whether all is well with a store, or with a backup of one.

use std::fs::File;
use std::path::PathBuf;

use patchbay_model::{Code, Context, Problem};
use patchbay_store::{ImageSums, StoreError};
use patchbay_vault::{FileKey, KeyAccess};

use super::target::Target;
use super::{Counts, Progress, Step, restore, seals};
use crate::Engine;
use crate::installation::VerifyReport;

/// Most rows and values that are told one by one; beyond it only their number is.
const TOLD: usize = 100;

/// Looks through a whole store: pages and indexes, references, the type of every value of every row, and whether every
/// sealed value opens. Others go on reading and writing meanwhile.
///
/// # Errors
/// Problems of reading; what is wrong with the data stands in the report.
pub async fn verify(engine: &Engine, progress: Progress<'_>) -> Result<VerifyReport, Problem> {
    let mut findings = Findings::default();
    for finding in engine.store().verify_structure().await? {
        findings.add(finding.sentence);
    }
    let mut image = engine.store().image(engine.now()).await?;
    // Behind the view, so that no value in it lies under a key of which this process has not heard yet.
    crate::key::reload(engine).await?;
    let vault = engine.vault();
    let of = image.header().rows();
    let mut sums = ImageSums::new(image.header());
    let (mut rows, mut sealed_values) = (0, 0);
    loop {
        let mut batch = match image.next().await {
            Ok(Some(batch)) => batch,
            Ok(None) => break,
            // A row that cannot be read hides those behind it, and the rest of the store is looked at none the less.
            Err(StoreError::BadRow { table, column, detail }) => {
                findings.add(format!("A row of {table} cannot be read: {column} holds what cannot be ({detail}). The rows behind it were not looked at."));
                image.skip();
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        rows += batch.len() as u64;
        for cell in batch.sealed()? {
            match seals::open(&vault, &cell) {
                Ok(_) => sealed_values += 1,
                Err(problem) => findings.add(problem.message),
            }
        }
        sums.add(&batch, String::new);
        progress(Step { doing: "Looking through", table: batch.table(), rows, of });
    }
    image.end().await?;
    let tables = sums.finish();
    Ok(VerifyReport { findings: findings.told(), sealed_values, tables })
}

/// Looks through a backup as [`verify`] does through a store, by restoring it into a folder of its own that goes afterwards.
/// What is restored there is readable by its owner alone, and every secret in it is sealed.
///
/// # Errors
/// As [`super::restore`]; what is wrong with the data stands in the report.
pub async fn verify_backup(file: File, key: Option<FileKey>, keys: &KeyAccess, context: &Context, progress: Progress<'_>) -> Result<VerifyReport, Problem> {
    let reading = super::read::read(file, key, keys).await?;
    let keys = restore::unlock(&reading, keys).await?;
    let folder = Folder::new(context)?;
    let target = Target::create_file(&folder.0.join("store")).await?;
    let filled = restore::fill(&target, reading, keys, context, progress).await;
    target.close().await;
    let restored = filled?;
    let Counts { tables, sealed_values } = restored.counts;
    Ok(VerifyReport { findings: restored.findings, sealed_values, tables })
}

#[derive(Default)]
struct Findings {
    told: Vec<String>,
    more: u64,
}

impl Findings {
    fn add(&mut self, sentence: String) {
        if self.told.len() < TOLD { self.told.push(sentence) } else { self.more += 1 }
    }

    fn told(mut self) -> Vec<String> {
        if self.more > 0 {
            self.told.push(format!("{} more things are wrong.", self.more));
        }
        self.told
    }
}

/// A folder that goes with its last use.
struct Folder(PathBuf);

impl Folder {
    fn new(context: &Context) -> Result<Self, Problem> {
        let path = std::env::temp_dir().join(format!("patchbay-verify-{}", context.new_uuid().simple()));
        let mut builder = std::fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&path).map_err(|error| {
            Problem::new(Code::StoreReadOnly, format!("The folder {} cannot be made: {error}. Free some space there, or set TMPDIR to another folder.", path.display()))
        })?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed is a copy with sealed secrets in a folder of ours.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
