//! Reads a member.

use patchbay_model::member::Member;
use patchbay_model::{MemberId, Operation, Problem, Scope};
use patchbay_store::ReadTx;

use crate::{Engine, ManagementGrant};

/// Reads a member by id or name.
///
/// # Errors
/// `not_found`, `permission_denied`; problems of the store.
pub async fn get(engine: &Engine, grant: &ManagementGrant, member: &str) -> Result<Member, Problem> {
    // Everybody may see oneself.
    if member != grant.member().to_string() {
        grant.require(Operation::MembersGet, None)?;
    }
    find(&mut engine.store().read(Scope::Organization(grant.organization())).await?, member).await
}

/// The member of this id or name.
pub(super) async fn find(tx: &mut ReadTx, reference: &str) -> Result<Member, Problem> {
    tx.find_member(reference).await?.ok_or_else(|| Problem::not_found(MemberId::NOUN, reference))
}
