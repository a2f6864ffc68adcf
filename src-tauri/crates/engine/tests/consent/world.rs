//! The test world: an organization with a client at an authorization server, and an integration that waits for consent.

use std::ops::Deref;

use patchbay_engine::consent::{self, BeginConsent, Begun, Platform, SwitchConsent};
use patchbay_model::consent::{ConnectLeg, ConnectSession, ConsentRoute};
use patchbay_model::integration::Integration;
use patchbay_model::{Problem, Scope};
use patchbay_providers::Catalog;
use serde_json::json;
use url::Url;

use crate::cluster::{Cluster, Database, LOGIN};
use crate::office::Office;
use crate::peer::Peer;
use crate::person;

/// The callback address of the server that serves the store, where one does.
pub(crate) const SERVED: &str = "http://127.0.0.1:4711/oauth/callback";
pub(crate) const REDIRECT_URI: &str = "http://127.0.0.1:4711/oauth/callback";

pub(crate) struct World {
    pub(crate) peer: Peer,
    pub(crate) integration: Integration,
    office: Office,
}

impl Deref for World {
    type Target = Office;

    fn deref(&self) -> &Office {
        &self.office
    }
}

/// Which client the organization has at the provider.
pub(crate) enum Client {
    Public,
    Confidential,
    /// Confidential, at a provider that takes its secret in the form alone.
    Posting,
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

    /// With other manifests than those that are built in.
    pub(crate) async fn of_manifests(client: Client, manifests: &[(&str, &str)]) -> Self {
        Self::made(client, Catalog::of_manifests(manifests).unwrap(), None).await
    }

    async fn at(client: Client, database: Option<Database>) -> Self {
        Self::made(client, Catalog::builtin().unwrap(), database).await
    }

    async fn made(client: Client, catalog: Catalog, database: Option<Database>) -> Self {
        let peer = match client {
            Client::Pushing | Client::PushingSecretly | Client::PushingWithWrongSecret => Peer::start_pushed(),
            Client::Posting => Peer::start_posting(),
            _ => Peer::start(),
        };
        let office = Office::at(catalog, database).await;
        let (confidential, secret) = peer.confidential_client();
        let (client_id, client_secret) = match client {
            Client::Public => (peer.public_client(), None),
            Client::Confidential | Client::Posting | Client::PushingSecretly => (confidential, Some(secret)),
            Client::Pushing => (peer.pushing_client(), None),
            Client::PushingWithWrongSecret | Client::WithWrongSecret => (confidential, Some("not-the-client-secret")),
            Client::Signing(algorithm) => {
                let (id, key) = peer.signing_client(algorithm);
                (id, Some(key))
            }
            Client::Device => (peer.device_client(), None),
        };
        office.register(&peer.issuer, client_id, client_secret, &["http://127.0.0.1/oauth/callback", SERVED]).await;
        let integration = office.make("sign-in", json!({ "type": "identity_openid", "issuer": peer.issuer, "credential": { "type": "o_auth_user" } })).await;
        Self { peer, integration, office }
    }

    pub(crate) fn scope(&self) -> Scope {
        Scope::Account(self.integration.organization_id, self.integration.account_id)
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
        self.current(&self.integration).await
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
