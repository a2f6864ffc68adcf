//! Clients that speak for themselves: client credentials by secret and by key (RFC 6749 section 4.4, RFC 7523 section 2.2), and JWTs
//! that speak for somebody (RFC 7523 section 2.1). Their tokens live in memory alone.

use std::ops::Deref;

use patchbay_model::integration::{AttentionCause, Integration, IntegrationStatus};
use patchbay_model::{Code, Problem};
use serde_json::{Value, json};

use crate::office::Office;
use crate::peer::Peer;

const CLIENT: &str = "client_credentials";
const JWT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// The key of RFC 7515 appendix A.3, which no client of the peer has.
pub(crate) const FOREIGN: &str = r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"}"#;

/// A provider that takes tokens of clients; its authorization server is the peer.
pub(crate) const MANIFEST: &str = include_str!("service.toml");

struct World {
    peer: Peer,
    office: Office,
}

impl Deref for World {
    type Target = Office;

    fn deref(&self) -> &Office {
        &self.office
    }
}

impl World {
    async fn new() -> Self {
        Self { peer: Peer::start(), office: Office::new(&[("identity_service", MANIFEST)]).await }
    }

    fn config(&self, credential: Value) -> Value {
        json!({ "type": "identity_service", "url": self.peer.issuer, "subject": "ada", "credential": credential })
    }

    fn by_secret(&self, secret: &str) -> Value {
        self.config(json!({ "type": "o_auth_client", "client_id": self.peer.service_client().0, "client_secret": secret }))
    }

    async fn integration(&self, config: Value) -> Integration {
        self.make("service", config).await
    }

    /// A call: who the provider says the token is of.
    async fn who(&self, integration: &Integration) -> Result<Option<String>, Problem> {
        self.engine.probe(&self.current(integration).await).await.map(|outcome| outcome.id)
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
    assert_eq!(world.current(&integration).await.status, IntegrationStatus::Active);
    world.advance(3600 * 2 / 3 + 1);
    world.who(&integration).await.unwrap();
    assert_eq!(world.given(CLIENT).await, 2, "after two thirds of its life the next one is there");
    world.who(&integration).await.unwrap();
    assert_eq!(world.given(CLIENT).await, 2);

    // The provider ends it before its time: dropped, and got once more.
    world.peer.forget().await;
    assert_eq!(world.who(&integration).await.unwrap().as_deref(), Some("patchbay-service"));
    assert_eq!(world.given(CLIENT).await, 3);
    assert_eq!(world.current(&integration).await.status, IntegrationStatus::Active);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_still_works_is_used_up_while_the_provider_is_away() {
    let world = World::new().await;
    let integration = world.integration(world.by_secret(world.peer.service_client().1)).await;
    world.who(&integration).await.unwrap();
    world.peer.set(json!({ "refuse_tokens": 1 })).await;
    world.advance(3600 * 2 / 3 + 1);
    assert_eq!(world.who(&integration).await.unwrap().as_deref(), Some("patchbay-service"), "the old one is still good");
    world.advance(31);
    world.who(&integration).await.unwrap();
    assert_eq!(world.given(CLIENT).await, 2, "asked again after a rest");
    world.peer.set(json!({ "refuse_tokens": 1 })).await;
    world.advance(3600);
    let problem = world.who(&integration).await.unwrap_err();
    assert_eq!(problem.code, Code::ProviderUnreachable, "{}", problem.message);
    assert_eq!(world.who(&integration).await.unwrap().as_deref(), Some("patchbay-service"), "as soon as it is back");
    assert_eq!(world.current(&integration).await.status, IntegrationStatus::Active);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_secret_is_told_and_another_takes_its_place() {
    let world = World::new().await;
    let integration = world.integration(world.by_secret("not-the-client-secret")).await;
    let problem = world.who(&integration).await.unwrap_err();
    assert_eq!(problem.code, Code::ProviderRefused, "{}", problem.message);
    assert!(problem.message.contains("invalid_client") && !problem.message.contains("not-the-client-secret"), "{}", problem.message);
    assert_eq!(world.current(&integration).await.status, IntegrationStatus::NeedsAttention { cause: AttentionCause::CredentialRefused });
    world.change(&integration, world.by_secret(world.peer.service_client().1)).await;
    assert_eq!(world.who(&integration).await.unwrap().as_deref(), Some("patchbay-service"));
    assert_eq!(world.current(&integration).await.status, IntegrationStatus::Active, "the same integration");
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
    let outcome = world.engine.probe(&world.current(&integration).await).await.unwrap();
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
    for file in std::fs::read_dir(world.folder()).unwrap() {
        let path = file.unwrap().path();
        if path.is_file() {
            let bytes = std::fs::read(&path).unwrap();
            assert!(issued.iter().all(|token| !bytes.windows(token.len()).any(|window| window == token.as_bytes())), "{}", path.display());
        }
    }
}
