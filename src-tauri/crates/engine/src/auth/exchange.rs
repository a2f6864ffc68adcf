//! What is got in place of a credential that is not sent itself: tokens of logins, assertions that we sign, sessions of roles.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use patchbay_model::{Context, IntegrationId, Problem, Scope, Secret};
use patchbay_providers::manifest::Auth;
use patchbay_providers::{CredentialOption, LocateContext, Provider, ProviderRequest, ProviderResponse, Step, Values};
use serde_json::{Map, Value, json};
use url::Url;
use uuid::Uuid;

use super::assume::{self, Sts};
use super::place::Carried;
use super::{ClientFields, MintKey, MintedToken, Unminted, client, mint};
use crate::Engine;
use crate::call::opened::Opened;
use crate::call::request;
use crate::http::{HttpRequest, Limits, Repeat};
use crate::oauth;

/// How long one such request may take.
const PATIENCE: Duration = Duration::from_secs(25);
/// Answers of logins are small.
const LARGEST: usize = 1 << 20;

/// Somebody who needs a token.
pub(crate) struct Asking<'a> {
    pub(crate) engine: &'a Engine,
    pub(crate) scope: Scope,
    pub(crate) integration: IntegrationId,
    pub(crate) provider: &'a Arc<Provider>,
    pub(crate) way: &'a CredentialOption,
    /// The configuration as adapters see it.
    pub(crate) settings: &'a Map<String, Value>,
    pub(crate) opened: &'a Opened,
    /// Whether the connection is being tested.
    pub(crate) testing: bool,
}

/// Whether requests carry something that has to be got first, in place of what was entered.
pub(crate) const fn is_minted(auth: &Auth) -> bool {
    client::is_granted(auth) || matches!(auth, Auth::SelfSigned { .. } | Auth::Mint(_) | Auth::AwsRole { .. })
}

/// What requests carry, from memory or got now. `refused` is what the provider did not take.
///
/// # Errors
/// Why there is none.
pub(crate) async fn token(asking: &Asking<'_>, refused: Option<&Secret>) -> Result<MintedToken, Unminted> {
    let Asking { engine, scope, provider, way, settings, .. } = *asking;
    if client::is_granted(&way.auth) {
        let client = asking.client()?;
        return client::token(engine, scope, provider, way, settings, client, refused).await;
    }
    let key = asking.key()?;
    engine.outbound().minted.get(engine.context(), key, refused, || got(asking, key)).await
}

async fn got(asking: &Asking<'_>, key: MintKey) -> Result<MintedToken, Unminted> {
    match (&asking.way.auth, asking.opened) {
        (Auth::SelfSigned { assertion }, Opened::Client(client)) => {
            let (context, values) = (asking.engine.context(), asking.values(None));
            let obtained = context.now();
            let token = oauth::written(context, asking.provider.manifest(), assertion, &values, &client.secret)?;
            let expires = obtained.plus(Duration::from_secs(assertion.lifetime_seconds));
            Ok(MintedToken { token, more: BTreeMap::new(), kept: BTreeMap::new(), obtained, expires })
        }
        (Auth::Mint(login), _) => mint::log_in(asking, login, key).await,
        (Auth::AwsRole { sts, region, max_seconds, .. }, Opened::Role(role)) => assume::assume(asking, &Sts { address: sts, region, max_seconds: *max_seconds }, role).await,
        _ => Err(Problem::internal("a credential is of another kind than its way to authenticate").into()),
    }
}

impl Asking<'_> {
    fn client(&self) -> Result<&ClientFields, Problem> {
        if let Opened::Client(client) = self.opened { Ok(client) } else { Err(Problem::internal("a token is to be got with something else than a client")) }
    }

    /// Everything that it depends on.
    fn key(&self) -> Result<MintKey, Problem> {
        let entered = match self.opened {
            Opened::Pair { username, secret } => json!([username, secret.expose()]),
            Opened::Single(secret) => json!([secret.expose()]),
            Opened::Client(client) => {
                let extra: BTreeMap<&str, &str> = client.extra.iter().map(|(name, value)| (name.as_str(), value.expose())).collect();
                json!([client.id, client.secret.expose(), extra])
            }
            Opened::Role(role) => json!([role.words(), role.seconds()]),
            Opened::Nothing | Opened::Aws(_) | Opened::Fresh(_) | Opened::Tokens { .. } => return Err(Problem::internal("nothing can be got for this kind of credential")),
        };
        let organization = self.scope.organization().map(|organization| organization.to_string());
        let all = json!([organization, self.provider.id(), self.provider.version(), self.way.word, self.settings, entered]);
        Ok(self.engine.vault().keyed_hash("minted token", Secret::new(all.to_string()).expose().as_bytes()))
    }

    /// Everything that templates of the manifest can have, with a token where there is one already.
    pub(super) fn values(&self, minted: Option<&MintedToken>) -> Values {
        self.carried(minted, &BTreeMap::new()).values(self.engine.context())
    }

    /// The address of the API, where nobody has to be asked for it.
    pub(super) fn base(&self) -> Option<Url> {
        let context = LocateContext { config: self.settings, credential: Some(&self.way.word), kept: &BTreeMap::new() };
        match self.provider.locate(&context) {
            Ok(Step::Done(located)) => located.base_url,
            _ => None,
        }
    }

    fn carried<'b>(&'b self, minted: Option<&'b MintedToken>, none: &'b BTreeMap<String, String>) -> Carried<'b> {
        Carried { provider: self.provider, way: self.way, settings: self.settings, kept: none, located: none, opened: self.opened, minted }
    }

    /// A request with the token at its place, ready to leave.
    ///
    /// # Errors
    /// When it cannot be made.
    pub(super) fn with_token(&self, request: &ProviderRequest, minted: &MintedToken) -> Result<HttpRequest, Problem> {
        let context: &Context = self.engine.context();
        let mut outgoing = request::outgoing(request, "(login)", context.entropy())?;
        if request.authenticated {
            self.carried(Some(minted), &BTreeMap::new()).apply(context, &mut outgoing, request.signed_for.as_ref())?;
        }
        Ok(outgoing)
    }

    /// Sends a request of which nothing is recorded: the answer holds a secret that nobody knows yet.
    pub(super) async fn send(&self, request: &ProviderRequest) -> Result<ProviderResponse, Problem> {
        send(self.engine, self.provider, self.integration.uuid(), request, |_| Ok(())).await
    }
}

/// Sends a request beside those of a call, in a lane, with whatever `finish` adds last.
///
/// # Errors
/// Why there is no answer.
pub(super) async fn send(
    engine: &Engine,
    provider: &Provider,
    lane: Uuid,
    request: &ProviderRequest,
    finish: impl FnOnce(&mut HttpRequest) -> Result<(), Problem>,
) -> Result<ProviderResponse, Problem> {
    let mut outgoing = request::outgoing(request, "(login)", engine.context().entropy())?;
    finish(&mut outgoing)?;
    let limits = Limits { deadline: Instant::now() + PATIENCE, max_bytes: LARGEST, repeat: Repeat::OnlyUnsent };
    let width = provider.manifest().limits.concurrent.and_then(|width| usize::try_from(width).ok());
    let turn = engine.outbound().lanes.enter(lane, width, limits.deadline).await?;
    Ok(engine.http().send(&outgoing, limits, Some(turn.lane()), None).await.map(request::incoming)?)
}
