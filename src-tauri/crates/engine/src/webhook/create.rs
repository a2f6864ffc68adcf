//! Makes an organization webhook.

use patchbay_model::credential::{Credential, CredentialKind, CredentialOwner, SealedAt};
use patchbay_model::name::name_and_fullname;
use patchbay_model::webhook::{OrganizationWebhook, WebhookFilter};
use patchbay_model::{CredentialId, Fullname, Name, Operation, Problem, Secret, SharedCredentialId, WebhookId};
use url::Url;

use super::CreateWebhook;
use crate::audit::record::{Done, record};
use crate::credential::config;
use crate::deadline::clocks;
use crate::sealing::shared_place;
use crate::{Engine, ManagementGrant, reach};

/// Name of the credential that a webhook is made with.
const CREDENTIAL: &str = "signing-secret";
/// Most bytes of a secret.
const LONGEST_SECRET: usize = 4096;

/// Makes an organization webhook; its secret is kept as a credential that it owns.
///
/// # Errors
/// `permission_denied`, `invalid_field`, `name_taken`; problems of the store.
pub async fn create(engine: &Engine, grant: &ManagementGrant, new: CreateWebhook) -> Result<OrganizationWebhook, Problem> {
    grant.require_whole(Operation::OrganizationWebhooksCreate)?;
    let now = engine.now();
    let id = WebhookId::from_uuid(engine.context().new_uuid());
    let (name, fullname) = name_and_fullname(new.name.as_deref(), new.fullname.as_deref(), id.uuid())?;
    let shared = SharedCredentialId::from_uuid(engine.context().new_uuid());
    let credential = Credential {
        id: CredentialId::from_uuid(engine.context().new_uuid()),
        organization_id: grant.organization(),
        owner: CredentialOwner::OrganizationWebhook(id),
        name: Name::parse(CREDENTIAL)?,
        fullname: Fullname::parse("Signing secret")?,
        kind: CredentialKind::Secret,
        public_config: serde_json::Map::new(),
        sealed_at: SealedAt::Shared(shared),
        expires: new.expires,
        managed: true,
        secret_set_at: Some(now),
        created_at: now,
        updated_at: now,
    };
    if new.expires.is_some_and(|expires| expires <= now) {
        return Err(Problem::field("/secret/expires", "/secret/expires must lie in the future. Correct it or leave it out."));
    }
    let webhook = OrganizationWebhook {
        id,
        organization_id: grant.organization(),
        name,
        fullname,
        environment: new.environment.unwrap_or_default(),
        filters: filters(new.filters)?,
        url: target(new.url)?,
        credential_id: credential.id,
        created_at: now,
        updated_at: now,
    };
    let plain = plain(&new.secret)?;
    let mut tx = reach::writing_organization(engine, grant).await?;
    let envelope = engine.seal(&mut tx, &shared_place(grant.organization(), None, shared), &plain).await?;
    tx.insert_webhook(&webhook).await?;
    tx.insert_sealed_shared(shared, None, &envelope, now).await?;
    tx.insert_credential(&credential).await?;
    clocks::entered(&mut tx, &credential).await?;
    record(engine, &mut tx, grant, Done::created(Operation::OrganizationWebhooksCreate).after(&webhook).giving(id, webhook.name.as_str())).await?;
    tx.commit().await?;
    Ok(webhook)
}

/// The secret in the form of a sealed credential (see `crate::sealing`).
fn plain(secret: &Secret) -> Result<Secret, Problem> {
    if secret.is_empty() || secret.len() > LONGEST_SECRET || secret.expose().contains('\0') {
        return Err(Problem::field("/secret/value", format!("/secret/value must be 1 to {LONGEST_SECRET} bytes. Choose a long random text.")));
    }
    let value = serde_json::json!({ "type": CredentialKind::Secret.as_str(), "secret": secret.expose() });
    Ok(config::split(CredentialKind::Secret, value).secret)
}

/// Sorts filters and drops doubles.
pub(super) fn filters(mut filters: Vec<WebhookFilter>) -> Result<Vec<WebhookFilter>, Problem> {
    if filters.is_empty() {
        return Err(Problem::field("/filters", "/filters must name at least one event, or `all`. A webhook that is told of nothing can be deleted."));
    }
    filters.sort();
    filters.dedup();
    Ok(filters)
}

/// Reads the URL of a receiver. Whether its address may be called is judged whenever it is.
pub(super) fn target(text: String) -> Result<String, Problem> {
    let good = text.len() <= 2000
        && Url::parse(&text)
            .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host() && url.username().is_empty() && url.password().is_none() && url.fragment().is_none());
    if good { Ok(text) } else { Err(Problem::field("/url", "/url must be an https URL of at most 2000 characters, without user name, password and fragment.")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_that_no_receiver_has_are_refused() {
        for good in ["https://hooks.example.com/patchbay?x=1", "http://127.0.0.1:9/", "http://h"] {
            assert!(target(good.to_owned()).is_ok(), "{good}");
        }
        for bad in ["", "hooks.example.com", "ftp://h/", "https://u@h/", "https://u:p@h/", "https://h/#x", "javascript:alert(1)", "https://"] {
            assert!(target(bad.to_owned()).is_err(), "{bad}");
        }
    }

    #[test]
    fn filters_are_a_set() {
        use WebhookFilter::{AccountCreate, AccountDelete, All};
        assert_eq!(filters(vec![AccountDelete, All, AccountDelete, AccountCreate]).unwrap(), [All, AccountCreate, AccountDelete]);
        assert!(filters(Vec::new()).is_err());
    }
}
