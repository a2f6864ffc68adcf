//! Authorization servers that do what a sound one never does.

use patchbay_engine::consent::{self, BeginConsent, Begun, Platform};
use patchbay_engine::provider_app::CreateProviderApp;
use patchbay_model::consent::{ConnectState, ConsentRoute};
use patchbay_model::integration::{AttentionCause, Integration, IntegrationStatus};
use patchbay_model::{Code, Problem, Secret};
use serde_json::{Value, json};

use crate::stand_in::StandIn;
use crate::world::World;

const CLIENT_SECRET: &str = "planted-client-secret-0123456789";
const CODE: &str = "planted-code-0123456789";
const TOKEN: &str = "planted-access-token-0123456789";

struct Forged {
    world: World,
    stand_in: StandIn,
    integration: Integration,
}

impl Forged {
    async fn new() -> Self {
        let (world, stand_in) = (World::new().await, StandIn::new().await);
        let app = CreateProviderApp {
            name: Some("our-client".to_owned()),
            fullname: None,
            provider: "identity_openid".to_owned(),
            issuer: Some(stand_in.url.clone()),
            client_id: "us".to_owned(),
            client_secret: Some(Secret::new(CLIENT_SECRET)),
            redirect_uris: Vec::new(),
            scopes: Vec::new(),
            secret_expires: None,
        };
        patchbay_engine::provider_app::create(&world.engine, &world.grant, app).await.unwrap();
        let config = json!({ "type": "identity_openid", "issuer": stand_in.url, "credential": { "type": "o_auth_user" } });
        let integration = world.integration(config, None).await.integration;
        Self { world, stand_in, integration }
    }

    /// The token endpoint and userinfo answer like this; the metadata is sound.
    fn answers(&self, token: impl Fn(&str) -> (u16, String) + Send + Sync + 'static, userinfo: (u16, Value)) {
        let url = self.stand_in.url.clone();
        self.stand_in.answers(move |request| match request.split([' ', '?']).nth(1).unwrap_or_default() {
            "/.well-known/openid-configuration" => (
                200,
                json!({ "issuer": url, "authorization_endpoint": format!("{url}/auth"), "token_endpoint": format!("{url}/token"), "userinfo_endpoint": format!("{url}/userinfo") })
                    .to_string(),
            ),
            "/token" => token(request),
            "/userinfo" => (userinfo.0, userinfo.1.to_string()),
            _ => (404, "{}".to_owned()),
        });
    }

    async fn begin(&self) -> Result<Begun, Problem> {
        let begin = BeginConsent { integration: self.integration.id, route: Some(ConsentRoute::Window), platform: Platform::default(), redirect_uri: None, end_user: None };
        consent::begin(&self.world.engine, &self.world.grant, begin).await
    }

    /// The person allows at once.
    async fn connect(&self) -> (Begun, Result<patchbay_model::consent::ConnectSession, Problem>) {
        let begun = self.begin().await.unwrap();
        let state = begun.authorize_url.as_ref().unwrap().query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
        let callback = format!("{}?code={CODE}&state={state}", begun.session.redirect_uri);
        let outcome = consent::finish(&self.world.engine, &self.world.grant, begun.session.id, &callback).await;
        (begun, outcome)
    }
}

