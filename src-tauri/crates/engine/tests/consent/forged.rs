//! Answers that no sound provider gives, at every grant: each ends in a problem that says what happened, and leaves everything as it was.

use std::ops::Deref;

use patchbay_engine::consent::{self, BeginConsent, Begun, Platform};
use patchbay_engine::integration;
use patchbay_model::consent::{ConnectSession, ConnectState, ConsentRoute};
use patchbay_model::integration::{Integration, IntegrationStatus};
use patchbay_model::refresh::RefreshStep;
use patchbay_model::{Code, Problem};
use serde_json::json;
use url::Url;

use crate::office::Office;
use crate::peer::Peer;
use crate::service;
use crate::world::REDIRECT_URI;

/// What can be done to an answer, and what a grant then ends in: it was no answer at all (lost on the way), or one of which nothing can
/// be made, or a refusal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Seen {
    Lost,
    Nonsense,
    Refusal,
}

/// Each way to spoil an answer (tests/peers/forged.mjs).
const FORGERIES: [(&str, Seen); 12] = [
    ("html", Seen::Nonsense),
    ("html_400", Seen::Nonsense),
    ("error_200", Seen::Refusal),
    ("large", Seen::Lost),
    ("empty", Seen::Nonsense),
    ("truncated", Seen::Lost),
    ("cut", Seen::Nonsense),
    ("picture", Seen::Nonsense),
    ("array", Seen::Nonsense),
    ("nul", Seen::Nonsense),
    ("number", Seen::Nonsense),
    ("nothing", Seen::Lost),
];

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
        let office = Office::new(&[("identity_openid", include_str!("../../../providers/catalog/identity_openid.toml")), ("identity_service", service::MANIFEST)]).await;
        let peer = Peer::forging();
        office.register(&peer.issuer, peer.public_client(), None, &[REDIRECT_URI]).await;
        Self { peer, office }
    }

    /// One that a person connects.
    async fn awaiting(&self) -> Integration {
        self.make("forged", json!({ "type": "identity_openid", "issuer": self.peer.issuer, "credential": { "type": "o_auth_user" } })).await
    }

    async fn call(&self, integration: &Integration) -> Result<(), Problem> {
        self.engine.probe(&self.current(integration).await).await.map(drop)
    }

    async fn forge(&self, path: &str, how: &str, times: u32) {
        self.peer.post("forge", json!({ "path": path, "how": how, "times": times })).await;
    }

    async fn begin(&self, integration: &Integration, route: ConsentRoute) -> Result<Begun, Problem> {
        let platform = Platform { window: true, browser: true };
        let redirect_uri = (route != ConsentRoute::Device).then(|| REDIRECT_URI.to_owned());
        consent::begin(&self.engine, &self.grant, BeginConsent { integration: integration.id, route: Some(route), platform, redirect_uri, end_user: None }).await
    }

    /// The address with which the provider sends the person back: everybody agrees here.
    async fn person(&self, begun: &Begun) -> Url {
        let browser = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let answer = browser.get(begun.authorize_url.clone().unwrap()).send().await.unwrap();
        answer.headers()["location"].to_str().unwrap().parse().unwrap()
    }

    async fn finish(&self, begun: &Begun, callback: &Url) -> Result<ConnectSession, Problem> {
        consent::finish(&self.engine, &self.grant, begun.session.id, callback.as_str()).await
    }

    async fn connect(&self, integration: &Integration) {
        let begun = self.begin(integration, ConsentRoute::Browser).await.unwrap();
        let callback = self.person(&begun).await;
        assert_eq!(self.finish(&begun, &callback).await.unwrap().state, ConnectState::Completed);
    }

    async fn session(&self, begun: &Begun) -> ConnectSession {
        consent::get(&self.engine, &self.grant, begun.session.id).await.unwrap()
    }

    /// Nobody has authorized anything, and it can be tried again.
    async fn untouched(&self, integration: &Integration, how: &str) {
        assert_eq!(self.current(integration).await.status, IntegrationStatus::AwaitingConsent, "{how}");
        assert_eq!(self.call(integration).await.unwrap_err().code, Code::IntegrationNotActive, "{how}: there is no token");
    }
}

