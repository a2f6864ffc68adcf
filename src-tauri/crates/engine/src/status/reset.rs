//! Begins to count an integration's calls anew.

use patchbay_model::{Operation, Problem};

use crate::audit::record::{Done, record};
use crate::{Engine, ManagementGrant, reach};

/// Sets the sums of an integration to zero and forgets its events and time series. What another process has counted in the
/// last seconds and not written yet is counted afterwards.
///
/// # Errors
/// `not_found`, `permission_denied`; problems of the store.
pub async fn reset(engine: &Engine, grant: &ManagementGrant, account: &str, integration: &str) -> Result<(), Problem> {
    let mut tx = reach::writing(engine, grant).await?;
    let (account, integration) = reach::permitted(&mut tx, grant, Operation::StatusReset, account, integration).await?;
    engine.usage().forget(integration.id);
    tx.reset_status(integration.id, engine.now()).await?;
    let done = Done::changed(Operation::StatusReset).in_account(account.id).on_integration(integration.id).giving(integration.id, integration.name.as_str());
    record(engine, &mut tx, grant, done).await?;
    tx.commit().await?;
    Ok(())
}