fn granted() -> (u16, String) {
    // No token_type, no lifetime, scopes as a list: real providers do all of this.
    (200, json!({ "access_token": TOKEN, "scope": ["openid", "profile"] }).to_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_loose_answer_is_understood() {
    let forged = Forged::new().await;
    forged.answers(|_| granted(), (200, json!({ "sub": "7" })));
    let (_, outcome) = forged.connect().await;
    assert_eq!((outcome.as_ref().unwrap().state, outcome.unwrap().message.as_deref()), (ConnectState::Completed, Some("Authorized by 7.")));
    assert_eq!(forged.world.now().await.status, IntegrationStatus::Active);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_token_endpoint_quotes_is_not_passed_on() {
    let forged = Forged::new().await;
    forged.answers(|request| (400, json!({ "error": "invalid_request", "error_description": request }).to_string()), (500, json!({})));
    let (begun, outcome) = forged.connect().await;
    let problem = outcome.unwrap_err();
    assert_eq!(problem.code, Code::ProviderRefused);
    let session = consent::get(&forged.world.engine, &forged.world.grant, begun.session.id).await.unwrap();
    let token_request = forged.stand_in.seen.lock().unwrap().iter().find(|request| request.starts_with("POST /token")).cloned().unwrap();
    assert!(token_request.contains(CODE) && token_request.contains("code_verifier="), "{token_request}");
    let verifier = token_request.split("code_verifier=").nth(1).unwrap().split('&').next().unwrap();
    let shown = format!("{problem:?}{session:?}");
    assert!(!shown.contains(CODE) && !shown.contains(CLIENT_SECRET) && !shown.contains(verifier), "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_neither_tokens_nor_an_error_is_told() {
    let forged = Forged::new().await;
    for answer in [(200, "<html>"), (200, "[]"), (200, r#"{"access_token":""}"#), (302, ""), (500, "oops")] {
        forged.answers(move |_| (answer.0, answer.1.to_owned()), (500, json!({})));
        let (_, outcome) = forged.connect().await;
        assert_eq!(outcome.unwrap_err().code, Code::ProviderInvalidAnswer, "{answer:?}");
    }
    assert_eq!(forged.world.now().await.status, IntegrationStatus::AwaitingConsent);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_refused_at_once_is_not_kept() {
    let forged = Forged::new().await;
    forged.answers(|_| granted(), (401, json!({ "error": "invalid_token", "error_description": TOKEN })));
    let (_, outcome) = forged.connect().await;
    let problem = outcome.unwrap_err();
    assert!(problem.code == Code::ProviderRefused && problem.message.contains("`our-client`") && !format!("{problem:?}").contains(TOKEN), "{problem:?}");
    assert_eq!(forged.world.now().await.status, IntegrationStatus::AwaitingConsent);
    assert!(forged.world.engine.probe(&forged.integration).await.is_err(), "nothing was stored");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_fails_at_the_proof_does_not_cost_the_consent() {
    let forged = Forged::new().await;
    forged.answers(|_| granted(), (500, json!({})));
    let (_, outcome) = forged.connect().await;
    let session = outcome.unwrap();
    assert!(session.state == ConnectState::Completed && session.message.as_deref().is_some_and(|message| message.contains("could not be tested")), "{session:?}");
    assert_eq!(forged.world.now().await.status, IntegrationStatus::NeedsAttention { cause: AttentionCause::ProviderUnreachable });
    forged.answers(|_| granted(), (200, json!({ "sub": "7", "name": "Seven" })));
    assert_eq!(forged.world.engine.probe(&forged.integration).await.unwrap().name.as_deref(), Some("Seven"));
    assert_eq!(forged.world.now().await.status, IntegrationStatus::Active);
}

#[tokio::test(flavor = "multi_thread")]
async fn metadata_in_anothers_name_is_not_used() {
    let forged = Forged::new().await;
    for metadata in [
        json!({ "issuer": "https://login.example.com", "authorization_endpoint": "https://x.test/a", "token_endpoint": "https://x.test/t" }),
        json!({ "issuer": forged.stand_in.url, "authorization_endpoint": "javascript:alert(1)", "token_endpoint": "https://x.test/t" }),
        json!({ "issuer": forged.stand_in.url }),
        json!([]),
    ] {
        let body = metadata.to_string();
        forged.stand_in.answers(move |_| (200, body.clone()));
        let problem = forged.begin().await.err().unwrap();
        assert!(matches!(problem.code, Code::InvalidConfig | Code::ProviderInvalidAnswer), "{metadata}: {}", problem.message);
    }
}
