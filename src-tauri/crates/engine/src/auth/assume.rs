//! Roles of AWS: the organization's own principal asks STS for a session of the customer's role (`AssumeRole`), with the external id that
//! the customer wrote into the role's trust policy.

use std::sync::Arc;

use patchbay_model::consent::ProviderApp;
use patchbay_model::time::parse_lifetime;
use patchbay_model::{Code, Problem, ProviderId, Scope, Secret, Timestamp};
use patchbay_providers::manifest::{At, Auth, Cause, Template};
use patchbay_providers::{Catalog, CredentialOption, Method, Provider, ProviderRequest, ProviderResponse, RequestBody, Values, xml};
use patchbay_store::ReadTx;
use serde_json::{Map, Value};
use url::Url;
use uuid::Uuid;

use super::exchange::{Asking, send};
use super::{AwsKeys, MintedToken, Unminted, sigv4};
use crate::Engine;
use crate::consent::client_of;

/// The version of the API of STS.
const VERSION: &str = "2011-06-15";
/// The shortest session that STS gives, and what it gives to whoever does not say.
const SHORTEST: u64 = 900;
const USUAL: u64 = 3600;

/// What was entered for a role.
#[derive(Clone)]
pub(crate) struct RoleFields {
    arn: String,
    external_id: String,
    session_name: Option<String>,
    seconds: Option<u64>,
}

impl RoleFields {
    /// Reads what was entered, of which nothing is secret; none when it has another form.
    pub(crate) fn read(public: &Map<String, Value>) -> Option<Self> {
        let text = |name: &str| public.get(name).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned);
        // Seconds, or hours and minutes as elsewhere on the wire.
        let seconds = text("duration").and_then(|text| text.parse().ok().or_else(|| parse_lifetime(&text).map(|life| life.as_secs())));
        Some(Self { arn: text("role_arn")?, external_id: text("external_id")?, session_name: text("role_session_name"), seconds })
    }

    /// By what it is known again.
    pub(super) fn words(&self) -> [&str; 3] {
        [&self.arn, &self.external_id, self.session_name.as_deref().unwrap_or_default()]
    }

    /// How long a session shall live, where somebody said it.
    pub(super) const fn seconds(&self) -> Option<u64> {
        self.seconds
    }
}

/// Where a role is assumed.
pub(super) struct Sts<'a> {
    pub(super) address: &'a Template,
    pub(super) region: &'a Template,
    pub(super) max_seconds: u64,
}

/// A session of the role. In a test of the connection the role is asked for with a wrong external id too: one that is given out then
/// is open to others.
///
/// # Errors
/// `provider_app_missing` without a principal; the refusal of STS; `invalid_config` for a role that is open to others.
pub(super) async fn assume(asking: &Asking<'_>, sts: &Sts<'_>, role: &RoleFields) -> Result<MintedToken, Unminted> {
    let (app, keys) = principal(asking.engine, asking.scope, asking.provider).await?;
    let session = session(asking, sts, role, &role.external_id, &app, &keys).await?;
    if asking.testing {
        let wrong = format!("patchbay-wrong-{}", asking.engine.context().new_uuid().simple());
        if self::session(asking, sts, role, &wrong, &app, &keys).await.is_ok() {
            return Err(Problem::new(
                Code::InvalidConfig,
                format!(
                    "AWS gives the role {} for any external id, so everybody who uses the same principal could have it. Put the condition on sts:ExternalId into the role's trust policy, then test the connection again.",
                    role.arn
                ),
            )
            .into());
        }
    }
    Ok(session)
}

async fn session(asking: &Asking<'_>, sts: &Sts<'_>, role: &RoleFields, external_id: &str, app: &ProviderApp, keys: &AwsKeys) -> Result<MintedToken, Unminted> {
    let seconds = role.seconds.unwrap_or(USUAL).clamp(SHORTEST, sts.max_seconds.max(SHORTEST));
    let name = role.session_name.clone().unwrap_or_else(|| format!("patchbay-{}", asking.integration));
    let (seconds, obtained) = (seconds.to_string(), asking.engine.now());
    let form: [(&str, &str); 6] = [
        ("Action", "AssumeRole"),
        ("Version", VERSION),
        ("RoleArn", &role.arn),
        ("RoleSessionName", name.get(..64).unwrap_or(&name)),
        ("DurationSeconds", &seconds),
        ("ExternalId", external_id),
    ];
    let place = Place { engine: asking.engine, provider: asking.provider, lane: asking.integration.uuid(), values: asking.values(None) };
    let response = call(&place, sts, keys, &form).await?;
    if !response.ok() {
        return Err(refused(asking.provider, app, &response));
    }
    let answer = read(&response);
    let part = |name: &str| answer.as_ref().and_then(|answer| answer.pointer(&format!("/AssumeRoleResponse/AssumeRoleResult/Credentials/{name}"))).and_then(Value::as_str);
    let expires = part("Expiration").and_then(|text| text.parse::<Timestamp>().ok());
    let (Some(id), Some(secret), Some(token), Some(expires)) = (part("AccessKeyId"), part("SecretAccessKey"), part("SessionToken"), expires) else {
        return Err(
            Problem::new(Code::ProviderInvalidAnswer, "AWS answers to the request for the role with something that is no session. Check the region and the partition.").into()
        );
    };
    Ok(MintedToken { token: Secret::new(token), more: AwsKeys::beside(id, secret), kept: Default::default(), obtained, expires })
}

