//! The test world: a store in a temporary folder, a clock that runs with the machine's and can be moved ahead, and an
//! integration that waits for consent.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use patchbay_engine::account::CreateAccount;
use patchbay_engine::consent::{self, BeginConsent, Begun, Platform, SwitchConsent};
use patchbay_engine::installation::{self, StoreUrl};
use patchbay_engine::integration::CreateIntegration;
use patchbay_engine::provider_app::CreateProviderApp;
use patchbay_engine::{Engine, ManagementGrant, NetworkPolicy};
use patchbay_model::consent::{ConnectLeg, ConnectSession, ConsentRoute};
use patchbay_model::integration::Integration;
use patchbay_model::{Clock, Context, OrganizationId, Origin, Problem, Scope, Secret, Timestamp};
use patchbay_store::Store;
use patchbay_vault::{KeyAccess, KeySource, OsEntropy, SystemClock};
use serde_json::json;
use url::Url;

use crate::cluster::{ADMINISTRATOR, Cluster, Database, LOGIN};
use crate::peer::Peer;
use crate::person;

/// Runs with the machine's clock, and some time ahead of it.
pub(crate) struct MovedClock(AtomicI64);

impl MovedClock {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(0)))
    }

    pub(crate) fn advance(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1_000_000, Ordering::SeqCst);
    }
}

impl Clock for MovedClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix_micros(SystemClock.now().unix_micros() + self.0.load(Ordering::SeqCst)).unwrap()
    }
}

/// The callback address of the server that serves the store, where one does.
pub(crate) const SERVED: &str = "http://127.0.0.1:4711/oauth/callback";
pub(crate) const REDIRECT_URI: &str = "http://127.0.0.1:4711/oauth/callback";

pub(crate) struct World {
    pub(crate) peer: Peer,
    pub(crate) engine: Engine,
    pub(crate) grant: ManagementGrant,
    pub(crate) integration: Integration,
    organization: OrganizationId,
    clock: Arc<MovedClock>,
    context: Context,
    place: Place,
}

/// A store, and the key beside it.
struct Place {
    folder: tempfile::TempDir,
    database: Option<Database>,
}

impl Place {
    fn store(&self) -> StoreUrl {
        match &self.database {
            Some(database) => database.url(LOGIN).parse().unwrap(),
            None => StoreUrl::Sqlite(self.folder.path().join("store.db")),
        }
    }

    fn keys(&self) -> KeyAccess {
        KeyAccess::from(KeySource::File(self.folder.path().join("store.key")))
    }

    async fn open(&self, context: Context) -> Engine {
        installation::open(&self.store(), &self.keys(), context, NetworkPolicy { allow_private: true, rehearsal: None }, Origin::Desktop).await.unwrap()
    }
}

/// Which client the organization has at the provider.
pub(crate) enum Client {
    Public,
    Confidential,
    /// Confidential, with a client secret that is not the one.
    WithWrongSecret,
    /// Public, and its requests must be pushed.
    Pushing,
    /// Confidential, at a provider that takes pushed requests.
    PushingSecretly,
    /// The same with a client secret that is not the one.
    PushingWithWrongSecret,
    /// With a private key for this algorithm in place of a secret.
    Signing(&'static str),
    /// Public, and without pages: a person enters a code elsewhere.
    Device,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(Client::Public).await
    }

    pub(crate) async fn with(client: Client) -> Self {
        Self::at(client, None).await
    }

    /// A store in PostgreSQL.
    pub(crate) async fn on_server() -> Self {
        Self::at(Client::Public, Some(Cluster::get().empty(LOGIN))).await
    }

    async fn at(client: Client, database: Option<Database>) -> Self {
        let pushed = matches!(client, Client::Pushing | Client::PushingSecretly | Client::PushingWithWrongSecret);
        let peer = if pushed { Peer::start_pushed() } else { Peer::start() };
        let place = Place { folder: tempfile::tempdir().unwrap(), database };
        let clock = MovedClock::new();
        let context = Context::new(clock.clone(), Arc::new(OsEntropy));
        let (engine, created) = installation::create(&place.store(), &place.keys(), "Acme Tools", context.clone()).await.unwrap();
        engine.shutdown().await;
        drop(engine);
        let engine = place.open(context.clone()).await;
        let organization = created.organization.id;
        let grant = engine.local_grant(organization, Origin::Desktop).await.unwrap();
        let account = patchbay_engine::account::create(&engine, &grant, CreateAccount { name: Some("globex".to_owned()), ..CreateAccount::default() }).await.unwrap().account;
        let (confidential, secret) = peer.confidential_client();
        let (client_id, client_secret) = match client {
            Client::Public => (peer.public_client(), None),
            Client::Confidential => (confidential, Some(Secret::new(secret))),
            Client::Pushing => (peer.pushing_client(), None),
            Client::PushingSecretly => (confidential, Some(Secret::new(secret))),
            Client::PushingWithWrongSecret => (confidential, Some(Secret::new("not-the-client-secret"))),
            Client::Signing(algorithm) => {
                let (id, key) = peer.signing_client(algorithm);
                (id, Some(Secret::new(key)))
            }
            Client::Device => (peer.device_client(), None),
            Client::WithWrongSecret => (confidential, Some(Secret::new("not-the-client-secret"))),
        };
        let app = CreateProviderApp {
            name: Some("our-client".to_owned()),
            fullname: None,
            provider: "identity_openid".to_owned(),
            issuer: Some(peer.issuer.clone()),
            client_id: client_id.to_owned(),
            client_secret,
            redirect_uris: vec!["http://127.0.0.1/oauth/callback".to_owned(), SERVED.to_owned()],
            scopes: Vec::new(),
            secret_expires: None,
        };
        patchbay_engine::provider_app::create(&engine, &grant, app).await.unwrap();
        let config = json!({ "type": "identity_openid", "issuer": peer.issuer, "credential": { "type": "o_auth_user" } });
        let new = CreateIntegration { name: Some("sign-in".to_owned()), provider_config: config, ..CreateIntegration::default() };
        let integration = patchbay_engine::integration::create(&engine, &grant, account.id.to_string().as_str(), new).await.unwrap().integration;
        Self { peer, engine, grant, integration, organization, clock, context, place }
    }

