//! Makes a provider app.

use patchbay_model::consent::ProviderApp;
use patchbay_model::name::name_and_fullname;
use patchbay_model::{Operation, Problem, ProviderAppId, ProviderId, Secret, SharedCredentialId};
use patchbay_providers::Catalog;
use patchbay_store::WriteTx;
use url::{Host, Url};

use super::CreateProviderApp;
use crate::audit::record::{Done, record};
use crate::deadline::clocks;
use crate::sealing::shared_place;
use crate::{Engine, ManagementGrant, reach};

/// Makes a provider app.
///
/// # Errors
/// `permission_denied`, `invalid_field`, `name_taken`; problems of the store.
pub async fn create(engine: &Engine, grant: &ManagementGrant, new: CreateProviderApp) -> Result<ProviderApp, Problem> {
    grant.require(Operation::ProviderAppsCreate, None)?;
    let now = engine.now();
    let id = ProviderAppId::from_uuid(engine.context().new_uuid());
    let (name, fullname) = name_and_fullname(new.name.as_deref(), new.fullname.as_deref(), id.uuid())?;
    let mut tx = reach::writing_organization(engine, grant).await?;
    let provider = provider(&*engine.catalog_of(&mut tx).await?, &new.provider)?;
    let mut app = ProviderApp {
        id,
        organization_id: grant.organization(),
        name,
        fullname,
        provider,
        issuer: issuer(new.issuer)?,
        client_id: client_id(new.client_id)?,
        client_secret: None,
        redirect_uris: redirect_uris(new.redirect_uris)?,
        scopes: scopes(new.scopes)?,
        secret_expires: None,
        created_at: now,
        updated_at: now,
    };
    if let Some(secret) = new.client_secret.filter(|secret| !secret.is_empty()) {
        app.client_secret = Some(seal(engine, &mut tx, &app, secret).await?);
    }
    app.secret_expires = new.secret_expires.filter(|_| app.client_secret.is_some());
    tx.insert_provider_app(&app).await?;
    clocks::provider_app(&mut tx, &app).await?;
    record(engine, &mut tx, grant, Done::created(Operation::ProviderAppsCreate).after(&app).giving(id, app.name.as_str())).await?;
    tx.commit().await?;
    Ok(app)
}

fn provider(catalog: &Catalog, text: &str) -> Result<ProviderId, Problem> {
    let known = catalog.find(text).filter(|provider| provider.has_app());
    known.map(|provider| provider.id().clone()).ok_or_else(|| {
        let shown: String = text.chars().take(80).collect();
        Problem::field(
            "/provider",
            format!("`{shown}` is not a provider at which your organization has a client of its own. Take one whose credentials include `o_auth_user` or `aws_role`."),
        )
    })
}

/// Reads an issuer (OpenID Connect Discovery 1.0 section 3: no query, no fragment).
pub(super) fn issuer(text: Option<String>) -> Result<Option<String>, Problem> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    let good =
        text.len() <= 2000 && Url::parse(&text).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host() && url.query().is_none() && url.fragment().is_none());
    if good { Ok(Some(text)) } else { Err(Problem::field("/issuer", "/issuer must be the issuer's https URL, without query and fragment, exactly as the provider writes it.")) }
}

/// Reads a client id.
pub(super) fn client_id(text: String) -> Result<String, Problem> {
    // RFC 6749 appendix A.1: visible ASCII.
    let good = !text.is_empty() && text.len() <= 1000 && text.bytes().all(|byte| (0x20..=0x7e).contains(&byte));
    if good { Ok(text) } else { Err(Problem::field("/client_id", "/client_id must be the client id that the provider gave, 1 to 1000 printable characters.")) }
}

/// Reads redirect URIs; they are compared exactly, so they are kept as given.
pub(super) fn redirect_uris(texts: Vec<String>) -> Result<Vec<String>, Problem> {
    if texts.len() > 50 {
        return Err(Problem::field("/redirect_uris", "A provider app can list at most 50 redirect URIs. Leave some out."));
    }
    for (index, text) in texts.iter().enumerate() {
        let good = text.len() <= 2000
            && Url::parse(text).is_ok_and(|url| {
                let loopback = match url.host() {
                    Some(Host::Domain(name)) => name == "localhost",
                    Some(Host::Ipv4(address)) => address.is_loopback(),
                    Some(Host::Ipv6(address)) => address.is_loopback(),
                    None => false,
                };
                url.fragment().is_none() && (url.scheme() == "https" || (url.scheme() == "http" && loopback))
            });
        if !good {
            let at = format!("/redirect_uris/{index}");
            return Err(Problem::field(&at, format!("{at} must be an https URL without fragment; http is for loopback addresses alone (RFC 8252 section 7.3).")));
        }
    }
    Ok(texts)
}

/// Reads scopes (RFC 6749 section 3.3: no blanks within one).
pub(super) fn scopes(texts: Vec<String>) -> Result<Vec<String>, Problem> {
    for (index, text) in texts.iter().enumerate() {
        let good = !text.is_empty() && text.len() <= 500 && text.bytes().all(|byte| (0x21..=0x7e).contains(&byte) && byte != b'"' && byte != b'\\');
        if !good || index >= 200 {
            let at = format!("/scopes/{index}");
            return Err(Problem::field(&at, format!("{at} must be one scope without blanks; give each scope as an item of its own.")));
        }
    }
    Ok(texts)
}

/// Seals a client secret as a shared value of the organization: `{"client_secret": "..."}`.
pub(super) async fn seal(engine: &Engine, tx: &mut WriteTx, app: &ProviderApp, secret: Secret) -> Result<SharedCredentialId, Problem> {
    let shared = app.client_secret.unwrap_or_else(|| SharedCredentialId::from_uuid(engine.context().new_uuid()));
    if secret.len() > 16_384 {
        return Err(Problem::field("/client_secret", "/client_secret must be at most 16384 bytes."));
    }
    let plain = Secret::new(serde_json::json!({ "client_secret": secret.expose() }).to_string());
    let envelope = engine.seal(tx, &shared_place(app.organization_id, None, shared), &plain).await?;
    match app.client_secret {
        Some(_) => tx.set_sealed_shared(shared, &envelope, engine.now()).await?,
        None => tx.insert_sealed_shared(shared, None, &envelope, engine.now()).await?,
    }
    Ok(shared)
}
