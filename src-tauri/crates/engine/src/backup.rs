//! Backups of a local store: one a day by itself, and as many more as an administrator asks for.
//!
//! They lie in the folder `backups` beside the store's file, which its owner alone can read, one file each. A file gets its
//! name when it is whole and on the disk; what was begun and not finished is swept away by the next turn. Settings and the
//! last failure lie beside the backups and not in the store, so that they can be told of a store that does not open.
//!
//! Every process that serves the store or shows it in a window looks whether a backup is due; one of them makes it, under a
//! lease that is a lock of the operating system on a file in that folder, and so ends with the process however that ends. A
//! time in the database would have to be waited for after a kill, and could not be written on a disk that is full.

mod create;
mod folder;
mod image;
mod list;
mod retention;
mod schedule;
mod settings;

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use patchbay_model::{Code, Operation, Origin, Problem, Timestamp};
use serde::{Deserialize, Serialize};

pub use create::create;
pub use image::{BackupHeader, read_header};
pub use list::{found, list};
pub use schedule::start;
pub use settings::change_settings;

use crate::{Engine, ManagementGrant};

/// Why a backup was made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Made {
    /// It was due. Retention removes it when its time has come.
    Daily,
    /// Somebody asked for it. It stays until somebody removes it.
    ByHand,
}

/// A backup that is whole.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Backup {
    /// Name of its file.
    pub name: String,
    /// When it was made, to the second.
    pub created_at: Timestamp,
    /// Why it was made.
    pub made: Made,
    /// Size of its file in bytes.
    pub bytes: u64,
}

/// How many backups are kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Whether they are made by themselves.
    pub enabled: bool,
    /// The newest backup of each of so many days is kept, counting only days that have one.
    pub daily: u32,
    /// The newest backup of each of so many weeks (Monday to Sunday, UTC) is kept, counting only weeks that have one.
    pub weekly: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self { enabled: true, daily: 7, weekly: 4 }
    }
}

/// Why the last attempt failed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Failure {
    /// When.
    pub at: Timestamp,
    /// Code of the problem.
    pub code: String,
    /// What happened, and what to do.
    pub message: String,
    /// How many attempts in a row have failed.
    pub count: u32,
}

/// The backups of a store, and how it stands with them.
#[derive(Clone, Debug)]
pub struct Backups {
    /// Where they lie.
    pub folder: PathBuf,
    /// Newest first.
    pub backups: Vec<Backup>,
    /// What is kept.
    pub settings: Settings,
    /// When the next one is due; in the past when nobody has had the store open since. None when they are not made.
    pub next_due: Option<Timestamp>,
    /// Why the last attempt failed; none when it did not.
    pub failure: Option<Failure>,
}

/// The last failure as this process knows it, for a disk on which not even that can be written.
#[derive(Default)]
pub(crate) struct LastFailure(Mutex<Option<Failure>>);

impl LastFailure {
    fn set(&self, failure: Option<Failure>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = failure;
    }

    fn get(&self) -> Option<Failure> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Whether backups of this store are made here: of a file they are, of a database server its operator makes them.
pub(crate) fn offered(engine: &Engine) -> Result<folder::Folder, Problem> {
    let path = engine.store().path().ok_or_else(|| {
        Problem::new(Code::OperationUnsupported, "This store lies in a database server, whose operator makes its backups. Use `patchbay store backup` for a sealed file of it.")
    })?;
    folder::Folder::of(path, engine.vault().store_id())
}

/// That the caller may decide over the whole store. Several organizations may share one, and the administrator of one has no
/// say in the safety of the others; the holder of the key has.
async fn decides_over_store(engine: &Engine, grant: &ManagementGrant, operation: Operation) -> Result<(), Problem> {
    grant.require(operation, None)?;
    if holds_key(grant) || engine.organizations().await?.len() <= 1 {
        return Ok(());
    }
    Err(Problem::new(
        Code::PermissionDenied,
        "This store holds several organizations, and a backup holds all of them. Ask whoever runs this Patchbay: backups are decided there, on its own machine.",
    ))
}

/// Whether the caller sits at the machine, with the key of the store.
fn holds_key(grant: &ManagementGrant) -> bool {
    matches!(grant.caller().origin, Origin::Desktop | Origin::Cli)
}

#[cfg(test)]
mod tests;
