//! Deletes a member.

use patchbay_model::{Operation, Problem};

use super::get::find;
use super::update::another_root;
use crate::audit::record::{Done, record};
use crate::deletion::Deletion;
use crate::{Engine, ManagementGrant, reach};

/// Deletes a member with its tokens and sessions; it can be undone for some minutes.
///
/// # Errors
/// `in_use` for the last root administrator; `not_found`, `permission_denied`; problems of the store.
pub async fn delete(engine: &Engine, grant: &ManagementGrant, member: &str) -> Result<Deletion, Problem> {
    grant.require(Operation::MembersDelete, None)?;
    let mut tx = reach::writing_organization(engine, grant).await?;
    let member = find(&mut tx, member).await?;
    another_root(&mut tx, &member).await?;
    let deletion = Deletion::new(engine);
    tx.delete_member(member.id, deletion.id, engine.now()).await?;
    record(engine, &mut tx, grant, Done::deleted(Operation::MembersDelete).before(&member).deletion(deletion.id).giving(member.id, member.name.as_str())).await?;
    tx.commit().await?;
    Ok(deletion)
}
