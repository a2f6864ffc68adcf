//! What a client must prove, and what the provider refuses: pushed requests, private keys, PKCE.

use patchbay_model::Code;
use patchbay_model::consent::{ConnectState, ConsentRoute};
use serde_json::Value;
use url::Url;

use crate::world::{Client, REDIRECT_URI, World};

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_pushed_before_the_person_goes() {
    for client in [Client::Pushing, Client::PushingSecretly] {
        let world = World::with(client).await;
        let begun = world.begin(ConsentRoute::Browser).await;
        // RFC 9126 section 4: nothing but who asks, and what was pushed.
        let page = begun.authorize_url.as_ref().expect("the leg is open");
        let names: Vec<String> = page.query_pairs().map(|(name, _)| name.into_owned()).collect();
        assert_eq!(names, ["client_id", "request_uri"], "{page}");
        let callback = world.person(&begun, true).await;
        assert_eq!(world.finish(&begun, callback.as_str()).await.unwrap().state, ConnectState::Completed);
        assert_eq!(world.userinfo().await.unwrap().as_deref(), Some("Ada Lovelace"));
    }
    let world = World::with(Client::PushingWithWrongSecret).await;
    let problem = world.try_begin(Some(ConsentRoute::Browser), Some(REDIRECT_URI)).await.err().unwrap();
    assert_eq!(problem.code, Code::ProviderRefused, "a wrong secret is told before the person goes: {}", problem.message);
    assert!(problem.message.contains("invalid_client") && !problem.message.contains("not-the-client-secret"), "{}", problem.message);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_private_key_takes_the_place_of_a_secret() {
    // The provider verifies with a library that is not ours; each key comes in another wrapping.
    for algorithm in ["RS256", "PS256", "ES256"] {
        let world = World::with(Client::Signing(algorithm)).await;
        world.connect().await;
        assert_eq!(world.userinfo().await.unwrap().as_deref(), Some("Ada Lovelace"), "{algorithm}");
        world.advance(3000);
        world.userinfo().await.unwrap();
        assert_eq!(world.peer.refreshes().await.last().unwrap()["status"], 200, "{algorithm}: renewed with a new assertion");
    }
}

/// The judge judges: without these refusals the flows above would prove nothing.
#[tokio::test(flavor = "multi_thread")]
async fn the_provider_refuses_what_lacks_pkce_or_has_another_verifier() {
    let world = World::new().await;
    let http = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let plain = |client: &str| {
        let mut url = Url::parse(&format!("{}/auth", world.peer.issuer)).unwrap();
        url.query_pairs_mut().extend_pairs([("response_type", "code"), ("client_id", client), ("redirect_uri", crate::world::REDIRECT_URI), ("scope", "openid"), ("state", "s")]);
        url
    };
    let answer = http.get(plain(world.peer.public_client())).send().await.unwrap();
    let back = Url::parse(answer.headers()["location"].to_str().unwrap()).unwrap();
    let error = back.query_pairs().find(|(name, _)| name == "error").unwrap().1.into_owned();
    assert_eq!(error, "invalid_request", "without PKCE: {back}");

    let begun = world.begin(ConsentRoute::Browser).await;
    let callback = world.person(&begun, true).await;
    let code = callback.query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned();
    let form = [
        ("grant_type", "authorization_code"),
        ("client_id", world.peer.public_client()),
        ("redirect_uri", crate::world::REDIRECT_URI),
        ("code", code.as_str()),
        ("code_verifier", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
    ];
    let answer = http.post(format!("{}/token", world.peer.issuer)).form(&form).send().await.unwrap();
    let refusal: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    assert_eq!(refusal["error"], "invalid_grant", "with another verifier");
    assert_eq!(world.finish(&begun, callback.as_str()).await.unwrap().state, ConnectState::Completed, "with the one that belongs to it");
}
