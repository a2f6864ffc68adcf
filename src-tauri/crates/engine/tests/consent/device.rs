//! A person enters a code in any browser (RFC 8628): until they have, whoever waits asks the provider, and one of them takes the tokens.

use patchbay_engine::consent::{self, BeginConsent, Platform};
use patchbay_model::Code;
use patchbay_model::consent::{ConnectState, ConsentRoute};
use patchbay_model::integration::IntegrationStatus;
use serde_json::json;

use crate::world::{Client, World};

const DEVICE: &str = "urn:ietf:params:oauth:grant-type:device_code";

async fn begun(world: &World) -> consent::Begun {
    world.try_begin(Some(ConsentRoute::Device), None).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_enters_a_code_elsewhere() {
    let world = World::with(Client::Device).await;
    let begun = begun(&world).await;
    let prompt = begun.device.clone().unwrap();
    assert!(prompt.verification_uri.starts_with(&world.peer.issuer) && !prompt.user_code.is_empty(), "{prompt:?}");
    assert!(prompt.verification_uri_complete.as_deref().unwrap().contains(&prompt.user_code));
    assert!(begun.authorize_url.is_none() && begun.start.is_none() && begun.session.redirect_uri.is_empty());
    let shown = consent::prompt(&world.engine, &world.grant, begun.session.id).await.unwrap().unwrap();
    assert_eq!((shown.user_code, shown.verification_uri), (prompt.user_code, prompt.verification_uri), "whoever looks later sees the same");

    assert_eq!(world.session(&begun).await.state, ConnectState::Begun);
    assert!(world.peer.asked(DEVICE).await.is_empty(), "nobody asks before the provider's interval is over");
    world.advance(5);
    for _ in 0..3 {
        assert_eq!(world.session(&begun).await.state, ConnectState::Begun);
    }
    let asked = world.peer.asked(DEVICE).await;
    assert_eq!((asked.len(), asked[0]["error"].as_str()), (1, Some("authorization_pending")), "{asked:?}");

    world.person_at_device(&begun, true).await;
    world.advance(5);
    let session = world.session(&begun).await;
    assert_eq!((session.state, session.message.as_deref()), (ConnectState::Completed, Some("Authorized by Ada Lovelace.")));
    assert_eq!(world.now_integration().await.status, IntegrationStatus::Active);
    assert_eq!(world.userinfo().await.unwrap().as_deref(), Some("Ada Lovelace"));
    world.advance(3000);
    assert_eq!(world.userinfo().await.unwrap().as_deref(), Some("Ada Lovelace"), "renewed like any other");
    assert_eq!(consent::prompt(&world.engine, &world.grant, begun.session.id).await.unwrap(), None, "the code is of no more use");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_who_wait_ask_once_and_one_takes_the_tokens() {
    let world = World::with(Client::Device).await;
    let begun = begun(&world).await;
    world.person_at_device(&begun, true).await;
    world.advance(5);
    let other = world.second_engine().await;
    let grant = other.local_grant(world.grant.organization(), patchbay_model::Origin::Desktop).await.unwrap();
    let waiting: Vec<_> = (0..8)
        .map(|number| {
            let (engine, grant) = if number % 2 == 0 { (world.engine.clone(), world.grant.clone()) } else { (other.clone(), grant.clone()) };
            let id = begun.session.id;
            tokio::spawn(async move { consent::get(&engine, &grant, id).await })
        })
        .collect();
    for task in waiting {
        task.await.unwrap().unwrap();
    }
    let asked = world.peer.asked(DEVICE).await;
    assert_eq!((asked.len(), asked[0]["status"].as_u64()), (1, Some(200)), "{asked:?}");
    assert_eq!(world.session(&begun).await.state, ConnectState::Completed);
    assert_eq!(world.userinfo().await.unwrap().as_deref(), Some("Ada Lovelace"));
    other.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_and_an_end_are_told() {
    let world = World::with(Client::Device).await;
    let refused = begun(&world).await;
    world.person_at_device(&refused, false).await;
    world.advance(5);
    let session = world.session(&refused).await;
    assert_eq!(session.state, ConnectState::Failed { code: Code::ConsentDenied }, "{:?}", session.message);
    assert_eq!(world.now_integration().await.status, IntegrationStatus::AwaitingConsent, "it can be tried again");

    let late = begun(&world).await;
    world.advance(601);
    assert_eq!(world.session(&late).await.state, ConnectState::Failed { code: Code::ConsentExpired });

    // Cancelled before the person was done: what they agree to afterwards is not taken.
    let cancelled = begun(&world).await;
    consent::cancel(&world.engine, &world.grant, cancelled.session.id).await.unwrap();
    world.advance(5);
    assert_eq!(world.session(&cancelled).await.state, ConnectState::Cancelled);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_cannot_be_asked_is_asked_less_often() {
    let world = World::with(Client::Device).await;
    let begun = begun(&world).await;
    world.peer.set(json!({ "refuse_tokens": 1 })).await;
    world.advance(5);
    assert_eq!(world.session(&begun).await.state, ConnectState::Begun, "a fault of the provider ends nothing");
    world.person_at_device(&begun, true).await;
    world.advance(6);
    assert_eq!(world.session(&begun).await.state, ConnectState::Begun, "it is left alone for twice as long");
    world.advance(5);
    assert_eq!(world.session(&begun).await.state, ConnectState::Completed);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consent_goes_from_a_browser_to_a_device_and_back() {
    let world = World::new().await;
    let platform = Platform { window: true, browser: true };
    let account = world.integration.account_id.to_string();
    let offers = consent::routes(&world.engine, &world.grant, &account, "sign-in", platform).await.unwrap();
    assert!(offers.iter().any(|offer| offer.route == ConsentRoute::Device && offer.possible()), "{offers:?}");
    // This client is not registered for devices: the provider says so, and nothing has begun.
    let begin = BeginConsent { integration: world.integration.id, route: Some(ConsentRoute::Device), platform, redirect_uri: None, end_user: None };
    let problem = consent::begin(&world.engine, &world.grant, begin).await.err().unwrap();
    assert!(problem.code == Code::ProviderRefused && problem.message.contains("device"), "{:?}: {}", problem.code, problem.message);
    let begun = world.begin(ConsentRoute::Browser).await;
    let problem = world.switch(&begun, ConsentRoute::Device, None).await.err().unwrap();
    assert_eq!(problem.code, Code::ProviderRefused);
    let callback = world.person(&begun, true).await;
    assert_eq!(world.finish(&begun, callback.as_str()).await.unwrap().state, ConnectState::Completed, "the way before is as good as ever");
}
