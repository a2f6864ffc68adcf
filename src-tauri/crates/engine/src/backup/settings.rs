//! Decides what is kept.

use patchbay_model::{Operation, Problem};

use super::{Backups, Settings};
use crate::audit::record::{Done, record};
use crate::{Engine, ManagementGrant, reach};

/// Most days and weeks of which backups are kept.
const MOST: u32 = 1000;

/// Changes how many backups are kept, and whether they are made by themselves. What is superfluous then goes with the next
/// backup, not at once.
///
/// # Errors
/// `permission_denied`; `invalid_field`; `operation_unsupported` where the store is not a file; `backup_failed`; problems of
/// the store.
pub async fn change_settings(engine: &Engine, grant: &ManagementGrant, settings: Settings) -> Result<Backups, Problem> {
    super::decides_over_store(engine, grant, Operation::BackupsSettings).await?;
    if !(1..=MOST).contains(&settings.daily) {
        return Err(Problem::field("/daily", format!("Between 1 and {MOST} daily backups are kept. To have none made, set `enabled` to false.")));
    }
    if settings.weekly > MOST {
        return Err(Problem::field("/weekly", format!("At most {MOST} weekly backups are kept.")));
    }
    let folder = super::offered(engine)?;
    // The row first: a log that cannot be written refuses the change.
    let mut tx = reach::writing_organization(engine, grant).await?;
    record(engine, &mut tx, grant, Done::changed(Operation::BackupsSettings)).await?;
    folder.set_settings(&settings)?;
    tx.commit().await?;
    super::list::of(engine, &folder)
}
