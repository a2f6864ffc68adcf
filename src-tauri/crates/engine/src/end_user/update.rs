//! Changes an end user.

use patchbay_model::end_user::EndUser;
use patchbay_model::{Fullname, Name, Operation, Problem};

use super::UpdateEndUser;
use super::create::{email, external_id};
use super::get::reached;
use crate::audit::record::{Done, record};
use crate::{Engine, ManagementGrant, reach};

/// Changes an end user.
///
/// # Errors
/// `not_found`, `permission_denied`, `invalid_field`, `name_taken`, `update_conflict`; problems of the store.
pub async fn update(engine: &Engine, grant: &ManagementGrant, account: &str, person: &str, change: UpdateEndUser) -> Result<EndUser, Problem> {
    let mut tx = reach::writing(engine, grant).await?;
    let (account, before) = reached(&mut tx, grant, Operation::EndUsersUpdate, account, person).await?;
    reach::unchanged(change.expected, before.updated_at, "end_user", before.id)?;
    let mut after = before.clone();
    if let Some(name) = change.name.filter(|name| *name != before.name.as_str()) {
        after.name = Name::parse(&name)?;
    }
    if let Some(fullname) = change.fullname {
        after.fullname = Fullname::parse(&fullname)?;
    }
    after.email = email(change.email)?;
    after.external_id = external_id(change.external_id)?;
    after.updated_at = engine.now();
    tx.update_end_user(&after).await?;
    let done = Done::changed(Operation::EndUsersUpdate).in_account(account.id).before(&before).after(&after);
    record(engine, &mut tx, grant, done.giving(after.id, after.name.as_str())).await?;
    tx.commit().await?;
    Ok(after)
}