/// A problem that says what happened, in words of ours.
fn clear(how: &str, seen: Seen, problem: &Problem) {
    let expected: &[Code] = match seen {
        Seen::Lost => &[Code::ProviderUnreachable, Code::ProviderTimeout, Code::ProviderInvalidAnswer],
        Seen::Nonsense => &[Code::ProviderInvalidAnswer],
        Seen::Refusal => &[Code::ProviderRefused, Code::ProviderUnreachable],
    };
    assert!(expected.contains(&problem.code), "{how}: {:?}: {}", problem.code, problem.message);
    told(how, &problem.message);
}

fn told(how: &str, message: &str) {
    assert!(message.len() > 20 && message.len() < 600, "{how}: {message}");
    assert!(!message.contains("stolen") && !message.contains('<') && !message.contains('\u{0}'), "{how}: {message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_exchanged_for_nothing_but_tokens() {
    let world = World::new().await;
    let integration = world.awaiting().await;
    for (how, seen) in FORGERIES {
        let begun = world.begin(&integration, ConsentRoute::Browser).await.unwrap();
        let callback = world.person(&begun).await;
        world.forge("/token", how, 1).await;
        let problem = world.finish(&begun, &callback).await.unwrap_err();
        clear(how, seen, &problem);
        let session = world.session(&begun).await;
        assert_eq!((session.state, session.message.as_deref()), (ConnectState::Failed { code: problem.code }, Some(problem.message.as_str())), "{how}");
        world.untouched(&integration, how).await;
        assert_eq!(world.finish(&begun, &callback).await.unwrap_err().code, Code::ConsentReplayed, "{how}: a code is sent once");
    }
    world.connect(&integration).await;
    world.call(&integration).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewal_loses_nothing_and_the_journal_tells_what_is_known() {
    let world = World::new().await;
    let integration = world.awaiting().await;
    world.connect(&integration).await;
    for (how, seen) in FORGERIES {
        world.advance(3660);
        // Of an answer that was lost one more is asked for at once.
        world.forge("/token", how, 2).await;
        let problem = world.call(&integration).await.unwrap_err();
        told(how, &problem.message);
        assert!(matches!(problem.code, Code::ProviderUnreachable | Code::ProviderTimeout | Code::ProviderInvalidAnswer | Code::ProviderRefused), "{how}: {:?}", problem.code);
        assert_eq!(world.current(&integration).await.status, IntegrationStatus::Active, "{how}: no person is needed");
        let journal = integration::journal(&world.engine, &world.grant, &world.account, &integration.id.to_string()).await.unwrap();
        // A page with status 400 and an error were said by somebody who changed nothing; of everything else that is not known.
        let outcome = if seen == Seen::Refusal || how == "html_400" { RefreshStep::Unchanged } else { RefreshStep::Lost };
        assert_eq!(journal[0].outcome, outcome, "{how}");
        world.forge("/token", how, 0).await;
        world.call(&integration).await.unwrap_or_else(|problem| panic!("{how}: {:?}: {}", problem.code, problem.message));
        let journal = integration::journal(&world.engine, &world.grant, &world.account, &integration.id.to_string()).await.unwrap();
        assert_eq!(journal[0].outcome, RefreshStep::Proven, "{how}: with the same refresh token, as soon as the provider is well");
        let asked = journal[0].steps.iter().any(|taken| taken.step.step == RefreshStep::Introspected);
        assert_eq!(asked, outcome == RefreshStep::Lost, "{how}: the provider is asked whether the token is alive where that is in doubt");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_gets_no_token_out_of_anything_else() {
    let world = World::new().await;
    let config =
        json!({ "type": "identity_service", "url": world.peer.issuer, "credential": { "type": "o_auth_client", "client_id": "forged-client", "client_secret": "PLANTED" } });
    let integration = world.make("forged", config).await;
    for (how, seen) in FORGERIES {
        // What was got before has ended.
        world.advance(3660);
        world.forge("/token", how, 1).await;
        let problem = world.call(&integration).await.unwrap_err();
        clear(how, seen, &problem);
        assert!(!problem.message.contains("PLANTED"), "{how}: {}", problem.message);
        world.call(&integration).await.unwrap_or_else(|problem| panic!("{how}: {:?}: {}", problem.code, problem.message));
        assert_eq!(world.current(&integration).await.status, IntegrationStatus::Active, "{how}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_is_given_no_code_and_no_token_out_of_anything_else() {
    let world = World::new().await;
    let integration = world.awaiting().await;
    for (how, seen) in FORGERIES {
        world.forge("/device", how, 1).await;
        let problem = world.begin(&integration, ConsentRoute::Device).await.err().unwrap_or_else(|| panic!("{how} holds no code"));
        clear(how, seen, &problem);
        world.untouched(&integration, how).await;
    }
    world.peer.post("agree", json!({ "agreed": true })).await;
    for (how, seen) in FORGERIES {
        let begun = world.begin(&integration, ConsentRoute::Device).await.unwrap();
        world.advance(5);
        world.forge("/token", how, 1).await;
        let session = world.session(&begun).await;
        world.untouched(&integration, how).await;
        match seen {
            // Its part is done: whoever asked again would ask with a code that is used up.
            Seen::Nonsense => {
                assert_eq!(session.state, ConnectState::Failed { code: Code::ProviderInvalidAnswer }, "{how}");
                told(how, session.message.as_deref().unwrap());
            }
            Seen::Lost | Seen::Refusal => assert_eq!(session.state, ConnectState::Begun, "{how}: it is asked again later"),
        }
        // Those that have failed are over already.
        let _ = consent::cancel(&world.engine, &world.grant, begun.session.id).await;
    }
    let begun = world.begin(&integration, ConsentRoute::Device).await.unwrap();
    world.forge("/token", "nothing", 1).await;
    world.advance(5);
    assert_eq!(world.session(&begun).await.state, ConnectState::Begun);
    world.advance(10);
    assert_eq!(world.session(&begun).await.state, ConnectState::Completed);
    world.call(&integration).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn another_issuers_answer_and_one_that_says_two_things_are_refused() {
    let world = World::new().await;
    let integration = world.awaiting().await;
    let evil = "https://issuer.evil.example";
    // RFC 9207 section 2.4, for codes and errors alike; this issuer need not name itself, and if it does it must be itself.
    for forged in [json!({ "set": { "iss": evil } }), json!({ "set": { "iss": evil, "error": "access_denied" }, "drop": ["code"] })] {
        let begun = world.begin(&integration, ConsentRoute::Browser).await.unwrap();
        world.peer.post("redirect", forged.clone()).await;
        let callback = world.person(&begun).await;
        let problem = world.finish(&begun, &callback).await.unwrap_err();
        assert_eq!(problem.code, Code::ConsentIssuerMismatch, "{forged}: {}", problem.message);
        assert_eq!(world.session(&begun).await.state, ConnectState::Failed { code: Code::ConsentIssuerMismatch });
        world.untouched(&integration, "another issuer").await;
    }
    for twice in ["code", "state", "iss", "error"] {
        let begun = world.begin(&integration, ConsentRoute::Browser).await.unwrap();
        world.peer.post("redirect", json!({ "set": { "iss": world.peer.issuer, "error": "access_denied" }, "twice": { twice: "another" } })).await;
        let callback = world.person(&begun).await;
        let problem = world.finish(&begun, &callback).await.unwrap_err();
        assert_eq!(problem.code, Code::ConsentUnknown, "{callback}: {}", problem.message);
        assert_eq!(world.session(&begun).await.state, ConnectState::Begun, "{callback}: it ends nobody's consent");
    }
    let begun = world.begin(&integration, ConsentRoute::Browser).await.unwrap();
    world.peer.post("redirect", json!({ "set": { "iss": world.peer.issuer } })).await;
    let callback = world.person(&begun).await;
    assert_eq!(world.finish(&begun, &callback).await.unwrap().state, ConnectState::Completed, "its own name is no harm");
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_that_come_once_more_are_used_on() {
    let world = World::new().await;
    let integration = world.awaiting().await;
    for _ in 0..2 {
        world.forge("/token", "same", 1).await;
        world.connect(&integration).await;
    }
    world.advance(3660);
    world.call(&integration).await.unwrap();
    let journal = integration::journal(&world.engine, &world.grant, &world.account, &integration.id.to_string()).await.unwrap();
    assert_eq!(journal[0].outcome, RefreshStep::Proven, "a token that two consents brought is no token of the one before");
    let note = journal.iter().flat_map(|attempt| &attempt.steps).find(|taken| taken.step.step == RefreshStep::Reconnected).unwrap().step.note.clone().unwrap();
    assert!(note["words"].as_str().unwrap().contains("once more"), "{note}");
}
