//! Passwords.

use patchbay_model::change::ChangeKind;
use patchbay_model::list::{Filter, ListQuery, Operator};
use patchbay_model::member::Member;
use patchbay_model::organization::Organization;
use patchbay_model::token::{Authority, TokenType};
use patchbay_model::{Code, MemberId, Operation, Problem, Scope, Secret, TokenId};
use patchbay_store::WriteTx;
use patchbay_vault::{hash_password, verify_password};

use super::logon::{LOCK_AFTER, LOCK_LASTS};
use super::rules;
use crate::audit::record::{Done, record};
use crate::{Engine, ManagementGrant, reach};

/// Changes the caller's own password. Every other logon and web session of the member dies; the logon with which it asks
/// stays, and so do tokens that it made for programs. A member whose time was over lives again for as long as it was given
/// at first.
///
/// # Errors
/// `logon_failed` when the old password is wrong or none is looked at, `weak_password`; `permission_denied` for a token that came from no logon; problems of the store.
pub async fn change_password(engine: &Engine, grant: &ManagementGrant, old: Secret, new: Secret) -> Result<Member, Problem> {
    grant.require(Operation::AuthChangePassword, None)?;
    let wrong =
        || Problem::new(Code::LogonFailed, "The old password is wrong. Nothing was changed; after several failures none is looked at for 15 minutes.").at_body("/old_secret");
    let mut tx = engine.store().read(Scope::Organization(grant.organization())).await?;
    let organization = tx.organization().await?;
    let missing = || Problem::not_found(MemberId::NOUN, grant.member());
    let member = tx.member(grant.member()).await?.ok_or_else(missing)?;
    let before = tx.member_password_hash(member.id).await?;
    // A token of fixed authority is no sign of who holds it; with it nobody may try passwords.
    if let Some(container) = grant.container()
        && tx.token(container).await?.is_some_and(|container| matches!(container.authority, Authority::Adhoc { .. }))
    {
        return Err(Problem::new(Code::PermissionDenied, "A password is changed by the member who signed in with it. Sign in with POST /v1/auth/logon, then change it."));
    }
    drop(tx);
    // Whoever holds a token must not be able to guess the password behind it.
    if member.locked_out(engine.now()) {
        return Err(wrong());
    }
    let same = old.expose() == new.expose();
    if !verify(old, before.clone()).await? {
        let mut tx = reach::writing_organization(engine, grant).await?;
        tx.count_failed_logon(member.id, LOCK_AFTER, engine.now().plus(LOCK_LASTS)).await?;
        tx.commit().await?;
        return Err(wrong());
    }
    if same {
        return Err(Problem::new(Code::WeakPassword, "The new password is the old one. Choose another password.").at_body("/new_secret"));
    }
    rules::check_for(&new, &organization, &member, "/new_secret")?;
    let hash = hash(engine, new).await?;
    let mut tx = reach::writing_organization(engine, grant).await?;
    let mut member = tx.member(member.id).await?.ok_or_else(missing)?;
    if tx.member_password_hash(member.id).await? != before {
        return Err(Problem::new(Code::UpdateConflict, "The password was changed meanwhile. Sign in with the newest one and try again."));
    }
    set(engine, &mut tx, &organization, &mut member, &hash, grant.container()).await?;
    record(
        engine,
        &mut tx,
        grant,
        Done::changed(Operation::AuthChangePassword).object(ChangeKind::Member, member.id.uuid()).secret_replaced(true).giving(member.id, member.name.as_str()),
    )
    .await?;
    tx.commit().await?;
    Ok(member)
}

/// Gives a member its new password and a new time: other logons and web sessions end, `kept` stays.
///
/// # Errors
/// Problems of the store.
pub(super) async fn set(engine: &Engine, tx: &mut WriteTx, organization: &Organization, member: &mut Member, hash: &str, kept: Option<TokenId>) -> Result<(), Problem> {
    let now = engine.now();
    tx.set_member_password_hash(member.id, Some(hash), now).await?;
    member.has_password = true;
    member.pin_expires = Some(now.plus(organization.options.password_lasts()));
    if member.expired(now) {
        member.expires = member.ttl.map(|ttl| now.plus(ttl));
    }
    member.failed_logons = 0;
    member.locked_until = None;
    member.updated_at = now;
    tx.update_member(member).await?;
    tx.remove_password_links_of(member.id).await?;
    end_logons(engine, tx, member.id, kept).await?;
    tx.remove_web_sessions_of(member.id, kept).await?;
    Ok(())
}

/// Ends every container that came from a logon of this member, but for `kept`.
async fn end_logons(engine: &Engine, tx: &mut WriteTx, member: MemberId, kept: Option<TokenId>) -> Result<(), Problem> {
    let is = |field: &str, value: String| Filter { field: field.to_owned(), operator: Operator::Eq, values: vec![value] };
    let mut query = ListQuery {
        filters: vec![is("member_id", member.to_string()), is("token_type", TokenType::Logon.as_str().to_owned())],
        limit: Some(ListQuery::MAX_LIMIT),
        ..ListQuery::default()
    };
    loop {
        let page = tx.tokens(None, &query).await?;
        for container in page.items.iter().filter(|container| Some(container.id) != kept) {
            crate::token::end(engine, tx, container.id).await?;
        }
        if page.next.is_none() {
            return Ok(());
        }
        query.start_after = page.next;
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