/// One signed request to STS.
async fn call(place: &Place<'_>, sts: &Sts<'_>, keys: &AwsKeys, form: &[(&str, &str)]) -> Result<ProviderResponse, Problem> {
    let Place { engine, provider, lane, values } = place;
    let text = |template: &Template| values.text(provider.manifest(), template).map(Option::unwrap_or_default);
    let address = Url::parse(&text(sts.address)?)
        .map_err(|_| Problem::new(Code::InvalidConfig, "The address of AWS's token service cannot be made of the configuration. Correct the region."))?;
    let mut request = ProviderRequest::new(Method::Post, address).anonymous();
    // As XML, whatever the service could write as well.
    request.headers.clear();
    let written = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    request.body = RequestBody::Bytes { content_type: "application/x-www-form-urlencoded".to_owned(), bytes: written.into_bytes() };
    let region = text(sts.region)?;
    send(engine, provider, *lane, &request, |outgoing| sigv4::sign(outgoing, keys, "sts", &region, engine.now())).await
}

/// From where STS is asked.
struct Place<'a> {
    engine: &'a Engine,
    provider: &'a Provider,
    lane: Uuid,
    values: Values,
}

/// The ARN of the organization's principal, by AWS's own word (`GetCallerIdentity`, which every key may ask).
///
/// # Errors
/// `provider_app_missing` without a principal; why AWS does not tell.
pub(crate) async fn identify(engine: &Engine, scope: Scope, provider: &Provider, way: &CredentialOption, settings: &Map<String, Value>) -> Result<String, Problem> {
    let (app, keys) = principal(engine, scope, provider).await?;
    let response = ask_identity(engine, provider, way, settings, app.id.uuid(), &keys).await?;
    if !response.ok() {
        return Err(refused(provider, &app, &response).problem);
    }
    arn_of(&response).ok_or_else(|| Problem::new(Code::ProviderInvalidAnswer, "AWS does not say who the principal is. Check the region and the partition."))
}

/// Asks AWS whose a key is.
///
/// # Errors
/// Why there is no answer.
pub(crate) async fn ask_identity(
    engine: &Engine,
    provider: &Provider,
    way: &CredentialOption,
    settings: &Map<String, Value>,
    lane: Uuid,
    keys: &AwsKeys,
) -> Result<ProviderResponse, Problem> {
    let Auth::AwsRole { sts, region, max_seconds, .. } = &way.auth else { return Err(Problem::internal("a principal is asked for where no role is assumed")) };
    let place = Place { engine, provider, lane, values: provider.values(settings, &Default::default(), &Default::default()) };
    call(&place, &Sts { address: sts, region, max_seconds: *max_seconds }, keys, &[("Action", "GetCallerIdentity"), ("Version", VERSION)]).await
}

/// The ARN in an answer to that.
pub(crate) fn arn_of(response: &ProviderResponse) -> Option<String> {
    let answer = read(response)?;
    let arn = answer.pointer("/GetCallerIdentityResponse/GetCallerIdentityResult/Arn").and_then(Value::as_str)?;
    Some(arn.to_owned()).filter(|arn| arn.starts_with("arn:") && arn.len() <= 2048 && !arn.chars().any(char::is_control))
}

/// The word of an error of AWS, and what it says; both empty where there is none.
pub(crate) fn error_of(response: &ProviderResponse) -> (String, String) {
    let answer = read(response).unwrap_or_default();
    // Services that speak like AWS nest it once more.
    let error = answer.pointer("/ErrorResponse/Error").or_else(|| answer.pointer("/ErrorResponse/Errors/Error"));
    let text = |name: &str| error.and_then(|error| error.get(name)).and_then(Value::as_str).unwrap_or_default();
    (text("Code").to_owned(), crate::oauth::bounded(text("Message")))
}

fn read(response: &ProviderResponse) -> Option<Value> {
    std::str::from_utf8(&response.body).ok().and_then(xml::read).or_else(|| serde_json::from_slice(&response.body).ok())
}

