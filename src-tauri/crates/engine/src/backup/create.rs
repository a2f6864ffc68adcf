//! Makes a backup.

use std::fs::File;

use patchbay_model::{Code, Operation, Problem, Timestamp};

use super::folder::{Folder, Lease};
use super::{Backup, Made, image};
use crate::audit::record::{Done, record};
use crate::{Engine, ManagementGrant, reach};

/// Makes a backup now. It stays until somebody removes it.
///
/// # Errors
/// `permission_denied`; `operation_unsupported` where the store is not a file; `store_busy` while another backup is being
/// made; `backup_failed` with what to do; problems of the store.
pub async fn create(engine: &Engine, grant: &ManagementGrant) -> Result<Backup, Problem> {
    super::decides_over_store(engine, grant, Operation::BackupsCreate).await?;
    let folder = super::offered(engine)?;
    let lease = folder.lease()?.ok_or_else(|| Problem::new(Code::StoreBusy, "A backup of this store is being made already. Wait until it is done.").retry_after(5))?;
    let backup = make(&folder, &lease, engine.now(), Made::ByHand, |file| image::write(engine, file)).await?;
    let mut tx = reach::writing_organization(engine, grant).await?;
    record(engine, &mut tx, grant, Done::created(Operation::BackupsCreate).giving(&backup.name, &backup.name)).await?;
    tx.commit().await?;
    Ok(backup)
}

/// Makes a backup under the lease. `write` fills the file; nothing stays of one that could not be finished.
///
/// # Errors
/// `backup_failed`, and what `write` says.
pub(super) async fn make<W, T>(folder: &Folder, lease: &Lease, now: Timestamp, made: Made, write: W) -> Result<Backup, Problem>
where
    W: FnOnce(File) -> T,
    T: Future<Output = Result<File, Problem>>,
{
    let file = folder.begin(lease)?;
    match write(file).await {
        // Waits for the disk, and is short of that: the file is written already.
        Ok(file) => folder.finish(lease, &file, now, made),
        Err(problem) => {
            folder.give_up(lease);
            Err(problem)
        }
    }
}
