//! Tokens of a client that speaks for itself: client credentials (RFC 6749 section 4.4), and JWTs that it signs (RFC 7523 section 2.1).

use std::collections::BTreeMap;
use std::sync::Arc;

use patchbay_model::{Code, Problem, Scope, Secret};
use patchbay_providers::manifest::{Auth, Cause, Slot, Template};
use patchbay_providers::{CredentialOption, Provider, Values};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{MintKey, MintedToken, Unminted};
use crate::Engine;
use crate::oauth::{self, Answer, Authority, OAuthClient, Prepared, Refusal, authority};

/// What was entered for a client.
#[derive(Clone)]
pub(crate) struct ClientFields {
    /// RFC 6749 section 2.2.
    pub(crate) id: String,
    /// Its secret, or a private key.
    pub(crate) secret: Secret,
    /// Further fields, which can be anything.
    pub(crate) extra: BTreeMap<String, Secret>,
}

#[derive(Deserialize)]
struct Sealed {
    client_secret: Secret,
    #[serde(default)]
    extra: BTreeMap<String, Secret>,
}

impl ClientFields {
    /// Reads the plain text of a sealed value; none when it has another form.
    pub(crate) fn read(public: &Map<String, Value>, plain: &Secret) -> Option<Self> {
        let sealed: Sealed = serde_json::from_str(plain.expose()).ok()?;
        let id = public.get("client_id").and_then(Value::as_str)?.to_owned();
        Some(Self { id, secret: sealed.client_secret, extra: sealed.extra })
    }

    /// Every secret in it.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = &Secret> {
        std::iter::once(&self.secret).chain(self.extra.values())
    }
}

/// Whether requests carry a token that a client gets by a grant, in place of what was entered.
pub(crate) const fn is_granted(auth: &Auth) -> bool {
    matches!(auth, Auth::ClientCredentials { .. } | Auth::JwtBearer { .. })
}

/// The token of a client, from memory or got now. `refused` is one that the provider did not take.
///
/// # Errors
/// Why there is none.
pub(crate) async fn token(
    engine: &Engine,
    scope: Scope,
    provider: &Arc<Provider>,
    option: &CredentialOption,
    settings: &Map<String, Value>,
    client: &ClientFields,
    refused: Option<&Secret>,
) -> Result<MintedToken, Unminted> {
    let key = key(engine, scope, provider, option, settings, client);
    engine.outbound().minted.get(engine.context(), key, refused, || mint(engine, provider, option, settings, client)).await
}

/// Of everything that the token depends on.
fn key(engine: &Engine, scope: Scope, provider: &Provider, option: &CredentialOption, settings: &Map<String, Value>, client: &ClientFields) -> MintKey {
    let extra: BTreeMap<&str, &str> = client.extra.iter().map(|(name, value)| (name.as_str(), value.expose())).collect();
    let organization = scope.organization().map(|organization| organization.to_string());
    let all = json!([organization, provider.id(), provider.version(), option.word, settings, client.id, client.secret.expose(), extra]);
    engine.vault().keyed_hash("minted token", Secret::new(all.to_string()).expose().as_bytes())
}

async fn mint(engine: &Engine, provider: &Arc<Provider>, option: &CredentialOption, settings: &Map<String, Value>, client: &ClientFields) -> Result<MintedToken, Unminted> {
    let (authority, prepared) = request(engine, provider, option, settings, client).await?;
    granted(engine, &authority, prepared).await
}

/// The request for a token of a client, and where it goes.
///
/// # Errors
/// When it cannot be made of manifest, configuration and client.
pub(crate) async fn request(
    engine: &Engine,
    provider: &Arc<Provider>,
    option: &CredentialOption,
    settings: &Map<String, Value>,
    client: &ClientFields,
) -> Result<(Authority, Prepared), Problem> {
    let manifest = provider.manifest();
    let mut values = provider.values(settings, &BTreeMap::new(), &BTreeMap::new()).with(Slot::ClientId, client.id.as_str());
    for (name, value) in &client.extra {
        values.set(Slot::Extra(name.clone()), value.expose());
    }
    match &option.auth {
        Auth::ClientCredentials { server, scopes, audience, grant_type, params } => {
            let authority = server_of(engine, provider, server, settings).await?;
            let mut given: Vec<(String, String)> = values.texts(manifest, params)?.into_iter().collect();
            given.extend(grant_type.iter().map(|word| ("grant_type".to_owned(), word.clone())));
            given.extend(audience.as_ref().map(|audience| values.text(manifest, audience)).transpose()?.flatten().map(|audience| ("audience".to_owned(), audience)));
            let asking = OAuthClient { id: client.id.clone(), secret: Some(client.secret.clone()) };
            let prepared = Prepared::client_credentials(engine.context(), &authority, &asking, &each(provider, &values, scopes)?, &given)?;
            Ok((authority, prepared))
        }
        Auth::JwtBearer { server, assertion, scopes, params } => {
            let authority = server_of(engine, provider, server, settings).await?;
            let scopes = each(provider, &values, scopes)?;
            let given: Vec<(String, String)> = values.texts(manifest, params)?.into_iter().collect();
            // Some want in the assertion what is asked for, and then not beside it.
            let claimed = assertion.claims.values().any(|claim| claim.as_str().is_some_and(|text| text.contains("{scopes}")));
            let said = values.clone().with(Slot::Scopes, scopes.join(&authority.server.scopes.separator));
            let signed = oauth::written(engine.context(), manifest, assertion, &said, &client.secret)?;
            let beside: &[String] = if claimed { &[] } else { &scopes };
            let prepared = Prepared::jwt_bearer(&authority, &client.id, &signed, beside, &given)?;
            Ok((authority, prepared))
        }
        _ => Err(Problem::internal("a token was to be got in a way that has none")),
    }
}

