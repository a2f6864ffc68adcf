//! One rehearsal: its store, its provider, and what can be done.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use patchbay_api::wire::rehearsal::{Rehearsal, RehearsalAction, RehearsalActor, RehearsalFault};
use patchbay_engine::account::{self, CreateAccount};
use patchbay_engine::consent::loopback::Loopback;
use patchbay_engine::consent::{self, BeginConsent, Begun, Platform, SwitchConsent};
use patchbay_engine::installation::{self, StoreUrl};
use patchbay_engine::integration::{self, CreateIntegration, UpdateIntegration};
use patchbay_engine::provider_app::{self, CreateProviderApp};
use patchbay_engine::{Engine, ManagementGrant, NetworkPolicy};
use patchbay_model::consent::{ConnectState, ConsentRoute};
use patchbay_model::integration::{Integration, IntegrationStatus};
use patchbay_model::{Clock, Code, Context, IntegrationId, Origin, Problem, Secret, Timestamp};
use patchbay_providers::manifest::{Auth, ClientAuth, CredentialOption};
use patchbay_providers::{Catalog, Provider, sample_config_of};
use patchbay_simulator::{Fault, FaultOrder, LOGIN, PASSWORD, Simulator};
use patchbay_vault::{KeyAccess, KeySource, OsEntropy, SystemClock};
use serde_json::{Map, Value};
use tokio::task::JoinHandle;
use url::Url;

use super::script::Script;
use crate::simulate::Simulated;

/// Where a person is sent back whom nobody's browser carries; taken by every provider, since it is https elsewhere than on this computer.
const NOWHERE: &str = "https://patchbay.sim.invalid/oauth/callback";
/// Where a browser on this computer is sent back.
const LOOPBACK: &str = "http://127.0.0.1:8085/oauth/callback";
/// How long a browser is waited for.
const PATIENCE: Duration = Duration::from_secs(600);
const ACCOUNT: &str = "rehearsal";

/// Runs with the machine's clock, and some time ahead of it.
struct MovedClock(AtomicI64);

impl Clock for MovedClock {
    fn now(&self) -> Timestamp {
        let now = SystemClock.now();
        Timestamp::from_unix_micros(now.unix_micros() + self.0.load(Ordering::SeqCst)).unwrap_or(now)
    }
}

/// A rehearsal that is under way.
pub(super) struct Rehearsed {
    id: String,
    owner: String,
    provider: Arc<Provider>,
    way: CredentialOption,
    engine: Engine,
    grant: ManagementGrant,
    simulator: Simulator,
    clock: Arc<MovedClock>,
    context: Context,
    integration: IntegrationId,
    script: Arc<Mutex<Script>>,
    /// The listener for a browser, and where the person sets out.
    waiting: Mutex<Option<(String, JoinHandle<()>)>>,
    expires: Timestamp,
    // Both end with the rehearsal.
    _simulated: Simulated,
    _folder: tempfile::TempDir,
}

