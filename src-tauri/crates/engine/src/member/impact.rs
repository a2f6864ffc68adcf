//! What a delete of a member takes along.

use patchbay_model::problem::Resource;
use patchbay_model::{Operation, Problem, Scope};

use super::get::find;
use super::update::is_last_root;
use crate::deletion::Impact;
use crate::{Engine, ManagementGrant};

/// What a delete of a member takes along: the organization tokens that it made or signed in with, and its browsers'
/// sessions. The last root administrator cannot go, because the organization needs it.
///
/// # Errors
/// `not_found`, `permission_denied`, problems of the store.
pub async fn impact(engine: &Engine, grant: &ManagementGrant, member: &str) -> Result<Impact, Problem> {
    grant.require(Operation::MembersImpact, None)?;
    let mut tx = engine.store().read(Scope::Organization(grant.organization())).await?;
    let member = find(&mut tx, member).await?;
    let mut impact: Impact = tx.member_impact(member.id).await?.into();
    impact.counts.push(("web_sessions".to_owned(), tx.count_web_sessions_of(member.id, engine.now()).await?));
    if is_last_root(&mut tx, &member).await? {
        impact.users.push(Resource { kind: "organization".to_owned(), id: grant.organization().to_string(), rel: "cause".to_owned() });
    }
    Ok(impact)
}