/// What a refusal of STS means: the role, or the principal that asked for it.
fn refused(provider: &Provider, app: &ProviderApp, response: &ProviderResponse) -> Unminted {
    let (code, says) = error_of(response);
    let code = code.as_str();
    let status = response.status;
    let of_principal = matches!(code, "InvalidClientTokenId" | "SignatureDoesNotMatch" | "IncompleteSignature" | "MissingAuthenticationToken");
    let (kind, words) = match provider.explain_answer(At::Token, response) {
        _ if of_principal => {
            (Code::ProviderRefused, format!("AWS does not take the access key of provider app `{}`. Correct id and secret there; the key may have been deleted.", app.name))
        }
        _ if status == 429 || code == "Throttling" => (Code::ProviderRateLimited, "AWS asks for fewer requests. Try again later.".to_owned()),
        _ if status >= 500 => (Code::ProviderUnreachable, "AWS's token service is out of order. Try again later.".to_owned()),
        Some((_, words)) => (Code::ProviderRefused, words.to_owned()),
        None => (Code::ProviderRefused, "AWS refuses to hand out the role. Compare its trust policy with the one that Patchbay shows.".to_owned()),
    };
    let says = if says.is_empty() { String::new() } else { format!(" It says: {says}") };
    let mut problem = Problem::new(kind, format!("{words}{says}"));
    problem.context.provider_details.insert("status".to_owned(), status.into());
    if !code.is_empty() {
        problem.context.provider_details.insert("code".to_owned(), crate::oauth::bounded(code).into());
    }
    if of_principal {
        problem = problem.with_resource("provider_app", app.id, "cause");
    }
    let cause = provider.explain_answer(At::Token, response).map(|(cause, _)| cause);
    let role = code == "AccessDenied" || matches!(cause, Some(Cause::AdminConsentNeeded | Cause::GrantEnded));
    Unminted { problem, refused: role && !of_principal && status < 500 }
}

/// The principal of the organization: the key in a provider app at this provider, else at one of its kin.
async fn principal(engine: &Engine, scope: Scope, provider: &Provider) -> Result<(ProviderApp, AwsKeys), Problem> {
    let mut tx = engine.store().read_secrets(scope).await?;
    let catalog = engine.catalog_of(&mut tx).await?;
    if let Some(app) = principal_app(&mut tx, &catalog, provider).await? {
        let client = client_of(engine, &mut tx, &app).await?;
        if let Some(secret) = client.secret {
            return Ok((app, AwsKeys { access_key_id: client.id, secret_access_key: secret, session: None }));
        }
    }
    Err(Problem::new(
        Code::ProviderAppMissing,
        format!(
            "Roles are assumed by an AWS principal of your own organization, and there is none. Make an IAM user that may do nothing but sts:AssumeRole, and add a provider app for {} with its access key id as client id and its secret access key as client secret.",
            provider.fullname()
        ),
    ))
}

/// The provider app whose key it is.
async fn principal_app(tx: &mut ReadTx, catalog: &Catalog, provider: &Provider) -> Result<Option<ProviderApp>, Problem> {
    for id in kin(catalog, provider) {
        if let Some(app) = tx.provider_apps_at(&id).await?.into_iter().find(|app| app.client_secret.is_some()) {
            return Ok(Some(app));
        }
    }
    Ok(None)
}

/// The providers at which roles are assumed with the key of this app.
///
/// # Errors
/// Problems of the store.
pub(crate) async fn roles_of(engine: &Engine, tx: &mut ReadTx, app: &ProviderApp) -> Result<Vec<ProviderId>, Problem> {
    let catalog = engine.catalog_of(tx).await?;
    let mut found = Vec::new();
    if !catalog.get(&app.provider).is_some_and(|provider| provider.has_principal()) {
        return Ok(found);
    }
    for provider in catalog.providers().iter().filter(|provider| provider.has_principal()) {
        if principal_app(tx, &catalog, provider).await?.is_some_and(|principal| principal.id == app.id) {
            found.push(provider.id().clone());
        }
    }
    Ok(found)
}

/// Providers whose provider apps hold a principal for this one: itself, those of its family, then whoever else assumes roles.
fn kin(catalog: &Catalog, provider: &Provider) -> Vec<ProviderId> {
    let family = &provider.manifest().family;
    let mut others: Vec<&Arc<Provider>> = catalog.providers().iter().filter(|other| other.has_principal() && other.id() != provider.id()).collect();
    others.sort_by_key(|other| family.is_none() || other.manifest().family != *family);
    std::iter::once(provider.id().clone()).chain(others.into_iter().map(|other| other.id().clone())).collect()
}