impl Rehearsed {
    pub(super) async fn new(id: String, owner: String, catalog: &Catalog, provider: &Arc<Provider>, word: Option<&str>, life: Duration) -> Result<Self, Problem> {
        let way = match word {
            Some(word) => provider.way(word),
            None => provider.manifest().credential.first(),
        };
        let way = way.filter(|_| !provider.is_local()).cloned().ok_or_else(|| {
            Problem::new(Code::InvalidField, format!("{} has nothing of this kind to rehearse: choose a provider with a credential, and one of its kinds.", provider.fullname()))
        })?;
        let folder = tempfile::tempdir().map_err(Problem::internal)?;
        let store = StoreUrl::Sqlite(folder.path().join("store.db"));
        let keys = KeyAccess::from(KeySource::File(folder.path().join("store.key")));
        let clock = Arc::new(MovedClock(AtomicI64::new(0)));
        let context = Context::new(clock.clone(), Arc::new(OsEntropy));
        let simulator = Simulator::of(std::slice::from_ref(provider), context.clone());
        let simulated = Simulated::start(simulator.clone(), SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await?;
        let network = NetworkPolicy { allow_private: false, rehearsal: Some(simulated.rehearsal()?) };
        let (engine, created) = installation::create(&store, &keys, "Rehearsal", context.clone()).await?;
        engine.shutdown().await;
        drop(engine);
        let engine = installation::open_with(&store, &keys, catalog.only(provider), context.clone(), network, Origin::Background).await?;
        let prepared = async {
            let grant = engine.local_grant(created.organization.id, Origin::Background).await?;
            account::create(&engine, &grant, CreateAccount { name: Some(ACCOUNT.to_owned()), ..CreateAccount::default() }).await?;
            register(&engine, &grant, &simulator, provider, &way).await?;
            let key = if is_consent(&way) { None } else { Some(issued(&simulator, provider, &way)?) };
            let new = CreateIntegration { name: Some(ACCOUNT.to_owned()), provider_config: config(provider, &way, key.as_ref()), ..CreateIntegration::default() };
            let made = integration::create(&engine, &grant, ACCOUNT, new).await?;
            Ok((grant, made))
        };
        let (grant, made) = match prepared.await {
            Ok(prepared) => prepared,
            Err(problem) => {
                engine.shutdown().await;
                return Err(problem);
            }
        };
        let expires = SystemClock.now().plus(life);
        let rehearsed = Self {
            id,
            owner,
            provider: provider.clone(),
            way,
            engine,
            grant,
            simulator,
            clock,
            context,
            integration: made.integration.id,
            script: Arc::default(),
            waiting: Mutex::default(),
            expires,
            _simulated: simulated,
            _folder: folder,
        };
        let now = rehearsed.now();
        {
            let mut script = rehearsed.script();
            script.note(now, RehearsalActor::Patchbay, true, format!("An integration with {} was made in a store of this rehearsal's own.", rehearsed.provider.fullname()));
            for problem in &made.problems {
                script.problem(now, problem);
            }
        }
        Ok(rehearsed)
    }

    pub(super) fn owner(&self) -> &str {
        &self.owner
    }

    /// Ends it. What a browser brings after this goes nowhere.
    pub(super) async fn close(&self) {
        self.wait_no_more();
        self.engine.shutdown().await;
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait_no_more(&self) {
        if let Some((_, task)) = self.waiting.lock().unwrap_or_else(PoisonError::into_inner).take() {
            task.abort();
        }
    }

    fn open(&self) -> Option<String> {
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.as_ref().filter(|(_, task)| !task.is_finished()).map(|(start, _)| start.clone())
    }

    /// How it stands, with all that happened meanwhile.
    pub(super) async fn view(&self) -> Result<Rehearsal, Problem> {
        self.absorb().await?;
        let integration = self.integration().await?;
        let cause = match integration.status {
            IntegrationStatus::NeedsAttention { cause } => Some(cause.words().to_owned()),
            _ => None,
        };
        let server = self.provider.consent(&self.way.word);
        Ok(Rehearsal {
            id: self.id.clone(),
            provider: self.provider.id().clone(),
            fullname: self.provider.fullname().to_owned(),
            version: self.provider.version().to_owned(),
            credential: self.way.word.clone(),
            consent: is_consent(&self.way),
            renews: server.is_some_and(|server| server.answer.tokens.first().is_some_and(|first| first.refresh.is_some())),
            login: LOGIN.to_owned(),
            password: PASSWORD.to_owned(),
            status: integration.status.as_str().to_owned(),
            cause,
            open: self.open(),
            steps: self.script().steps(),
            expires: self.expires,
        })
    }

    async fn absorb(&self) -> Result<(), Problem> {
        let journal = integration::journal(&self.engine, &self.grant, ACCOUNT, &self.integration.to_string()).await?;
        let log = self.simulator.log();
        self.script().absorb(self.now(), log, journal);
        Ok(())
    }

    async fn integration(&self) -> Result<Integration, Problem> {
        integration::get(&self.engine, &self.grant, ACCOUNT, &self.integration.to_string()).await
    }

    /// Does what was asked. What comes of it stands in the script.
    ///
    /// # Errors
    /// `invalid_field` for what does not go with this credential.
    pub(super) async fn act(&self, action: RehearsalAction, fault: Option<RehearsalFault>) -> Result<(), Problem> {
        let consent = matches!(action, RehearsalAction::Agree | RehearsalAction::Refuse | RehearsalAction::Browser);
        if consent != is_consent(&self.way) && (consent || action == RehearsalAction::Key) {
            return Err(Problem::field("/action", "This does not go with the credential of this rehearsal. Take another step, or start one with another credential."));
        }
        // What happened by itself comes before.
        self.absorb().await?;
        let told = match action {
            RehearsalAction::Agree => self.by_person(true).await,
            RehearsalAction::Refuse => self.by_person(false).await,
            RehearsalAction::Browser => self.in_browser().await,
            RehearsalAction::Key => self.enter_key().await,
            RehearsalAction::Call => self.call().await,
            RehearsalAction::Fault => self.disturb(fault.ok_or_else(|| Problem::field("/fault", "Say what goes wrong."))?),
        };
        self.absorb().await?;
        if let Err(problem) = told {
            let now = self.now();
            self.script().problem(now, &problem);
        }
        Ok(())
    }

    fn say(&self, by: RehearsalActor, good: bool, words: impl Into<String>) {
        let now = self.now();
        self.script().note(now, by, good, words);
    }

    fn begin(&self, route: ConsentRoute, redirect_uri: &str) -> BeginConsent {
        BeginConsent {
            integration: self.integration,
            route: Some(route),
            platform: Platform { window: false, browser: true },
            redirect_uri: Some(redirect_uri.to_owned()),
            end_user: None,
        }
    }

    /// A person whom nobody sees: signs in and answers.
    async fn by_person(&self, agrees: bool) -> Result<(), Problem> {
        self.wait_no_more();
        let begun = consent::begin(&self.engine, &self.grant, self.begin(ConsentRoute::Paste, NOWHERE)).await?;
        self.say(RehearsalActor::Patchbay, true, format!("The consent begins; the person is taken to {}.", begun.host));
        let callback = match self.visit(&begun, agrees) {
            Ok(callback) => callback,
            Err(refused) => {
                self.absorb().await?;
                self.say(RehearsalActor::Person, false, format!("The provider's page says: {refused}"));
                let switch = SwitchConsent { route: Some(ConsentRoute::Paste), redirect_uri: Some(NOWHERE.to_owned()), platform: Platform { window: false, browser: true } };
                let other = consent::switch(&self.engine, &self.grant, begun.session.id, switch).await?;
                self.say(RehearsalActor::Patchbay, true, "The same consent goes on on another way; nothing of it is lost.");
                match self.visit(&other, agrees) {
                    Ok(callback) => callback,
                    Err(refused) => {
                        self.say(RehearsalActor::Person, false, format!("The provider's page says: {refused}"));
                        consent::cancel(&self.engine, &self.grant, begun.session.id).await?;
                        return Ok(());
                    }
                }
            }
        };
        self.say(RehearsalActor::Person, agrees, if agrees { "The person signs in and agrees." } else { "The person signs in and refuses." });
        self.absorb().await?;
        let session = consent::finish(&self.engine, &self.grant, begun.session.id, callback.as_str()).await?;
        self.say(
            RehearsalActor::Patchbay,
            session.state == ConnectState::Completed,
            session.message.unwrap_or_else(|| "The answer was checked, and the tokens are sealed.".to_owned()),
        );
        Ok(())
    }

    fn visit(&self, begun: &Begun, agrees: bool) -> Result<Url, String> {
        let page = begun.authorize_url.as_ref().ok_or("there is no page")?;
        self.simulator.consent(page, agrees).map_err(|page| words(&page))
    }

    /// Whoever sits here does it.
    async fn in_browser(&self) -> Result<(), Problem> {
        self.wait_no_more();
        let offers = consent::routes(&self.engine, &self.grant, ACCOUNT, &self.integration.to_string(), Platform { window: false, browser: true }).await?;
        let offer = offers.iter().find(|offer| offer.route == ConsentRoute::Browser);
        if let Some(why) = offer.and_then(|offer| offer.refused.clone()) {
            return Err(Problem::new(Code::ConsentRouteUnavailable, why));
        }
        let registered = offer.and_then(|offer| offer.redirect_uri.as_deref()).unwrap_or(LOOPBACK).parse().map_err(Problem::internal)?;
        let listener = Loopback::bind(&self.context, &registered, offer.is_some_and(|offer| offer.any_port)).await?;
        let begun = consent::begin(&self.engine, &self.grant, self.begin(ConsentRoute::Browser, listener.redirect_uri().as_str())).await?;
        let page = begun.authorize_url.clone().ok_or_else(|| Problem::internal("a consent has begun without the provider's page"))?;
        let start = listener.start_url().to_string();
        self.say(RehearsalActor::Patchbay, true, format!("The consent begins; a browser on this computer is waited for. Sign in as {LOGIN} with the password {PASSWORD}."));
        let (engine, grant, session) = (self.engine.clone(), self.grant.clone(), begun.session.id);
        let (script, clock) = (self.script.clone(), self.clock.clone());
        let task = tokio::spawn(async move {
            let outcome = match listener.wait(&page, PATIENCE).await {
                Ok(callback) => consent::finish(&engine, &grant, session, callback.as_str()).await,
                Err(problem) => Err(problem),
            };
            let now = clock.now();
            let mut script = script.lock().unwrap_or_else(PoisonError::into_inner);
            match outcome {
                Ok(_) => script.note(now, RehearsalActor::Patchbay, true, "The browser came back; the answer was checked, and the tokens are sealed."),
                Err(problem) => script.problem(now, &problem),
            }
        });
        *self.waiting.lock().unwrap_or_else(PoisonError::into_inner) = Some((start, task));
        Ok(())
    }

    async fn enter_key(&self) -> Result<(), Problem> {
        let key = issued(&self.simulator, &self.provider, &self.way)?;
        let change = UpdateIntegration { provider_config: config(&self.provider, &self.way, Some(&key)), ..UpdateIntegration::default() };
        integration::update(&self.engine, &self.grant, ACCOUNT, &self.integration.to_string(), change).await?;
        self.say(RehearsalActor::Person, true, "A new key was made at the provider and entered.");
        Ok(())
    }

    async fn call(&self) -> Result<(), Problem> {
        let integration = self.integration().await?;
        let outcome = self.engine.probe(&integration).await;
        self.absorb().await?;
        outcome?;
        self.say(RehearsalActor::Patchbay, true, "The call was answered.");
        Ok(())
    }

    fn disturb(&self, fault: RehearsalFault) -> Result<(), Problem> {
        let order = |fault: Fault| self.simulator.order(FaultOrder::once(fault));
        let words = match fault {
            RehearsalFault::Expiry => {
                order(Fault::ExpireAccess);
                "The access token ends now."
            }
            RehearsalFault::Reuse => {
                order(Fault::ReuseRefresh);
                order(Fault::ExpireAccess);
                "Somebody else used the refresh token first, and the access token ends now."
            }
            RehearsalFault::LostAnswer => {
                order(Fault::LoseAfter);
                order(Fault::ExpireAccess);
                "The access token ends now, and the answer of the next renewal will be lost after the provider acted."
            }
            RehearsalFault::RateLimit => {
                self.simulator.order(FaultOrder::once(Fault::Status { code: 429, retry_after: Some(1) }).at_api());
                "The next call will be answered with 429."
            }
            RehearsalFault::Outage => {
                order(Fault::Outage { seconds: 60 });
                "The provider is out for a minute of the rehearsal's clock."
            }
            RehearsalFault::Slow => {
                self.simulator.order(FaultOrder::once(Fault::Slow { ms: 2000 }).at_api());
                "The next answer will take two seconds."
            }
            RehearsalFault::RefuseWindow => {
                order(Fault::RefuseWindow);
                "The next page will refuse to be shown in a window of an application."
            }
            RehearsalFault::Revoke => {
                order(Fault::RevokeGrant);
                "The person takes the grant back at the provider."
            }
            RehearsalFault::Hour => self.pass(3600, "An hour passes."),
            RehearsalFault::Quarter => self.pass(90 * 24 * 3600, "Ninety days pass."),
        };
        self.say(RehearsalActor::Director, true, words);
        Ok(())
    }

    fn pass(&self, seconds: i64, words: &'static str) -> &'static str {
        self.clock.0.fetch_add(seconds * 1_000_000, Ordering::SeqCst);
        words
    }
}

fn is_consent(way: &CredentialOption) -> bool {
    matches!(way.auth, Auth::Consent { .. })
}

/// The fields of a key that is made at the provider.
fn issued(simulator: &Simulator, provider: &Provider, way: &CredentialOption) -> Result<Map<String, Value>, Problem> {
    let key = simulator.issue(provider.id(), &way.word).ok_or_else(|| Problem::internal("the provider of a rehearsal makes no such key"))?;
    Ok(key.fields)
}

/// A configuration that the simulated provider goes by, with this credential in it.
fn config(provider: &Provider, way: &CredentialOption, fields: Option<&Map<String, Value>>) -> Value {
    let mut config = sample_config_of(provider.manifest(), way);
    config.insert("type".to_owned(), provider.id().as_str().into());
    let mut credential = fields.cloned().unwrap_or_default();
    credential.insert("type".to_owned(), way.word.as_str().into());
    config.insert("credential".to_owned(), Value::Object(credential));
    Value::Object(config)
}

/// The organization registers itself, as an administrator would.
async fn register(engine: &Engine, grant: &ManagementGrant, simulator: &Simulator, provider: &Provider, way: &CredentialOption) -> Result<(), Problem> {
    let Auth::Consent { server: name, .. } = &way.auth else { return Ok(()) };
    let server = provider.server(name).ok_or_else(|| Problem::internal("a way to authenticate names a server that is not in the manifest"))?;
    let setup = simulator.setup_at(provider.id(), name).ok_or_else(|| Problem::internal("the provider of a rehearsal is not simulated"))?;
    let config = sample_config_of(provider.manifest(), way);
    let issuer = provider.home(server, &provider.values(&config, &std::collections::BTreeMap::new(), &std::collections::BTreeMap::new()))?;
    let app = CreateProviderApp {
        name: Some(ACCOUNT.to_owned()),
        fullname: None,
        provider: provider.id().to_string(),
        issuer,
        client_id: setup.client_id.clone(),
        client_secret: (server.client_auth != [ClientAuth::None]).then(|| Secret::new(setup.client_secret.as_str())),
        redirect_uris: vec![NOWHERE.to_owned(), LOOPBACK.to_owned()],
        scopes: Vec::new(),
        secret_expires: None,
    };
    provider_app::create(engine, grant, app).await.map(drop)
}

/// What stands on a page, without its tags.
fn words(page: &str) -> String {
    let (mut text, mut tag) = (String::new(), false);
    for letter in page.chars() {
        match letter {
            '<' => tag = true,
            '>' => {
                tag = false;
                text.push(' ');
            }
            _ if !tag => text.push(letter),
            _ => {}
        }
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(400).collect()
}