    /// Another process's view of the same store.
    pub(crate) async fn second_engine(&self) -> Engine {
        self.place.open(self.context.clone()).await
    }

    /// The same on a machine whose clock is so many seconds ahead of the others'.
    pub(crate) async fn second_engine_ahead(&self, seconds: i64) -> Engine {
        let clock = MovedClock(AtomicI64::new(self.clock.0.load(Ordering::SeqCst) + seconds * 1_000_000));
        self.place.open(Context::new(Arc::new(clock), Arc::new(OsEntropy))).await
    }

    /// Runs a statement in the database as its administrator.
    pub(crate) fn psql(&self, sql: &str) -> String {
        self.place.database.as_ref().expect("the store is in a database").psql(ADMINISTRATOR, sql).unwrap()
    }

    /// The store itself, past the engine.
    pub(crate) async fn bare_store(&self) -> Store {
        Store::open(self.place.store().file().unwrap()).await.unwrap()
    }

    pub(crate) fn scope(&self) -> Scope {
        Scope::Account(self.organization, self.integration.account_id)
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.context.now()
    }

    pub(crate) fn advance(&self, seconds: i64) {
        self.clock.advance(seconds);
    }

    pub(crate) async fn begin(&self, route: ConsentRoute) -> Begun {
        self.try_begin(Some(route), Some(REDIRECT_URI)).await.unwrap()
    }

    pub(crate) async fn try_begin(&self, route: Option<ConsentRoute>, redirect_uri: Option<&str>) -> Result<Begun, Problem> {
        let platform = Platform { window: true, browser: true };
        let begin = BeginConsent { integration: self.integration.id, route, platform, redirect_uri: redirect_uri.map(str::to_owned), end_user: None };
        consent::begin(&self.engine, &self.grant, begin).await
    }

    pub(crate) async fn switch(&self, begun: &Begun, route: ConsentRoute, redirect_uri: Option<&str>) -> Result<Begun, Problem> {
        let switch = SwitchConsent { route: Some(route), redirect_uri: redirect_uri.map(str::to_owned), platform: Platform::default() };
        consent::switch(&self.engine, &self.grant, begun.session.id, switch).await
    }

    pub(crate) async fn legs(&self, begun: &Begun) -> Vec<ConnectLeg> {
        self.bare_store().await.read(self.scope()).await.unwrap().connect_legs(begun.session.id).await.unwrap()
    }

    /// A person enters the code that is shown.
    pub(crate) async fn person_at_device(&self, begun: &Begun, allow: bool) {
        person::enter(begun.device.as_ref().expect("a code is shown"), self.peer.password(), allow).await;
    }

    /// The address with which the provider sends the person back.
    pub(crate) async fn person(&self, begun: &Begun, allow: bool) -> Url {
        person::consent(begun.authorize_url.as_ref().expect("the leg is open"), self.peer.password(), allow).await
    }

    pub(crate) async fn finish(&self, begun: &Begun, callback: &str) -> Result<ConnectSession, Problem> {
        consent::finish(&self.engine, &self.grant, begun.session.id, callback).await
    }

    pub(crate) async fn session(&self, begun: &Begun) -> ConnectSession {
        consent::get(&self.engine, &self.grant, begun.session.id).await.unwrap()
    }

    /// A whole consent.
    pub(crate) async fn connect(&self) {
        let begun = self.begin(ConsentRoute::Browser).await;
        let callback = self.person(&begun, true).await;
        self.finish(&begun, callback.as_str()).await.unwrap();
    }

    pub(crate) async fn now_integration(&self) -> Integration {
        patchbay_engine::integration::get(&self.engine, &self.grant, &self.integration.account_id.to_string(), &self.integration.id.to_string()).await.unwrap()
    }

    /// A call with the tokens: the provider's userinfo.
    pub(crate) async fn userinfo(&self) -> Result<Option<String>, Problem> {
        self.engine.probe(&self.integration).await.map(|outcome| outcome.name)
    }
}

/// `url` with the value of one parameter changed; removed where there is no new one.
pub(crate) fn altered(url: &Url, name: &str, value: Option<&str>) -> String {
    let kept: Vec<(String, String)> = url.query_pairs().into_owned().filter(|(known, _)| known != name).collect();
    let mut altered = url.clone();
    altered.query_pairs_mut().clear().extend_pairs(kept).extend_pairs(value.map(|value| (name, value)));
    altered.into()
}
