//! Passwords.

use patchbay_model::change::ChangeKind;
use patchbay_model::list::{Filter, ListQuery, Operator};
use patchbay_model::token::{Authority, TokenType};
use patchbay_model::{Code, MemberId, Operation, Problem, Scope, Secret};
use patchbay_store::WriteTx;
use patchbay_vault::{hash_password, verify_password};

use super::logon::sign_in;
use super::{Logon, rules};
use crate::audit::record::{Done, record};
use crate::{Engine, ManagementGrant, reach};

/// Changes the caller's own password; every earlier token of its logons and every web session dies, and it is signed in anew.
///
/// # Errors
/// `logon_failed` when the old password is wrong, `weak_password`; `permission_denied` for a token that came from no logon; problems of the store.
pub async fn change_password(engine: &Engine, grant: &ManagementGrant, old: Secret, new: Secret) -> Result<Logon, Problem> {
    grant.require(Operation::AuthChangePassword, None)?;
    let mut tx = engine.store().read(Scope::Organization(grant.organization())).await?;
    let organization = tx.organization().await?;
    let member = tx.member(grant.member()).await?.ok_or_else(|| Problem::not_found("member", grant.member()))?;
    let before = tx.member_password_hash(member.id).await?;
    // A token of fixed authority is no sign of who holds it; with it nobody may try passwords.
    if let Some(container) = grant.container()
        && tx.token(container).await?.is_some_and(|container| matches!(container.authority, Authority::Adhoc { .. }))
    {
        return Err(Problem::new(Code::PermissionDenied, "A password is changed by the member who signed in with it. Sign in with POST /v1/auth/logon, then change it."));
    }
    drop(tx);
    if !verify(old, before.clone()).await? {
        return Err(Problem::new(Code::LogonFailed, "The old password is wrong. Nothing was changed.").at_body("/old_secret"));
    }
    let related = [member.name.as_str(), member.fullname.as_str(), organization.name.as_str(), organization.fullname.as_str()];
    rules::check(&new, organization.options.minimum_password_length, &related, "/new_secret")?;
    let hash = hash(engine, new).await?;
    let now = engine.now();
    let mut tx = reach::writing_organization(engine, grant).await?;
    let mut member = tx.member(member.id).await?.ok_or_else(|| Problem::not_found("member", grant.member()))?;
    if tx.member_password_hash(member.id).await? != before {
        return Err(Problem::new(Code::UpdateConflict, "The password was changed meanwhile. Sign in with the newest one and try again."));
    }
    tx.set_member_password_hash(member.id, Some(&hash), now).await?;
    member.pin_expires = organization.options.password_duration.map(|duration| now.plus(duration));
    member.failed_logons = 0;
    member.updated_at = now;
    tx.update_member(&member).await?;
    end_logons(engine, &mut tx, member.id).await?;
    tx.remove_web_sessions_of(member.id, None).await?;
    let signed_in = sign_in(engine, &mut tx, organization, member).await?;
    let done = Done::changed(Operation::AuthChangePassword).object(ChangeKind::Member, signed_in.member.id.uuid()).secret_replaced(true);
    record(engine, &mut tx, grant, done.giving(signed_in.member.id, signed_in.member.name.as_str())).await?;
    tx.commit().await?;
    Ok(signed_in)
}

/// Ends every container that came from a logon of this member.
async fn end_logons(engine: &Engine, tx: &mut WriteTx, member: MemberId) -> Result<(), Problem> {
    let is = |field: &str, value: String| Filter { field: field.to_owned(), operator: Operator::Eq, values: vec![value] };
    let query = ListQuery {
        filters: vec![is("member_id", member.to_string()), is("token_type", TokenType::Logon.as_str().to_owned())],
        limit: Some(ListQuery::MAX_LIMIT),
        ..ListQuery::default()
    };
    loop {
        let page = tx.tokens(None, &query).await?;
        if page.items.is_empty() {
            return Ok(());
        }
        for container in page.items {
            crate::token::end(engine, tx, container.id).await?;
        }
    }
}

/// Hashes a password off the async runtime.
pub(crate) async fn hash(engine: &Engine, secret: Secret) -> Result<String, Problem> {
    let context = engine.context().clone();
    tokio::task::spawn_blocking(move || hash_password(&secret, context.entropy())).await.map_err(|_| Problem::internal("hashing a password was interrupted"))?
}

/// Compares a password off the async runtime; without a hash it takes as long and says no.
pub(super) async fn verify(secret: Secret, hash: Option<String>) -> Result<bool, Problem> {
    tokio::task::spawn_blocking(move || verify_password(&secret, hash.as_deref())).await.map_err(|_| Problem::internal("comparing a password was interrupted"))
}