/// Texts of the manifest, without those of which nothing is left.
fn each(provider: &Provider, values: &Values, templates: &[Template]) -> Result<Vec<String>, Problem> {
    let filled = templates.iter().map(|template| values.text(provider.manifest(), template));
    Ok(filled.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().filter(|text| !text.is_empty()).collect())
}

async fn server_of(engine: &Engine, provider: &Arc<Provider>, name: &str, settings: &Map<String, Value>) -> Result<Authority, Problem> {
    let server = provider.server(name).ok_or_else(|| Problem::internal("a manifest names a server that it does not have"))?;
    authority(engine.http(), &engine.outbound().metadata, provider, server, settings).await
}

async fn granted(engine: &Engine, authority: &Authority, prepared: Prepared) -> Result<MintedToken, Unminted> {
    let mask = prepared.mask();
    let answer = oauth::send(engine, prepared, engine.context().new_uuid()).await.answer()?;
    let status = answer.status.as_u16();
    match oauth::read(&authority.server, status, &answer.headers, &answer.body, engine.now()) {
        Answer::Granted(new) => {
            for finding in &new.findings {
                tracing::warn!(provider = %authority.provider.id(), %finding, "a token answer is odd");
            }
            let kept = new.kept.clone();
            let set = new.into_set().ok_or_else(|| Problem::internal("an answer was read as tokens and has none"))?;
            Ok(MintedToken { token: set.main.access, more: set.kept, kept, obtained: set.main.obtained, expires: set.main.expires })
        }
        Answer::Refused(refusal) => {
            let (problem, refused) = refused(&authority.provider, &refusal);
            Err(Unminted { problem: mask.problem(problem), refused })
        }
        Answer::Nonsense if status == 429 || status >= 500 => {
            Err(Problem::new(Code::ProviderUnreachable, format!("The token endpoint of {} is out of order (status {status}). Try again later.", authority.provider.fullname()))
                .into())
        }
        Answer::Nonsense => Err(Problem::new(
            Code::ProviderInvalidAnswer,
            format!(
                "The token endpoint of {} answers with something that is neither a token nor an error (status {status}). Check the configuration.",
                authority.provider.fullname()
            ),
        )
        .into()),
    }
}

/// Which setting to change, and whether it is the credential.
fn refused(provider: &Provider, refusal: &Refusal) -> (Problem, bool) {
    let (cause, own) = oauth::cause(provider, refusal);
    let name = provider.fullname();
    let says = refusal.description.as_deref().map(|words| format!(" It says: {words}")).unwrap_or_default();
    let step = own.unwrap_or(match cause {
        Cause::WrongSecret | Cause::UnknownClient | Cause::TokenSpent | Cause::GrantEnded => "Correct client id and secret or key of the credential.",
        Cause::ScopeNotAllowed | Cause::ScopeUnknown => "Allow the scopes for the client at the provider.",
        Cause::Outage | Cause::RateLimited => "Try again later.",
        _ => "Correct the credential, then test the connection.",
    });
    let away = matches!(cause, Cause::Outage) || refusal.status >= 500;
    let code = match cause {
        Cause::RateLimited => Code::ProviderRateLimited,
        _ if away => Code::ProviderUnreachable,
        _ => Code::ProviderRefused,
    };
    let mut problem = Problem::new(code, format!("{name} gives no token (`{}`).{says} {step}", refusal.error));
    problem.context.provider_details.insert("status".to_owned(), refusal.status.into());
    (problem, matches!(cause, Cause::WrongSecret | Cause::UnknownClient | Cause::TokenSpent | Cause::GrantEnded | Cause::AppSuspended))
}
