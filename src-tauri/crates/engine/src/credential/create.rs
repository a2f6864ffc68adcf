//! Makes a credential.

use patchbay_model::credential::{Credential, SealedAt};
use patchbay_model::name::name_and_fullname;
use patchbay_model::{CredentialId, Operation, Problem, SharedCredentialId, Timestamp};

use super::{CreateCredential, config, owner};
use crate::audit::record::{Done, record};
use crate::deadline::clocks;
use crate::sealing::shared_place;
use crate::{Engine, ManagementGrant, reach};

/// Makes a credential of an account or a point. Those of one integration come with its configuration.
///
/// # Errors
/// `not_found`, `permission_denied`, `invalid_field`, `name_taken`; problems of the store.
pub async fn create(engine: &Engine, grant: &ManagementGrant, owner: &str, new: CreateCredential) -> Result<Credential, Problem> {
    let config = new.config.ok_or_else(|| Problem::field("/config", "/config is missing; it must be an object with `type` and the credential's fields."))?;
    let (kind, parts) = config::parse(config)?;
    let now = engine.now();
    let expires = expiry(new.expires, now)?;
    let mut tx = reach::writing_organization(engine, grant).await?;
    let owner = owner::find(&mut tx, grant, Operation::CredentialsCreate, owner).await?;
    if let Some(wanted) = new.owner_type.filter(|wanted| wanted != owner.owner.owner_type()) {
        let shown: String = wanted.chars().take(40).collect();
        return Err(Problem::field(
            "/owner_type",
            format!("The owner in the path is of type `{}`, not `{shown}`. Leave owner_type out or name another owner.", owner.owner.owner_type()),
        ));
    }
    if matches!(owner.owner, patchbay_model::credential::CredentialOwner::Integration(..)) {
        return Err(Problem::field("/owner_type", "A credential of one integration is made by putting it into its provider_config. Name the account to make a shared one."));
    }
    let id = CredentialId::from_uuid(engine.context().new_uuid());
    let (name, fullname) = name_and_fullname(new.name.as_deref(), new.fullname.as_deref(), id.uuid())?;
    let shared = SharedCredentialId::from_uuid(engine.context().new_uuid());
    let envelope = engine.seal(&mut tx, &shared_place(grant.organization(), owner.account_id(), shared), &parts.secret).await?;
    let credential = Credential {
        id,
        organization_id: grant.organization(),
        owner: owner.owner,
        name,
        fullname,
        kind,
        public_config: parts.public,
        sealed_at: SealedAt::Shared(shared),
        expires,
        managed: false,
        secret_set_at: Some(now),
        created_at: now,
        updated_at: now,
    };
    tx.insert_sealed_shared(shared, owner.account_id(), &envelope, now).await?;
    tx.insert_credential(&credential).await?;
    clocks::entered(&mut tx, &credential).await?;
    let mut done = Done::created(Operation::CredentialsCreate).after(&credential).giving(id, credential.name.as_str());
    if let Some(account) = owner.account_id() {
        done = done.in_account(account);
    }
    record(engine, &mut tx, grant, done).await?;
    tx.commit().await?;
    Ok(credential)
}

/// An end must lie ahead.
pub(super) fn expiry(expires: Option<Timestamp>, now: Timestamp) -> Result<Option<Timestamp>, Problem> {
    if expires.is_some_and(|expires| expires <= now) {
        return Err(Problem::field("/expires", "/expires must lie in the future. Correct it or leave it out."));
    }
    Ok(expires)
}
