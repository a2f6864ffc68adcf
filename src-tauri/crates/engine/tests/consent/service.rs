//! Clients that speak for themselves: client credentials by secret and by key (RFC 6749 section 4.4, RFC 7523 section 2.2), and JWTs
//! that speak for somebody (RFC 7523 section 2.1). Their tokens live in memory alone.

use std::sync::Arc;

use patchbay_engine::account::CreateAccount;
use patchbay_engine::installation::{self, StoreUrl};
use patchbay_engine::integration::{self, CreateIntegration, UpdateIntegration};
use patchbay_engine::{Engine, ManagementGrant, NetworkPolicy};
use patchbay_model::integration::{AttentionCause, Integration, IntegrationStatus};
use patchbay_model::{Code, Context, Origin, Problem};
use patchbay_providers::Catalog;
use patchbay_vault::{KeyAccess, KeySource, OsEntropy};
use serde_json::{Value, json};

use crate::peer::Peer;
use crate::world::MovedClock;

const CLIENT: &str = "client_credentials";
const JWT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// The key of RFC 7515 appendix A.3, which no client of the peer has.
const FOREIGN: &str = r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"}"#;

/// A provider that takes tokens of clients; its authorization server is the peer.
const MANIFEST: &str = include_str!("service.toml");

struct World {
    peer: Peer,
    engine: Engine,
    grant: ManagementGrant,
    account: String,
    clock: Arc<MovedClock>,
    folder: tempfile::TempDir,
}

