//! From the link to tokens, and everything that must not lead there.

use std::time::Duration;

use patchbay_engine::consent;
use patchbay_engine::consent::loopback::Loopback;
use patchbay_engine::integration::UpdateIntegration;
use patchbay_engine::point::{self, CreatePoint, UpdatePoint};
use patchbay_model::Code;
use patchbay_model::consent::{ConnectState, ConsentRoute};
use patchbay_model::credential::CredentialKind;
use patchbay_model::integration::IntegrationStatus;
use patchbay_model::point::{AllowedProviders, PointEnvironments};

use crate::world::{Client, REDIRECT_URI, World, altered};

#[tokio::test(flavor = "multi_thread")]
async fn a_person_authorizes_through_the_system_browser() {
    let world = World::new().await;
    assert_eq!(world.integration.status, IntegrationStatus::AwaitingConsent);
    assert_eq!(world.userinfo().await.unwrap_err().code, Code::IntegrationNotActive);
    let loopback = Loopback::bind(world.engine.context(), &"http://127.0.0.1/oauth/callback".parse().unwrap(), true).await.unwrap();
    let begun = world.try_begin(Some(ConsentRoute::Browser), Some(loopback.redirect_uri().as_str())).await.unwrap();
    let page = begun.authorize_url.clone().unwrap();
    assert!(page.as_str().contains("code_challenge_method=S256"), "{page}");
    let start = loopback.start_url();
    let to = page.clone();
    let waiting = tokio::spawn(async move { loopback.wait(&to, Duration::from_secs(20)).await });
    let browser = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let away = browser.get(start).send().await.unwrap();
    assert_eq!(away.headers()["location"], page.as_str());
    let cookie = away.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let back = world.person(&begun, true).await;
    // The browser goes where it is sent; what it is shown holds neither code nor state.
    let page = browser.get(back.clone()).header("cookie", cookie).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("Back to Patchbay"), "{page}");
    let callback = waiting.await.unwrap().unwrap();
    assert_eq!(callback, back);

    let session = world.finish(&begun, callback.as_str()).await.unwrap();
    assert_eq!((session.state, session.message.as_deref()), (ConnectState::Completed, Some("Authorized by Ada Lovelace.")));
    let integration = world.now_integration().await;
    assert_eq!(integration.status, IntegrationStatus::Active);
    assert!(integration.last_connected_at.is_some());
    assert_eq!(integration.config["credential"]["type"], "o_auth_user_id");
    assert_eq!(world.userinfo().await.unwrap().as_deref(), Some("Ada Lovelace"));

    // Nothing of it lies in the store in clear.
    let code = back.query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned();
    let state = back.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
    let store = world.bare_store().await;
    let mut tx = store.read_secrets(world.scope()).await.unwrap();
    let id = integration.config["credential"]["value"].as_str().unwrap().parse().unwrap();
    let credential = tx.credential(id).await.unwrap().unwrap();
    assert_eq!(credential.kind, CredentialKind::OAuthUser);
    assert!(credential.expires.is_some());
    let shown = format!("{credential:?}{:?}{session:?}", tx.secrets().sealed_credential(&credential).await.unwrap());
    assert!(!shown.contains(&code) && !shown.contains(&state) && !shown.contains("access_token"), "{shown}");
    assert!(tx.secrets().sealed_connect_verifier(session.id).await.unwrap().is_none(), "the verifier is forgotten");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_confidential_client_works_as_well() {
    let world = World::with(Client::Confidential).await;
    let begun = world.begin(ConsentRoute::Window).await;
    let callback = world.person(&begun, true).await;
    assert_eq!(world.finish(&begun, callback.as_str()).await.unwrap().state, ConnectState::Completed);
    assert_eq!(world.now_integration().await.status, IntegrationStatus::Active);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_told_in_the_providers_words() {
    let world = World::new().await;
    let begun = world.begin(ConsentRoute::Window).await;
    let callback = world.person(&begun, false).await;
    let problem = world.finish(&begun, callback.as_str()).await.unwrap_err();
    assert_eq!(problem.code, Code::ConsentDenied);
    assert!(problem.message.contains("the person refused"), "{}", problem.message);
    assert_eq!(world.session(&begun).await.state, ConnectState::Failed { code: Code::ConsentDenied });
    assert_eq!(world.now_integration().await.status, IntegrationStatus::AwaitingConsent, "it can be tried again");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_taken_once() {
    let world = World::new().await;
    let begun = world.begin(ConsentRoute::Window).await;
    let callback = world.person(&begun, true).await;
    // Both at once, and once more later: exactly one of them is the consent.
    let (first, second) = tokio::join!(world.finish(&begun, callback.as_str()), world.finish(&begun, callback.as_str()));
    let (good, bad) = if first.is_ok() { (first, second) } else { (second, first) };
    assert_eq!(good.unwrap().state, ConnectState::Completed);
    assert_eq!(bad.unwrap_err().code, Code::ConsentReplayed);
    assert_eq!(world.finish(&begun, callback.as_str()).await.unwrap_err().code, Code::ConsentReplayed);
    assert_eq!(world.session(&begun).await.state, ConnectState::Completed, "a replay does not touch what was done");
    assert_eq!(world.userinfo().await.unwrap().as_deref(), Some("Ada Lovelace"), "and does not make the provider revoke it");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_forged_or_went_astray_is_refused() {
    let world = World::new().await;
    let begun = world.begin(ConsentRoute::Window).await;
    let callback = world.person(&begun, true).await;
    for (forged, code) in [
        (altered(&callback, "state", Some("forged")), Code::ConsentUnknown),
        (altered(&callback, "state", None), Code::ConsentUnknown),
        (callback.as_str().replace("127.0.0.1", "localhost"), Code::ConsentCallbackMismatch),
        (callback.as_str().replace(":4711", ":4712"), Code::ConsentCallbackMismatch),
        (callback.as_str().replace("/oauth/callback", "/oauth/callback/x"), Code::ConsentCallbackMismatch),
        (callback.as_str().replace("http://", "https://"), Code::ConsentCallbackMismatch),
    ] {
        let problem = world.finish(&begun, &forged).await.unwrap_err();
        assert_eq!(problem.code, code, "{forged}: {}", problem.message);
    }
    assert_eq!(world.session(&begun).await.state, ConnectState::Begun, "none of them ends the person's consent");
    let problem = world.finish(&begun, &altered(&callback, "iss", Some("https://evil.example"))).await.unwrap_err();
    assert_eq!(problem.code, Code::ConsentIssuerMismatch);
    assert_eq!(world.finish(&begun, callback.as_str()).await.unwrap_err().code, Code::ConsentReplayed, "after a mix-up the consent is over");
    assert_eq!(world.now_integration().await.status, IntegrationStatus::AwaitingConsent);

    // An error is held to the same (RFC 9207 section 2.4): another's refusal must not pass for this provider's.
    for issuer in [Some("https://evil.example"), None] {
        let begun = world.begin(ConsentRoute::Window).await;
        let refusal = world.person(&begun, false).await;
        assert!(refusal.as_str().contains("error=access_denied"), "{refusal}");
        let problem = world.finish(&begun, &altered(&refusal, "iss", issuer)).await.unwrap_err();
        assert_eq!(problem.code, Code::ConsentIssuerMismatch, "{issuer:?}");
    }

    let begun = world.begin(ConsentRoute::Window).await;
    let callback = world.person(&begun, true).await;
    let problem = world.finish(&begun, &altered(&callback, "iss", None)).await.unwrap_err();
    assert_eq!(problem.code, Code::ConsentIssuerMismatch, "this issuer always names itself");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_of_another_consent_has_another_verifier() {
    let world = World::new().await;
    let first = world.begin(ConsentRoute::Window).await;
    let stolen = world.person(&first, true).await;
    let second = world.begin(ConsentRoute::Window).await;
    assert_eq!(world.session(&first).await.state, ConnectState::Cancelled, "only the newest link works");
    assert_eq!(world.finish(&first, stolen.as_str()).await.unwrap_err().code, Code::ConsentReplayed);
    let own = world.person(&second, true).await;
    let code = stolen.query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned();
    let problem = world.finish(&second, &altered(&own, "code", Some(&code))).await.unwrap_err();
    assert_eq!(problem.code, Code::ProviderRefused, "{}", problem.message);
    assert!(problem.message.contains("does not accept the code"), "{}", problem.message);
    assert_eq!(world.now_integration().await.status, IntegrationStatus::AwaitingConsent);
}

#[tokio::test(flavor = "multi_thread")]
async fn late_cancelled_and_foreign_answers_are_told_apart() {
    let world = World::new().await;
    let begun = world.begin(ConsentRoute::Window).await;
    let callback = world.person(&begun, true).await;
    world.advance(601);
    assert_eq!(world.finish(&begun, callback.as_str()).await.unwrap_err().code, Code::ConsentExpired);
    assert_eq!(world.finish(&begun, callback.as_str()).await.unwrap_err().code, Code::ConsentExpired, "it stays late");

    let begun = world.begin(ConsentRoute::Window).await;
    let callback = world.person(&begun, true).await;
    assert_eq!(consent::cancel(&world.engine, &world.grant, begun.session.id).await.unwrap().state, ConnectState::Cancelled);
    let problem = world.finish(&begun, callback.as_str()).await.unwrap_err();
    assert_eq!(problem.code, Code::ConsentReplayed);
    assert!(problem.message.contains("cancelled"), "{}", problem.message);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_client_secret_names_the_setting_to_change() {
    let world = World::with(Client::WithWrongSecret).await;
    let begun = world.begin(ConsentRoute::Window).await;
    let callback = world.person(&begun, true).await;
    let problem = world.finish(&begun, callback.as_str()).await.unwrap_err();
    assert!(problem.code == Code::ProviderRefused && problem.message.contains("`our-client`") && !problem.message.contains("not-the-client-secret"), "{}", problem.message);
    assert_eq!(world.session(&begun).await.message.as_deref(), Some(problem.message.as_str()), "the person sees the same");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_begin_says_why() {
    let world = World::new().await;
    let problem = world.try_begin(Some(ConsentRoute::Window), Some("http://127.0.0.1:4711/elsewhere")).await.err().unwrap();
    assert!(problem.code == Code::InvalidField && problem.message.contains("/elsewhere"), "{}", problem.message);
    let apps = patchbay_engine::provider_app::list(&world.engine, &world.grant, patchbay_model::list::ListQuery::default()).await.unwrap();
    patchbay_engine::provider_app::delete(&world.engine, &world.grant, &apps.items[0].id.to_string()).await.unwrap();
    let problem = world.try_begin(Some(ConsentRoute::Window), Some(REDIRECT_URI)).await.err().unwrap();
    assert!(problem.code == Code::ProviderAppMissing && problem.message.contains(&world.peer.issuer), "{}", problem.message);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_needs_no_address_of_its_own_and_an_old_consent_ends() {
    let world = World::new().await;
    let begun = world.try_begin(Some(ConsentRoute::Window), None).await.unwrap();
    assert_eq!(begun.session.redirect_uri, "http://127.0.0.1/oauth/callback", "the registered one");
    let callback = world.person(&begun, true).await;
    world.finish(&begun, callback.as_str()).await.unwrap();

    let begun = world.begin(ConsentRoute::Browser).await;
    world.advance(601);
    assert_eq!(world.session(&begun).await.state, ConnectState::Failed { code: Code::ConsentExpired });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_point_says_which_scopes_are_asked_and_whether_at_all() {
    let world = World::new().await;
    let policy = |scopes: serde_json::Value| serde_json::from_value(serde_json::json!({ "providers": { "identity_openid": { "scopes": scopes } } })).unwrap();
    let new = CreatePoint {
        name: Some("sign-in".to_owned()),
        fullname: None,
        description: None,
        connector: "identity".to_owned(),
        environments: PointEnvironments { test: None, prod: Some(AllowedProviders::All) },
        policy: policy(serde_json::json!(["openid", "email"])),
    };
    point::create(&world.engine, &world.grant, new).await.unwrap();
    let under = UpdateIntegration { provider_config: world.integration.provider_config(), integration_point: Some("sign-in".to_owned()), ..UpdateIntegration::default() };
    let account = world.integration.account_id.to_string();
    patchbay_engine::integration::update(&world.engine, &world.grant, &account, &world.integration.id.to_string(), under).await.unwrap();
    let begun = world.begin(ConsentRoute::Window).await;
    assert_eq!(begun.session.scopes, ["openid", "email"]);
    let asked = begun.authorize_url.as_ref().unwrap().query_pairs().find(|(name, _)| name == "scope").unwrap().1.into_owned();
    assert_eq!(asked, "openid email");

    let closed = UpdatePoint { name: None, fullname: None, description: None, connector: None, environments: PointEnvironments::default(), policy: None, expected: None };
    point::update(&world.engine, &world.grant, "sign-in", closed).await.unwrap();
    let problem = world.try_begin(Some(ConsentRoute::Window), Some(REDIRECT_URI)).await.err().unwrap();
    assert_eq!(problem.code, Code::ProviderNotAllowed, "nobody is asked for what may not be used");
}
