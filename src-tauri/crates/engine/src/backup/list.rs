//! Tells what backups there are.

use patchbay_model::{Operation, Problem};

use super::folder::Folder;
use super::{Backups, schedule};
use crate::{Engine, ManagementGrant};

/// The backups of the store, and how it stands with them.
///
/// # Errors
/// `permission_denied`; `operation_unsupported` where the store is not a file; `backup_failed` when the folder cannot be read.
pub async fn list(engine: &Engine, grant: &ManagementGrant) -> Result<Backups, Problem> {
    super::decides_over_store(engine, grant, Operation::BackupsList).await?;
    of(engine, &super::offered(engine)?)
}

/// The same for whoever holds the store's key, without a grant: `doctor`.
///
/// # Errors
/// Those of [`list`].
pub fn found(engine: &Engine) -> Result<Backups, Problem> {
    of(engine, &super::offered(engine)?)
}

pub(super) fn of(engine: &Engine, folder: &Folder) -> Result<Backups, Problem> {
    let settings = folder.settings();
    let backups = folder.list()?;
    // Of two failures the later one: another process may have failed, and this one may be unable to write.
    let failure = [folder.failure(), engine.backup_failure().get()].into_iter().flatten().max_by_key(|failure| failure.at);
    // What came after it was written down is what counts.
    let failure = failure.filter(|failure| backups.first().is_none_or(|newest| newest.created_at < failure.at));
    let next_due = settings.enabled.then(|| schedule::due(&backups, failure.as_ref(), engine.now(), |backup| schedule::fits(engine, folder, backup)));
    Ok(Backups { folder: folder.path().to_owned(), backups, settings, next_due, failure })
}