impl World {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (store, keys) = (StoreUrl::Sqlite(folder.path().join("store.db")), KeyAccess::from(KeySource::File(folder.path().join("store.key"))));
        let clock = MovedClock::new();
        let context = Context::new(clock.clone(), Arc::new(OsEntropy));
        let (engine, created) = installation::create(&store, &keys, "Acme Tools", context.clone()).await.unwrap();
        engine.shutdown().await;
        drop(engine);
        let catalog = Catalog::of_manifests(&[("identity_service", MANIFEST)]).unwrap();
        let network = NetworkPolicy { allow_private: true, rehearsal: None };
        let engine = installation::open_with(&store, &keys, catalog, context, network, Origin::Desktop).await.unwrap();
        let grant = engine.local_grant(created.organization.id, Origin::Desktop).await.unwrap();
        let new = CreateAccount { name: Some("globex".to_owned()), ..CreateAccount::default() };
        let account = patchbay_engine::account::create(&engine, &grant, new).await.unwrap().account.id.to_string();
        Self { peer: Peer::start(), engine, grant, account, clock, folder }
    }

    fn config(&self, credential: Value) -> Value {
        json!({ "type": "identity_service", "url": self.peer.issuer, "subject": "ada", "credential": credential })
    }

    fn by_secret(&self, secret: &str) -> Value {
        self.config(json!({ "type": "o_auth_client", "client_id": self.peer.service_client().0, "client_secret": secret }))
    }

    async fn integration(&self, config: Value) -> Integration {
        let new = CreateIntegration { name: Some("service".to_owned()), provider_config: config, ..CreateIntegration::default() };
        integration::create(&self.engine, &self.grant, &self.account, new).await.unwrap().integration
    }

    async fn change(&self, integration: &Integration, config: Value) {
        let change = UpdateIntegration { provider_config: config, ..UpdateIntegration::default() };
        integration::update(&self.engine, &self.grant, &self.account, &integration.id.to_string(), change).await.unwrap();
    }

    async fn now(&self, integration: &Integration) -> Integration {
        integration::get(&self.engine, &self.grant, &self.account, &integration.id.to_string()).await.unwrap()
    }

    /// A call: who the provider says the token is of.
    async fn who(&self, integration: &Integration) -> Result<Option<String>, Problem> {
        self.engine.probe(&self.now(integration).await).await.map(|outcome| outcome.id)
    }

    async fn given(&self, grant_type: &str) -> usize {
        self.peer.asked(grant_type).await.len()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_gets_one_token_and_the_next_in_time() {
    let world = World::new().await;
    let integration = world.integration(world.by_secret(world.peer.service_client().1)).await;
    let wanting: Vec<_> = (0..12)
        .map(|_| {
            let (engine, integration) = (world.engine.clone(), integration.clone());
            tokio::spawn(async move { engine.probe(&integration).await.map(|outcome| outcome.id) })
        })
        .collect();
    for task in wanting {
        assert_eq!(task.await.unwrap().unwrap().as_deref(), Some("patchbay-service"));
    }
    assert_eq!(world.given(CLIENT).await, 1, "one asks for all");
    assert_eq!(world.now(&integration).await.status, IntegrationStatus::Active);
    world.clock.advance(3600 * 2 / 3 + 1);
    world.who(&integration).await.unwrap();
    assert_eq!(world.given(CLIENT).await, 2, "after two thirds of its life the next one is there");
    world.who(&integration).await.unwrap();
    assert_eq!(world.given(CLIENT).await, 2);

    // The provider ends it before its time: dropped, and got once more.
    world.peer.forget().await;
    assert_eq!(world.who(&integration).await.unwrap().as_deref(), Some("patchbay-service"));
    assert_eq!(world.given(CLIENT).await, 3);
    assert_eq!(world.now(&integration).await.status, IntegrationStatus::Active);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_still_works_is_used_up_while_the_provider_is_away() {
    let world = World::new().await;
    let integration = world.integration(world.by_secret(world.peer.service_client().1)).await;
    world.who(&integration).await.unwrap();
    world.peer.set(json!({ "refuse_tokens": 1 })).await;
    world.clock.advance(3600 * 2 / 3 + 1);
    assert_eq!(world.who(&integration).await.unwrap().as_deref(), Some("patchbay-service"), "the old one is still good");
    world.clock.advance(31);
    world.who(&integration).await.unwrap();
    assert_eq!(world.given(CLIENT).await, 2, "asked again after a rest");
    world.peer.set(json!({ "refuse_tokens": 1 })).await;
    world.clock.advance(3600);
    let problem = world.who(&integration).await.unwrap_err();
    assert_eq!(problem.code, Code::ProviderUnreachable, "{}", problem.message);
    assert_eq!(world.who(&integration).await.unwrap().as_deref(), Some("patchbay-service"), "as soon as it is back");
    assert_eq!(world.now(&integration).await.status, IntegrationStatus::Active);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_secret_is_told_and_another_takes_its_place() {
    let world = World::new().await;
    let integration = world.integration(world.by_secret("not-the-client-secret")).await;
    let problem = world.who(&integration).await.unwrap_err();
    assert_eq!(problem.code, Code::ProviderRefused, "{}", problem.message);
    assert!(problem.message.contains("invalid_client") && !problem.message.contains("not-the-client-secret"), "{}", problem.message);
    assert_eq!(world.now(&integration).await.status, IntegrationStatus::NeedsAttention { cause: AttentionCause::CredentialRefused });
    world.change(&integration, world.by_secret(world.peer.service_client().1)).await;
    assert_eq!(world.who(&integration).await.unwrap().as_deref(), Some("patchbay-service"));
    assert_eq!(world.now(&integration).await.status, IntegrationStatus::Active, "the same integration");
    // What was got with a secret is not used with another.
    world.change(&integration, world.by_secret("another-that-is-wrong")).await;
    assert_eq!(world.who(&integration).await.unwrap_err().code, Code::ProviderRefused);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_signs_for_the_client_and_for_somebody() {
    let world = World::new().await;
    let (id, key) = world.peer.assertion_client();
    let integration = world.integration(world.config(json!({ "type": "o_auth_client", "client_id": id, "client_secret": key }))).await;
    assert_eq!(world.who(&integration).await.unwrap().as_deref(), Some("patchbay-assertion"), "in place of a secret");
    let speaking = world.config(json!({ "type": "o_auth_jwt", "client_id": id, "client_secret": key }));
    world.change(&integration, speaking).await;
    let outcome = world.engine.probe(&world.now(&integration).await).await.unwrap();
    assert_eq!((outcome.id.as_deref(), outcome.name.as_deref()), (Some("patchbay-assertion"), Some("ada")), "for whom the configuration names");
    assert_eq!((world.given(CLIENT).await, world.given(JWT).await), (1, 1));
    world.peer.forget().await;
    world.who(&integration).await.unwrap();
    assert_eq!(world.given(JWT).await, 2, "got once more, with a new assertion");

    // A key of somebody else, and a text that is no key.
    world.change(&integration, world.config(json!({ "type": "o_auth_jwt", "client_id": id, "client_secret": FOREIGN }))).await;
    let problem = world.who(&integration).await.unwrap_err();
    assert_eq!(problem.code, Code::ProviderRefused, "{}", problem.message);
    assert!(problem.message.contains("invalid_grant"), "{}", problem.message);
    world.change(&integration, world.config(json!({ "type": "o_auth_jwt", "client_id": id, "client_secret": "PLANTED" }))).await;
    let problem = world.who(&integration).await.unwrap_err();
    assert!(problem.code == Code::InvalidConfig && !problem.message.contains("PLANTED"), "{:?}: {}", problem.code, problem.message);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_it_lies_at_rest() {
    let world = World::new().await;
    let integration = world.integration(world.by_secret(world.peer.service_client().1)).await;
    world.who(&integration).await.unwrap();
    let issued = world.peer.issued().await;
    assert!(!issued.is_empty(), "a token has passed");
    world.engine.shutdown().await;
    for file in std::fs::read_dir(world.folder.path()).unwrap() {
        let path = file.unwrap().path();
        if path.is_file() {
            let bytes = std::fs::read(&path).unwrap();
            assert!(issued.iter().all(|token| !bytes.windows(token.len()).any(|window| window == token.as_bytes())), "{}", path.display());
        }
    }
}
