//! One consent on several ways: what is kept when the way is changed, which answer counts, and which browser may bring it.

use patchbay_engine::CallerInfo;
use patchbay_engine::account::CreateAccount;
use patchbay_engine::consent::{self, BrowserNonce, Platform, hosted};
use patchbay_engine::integration::CreateIntegration;
use patchbay_model::consent::{ConnectState, ConsentRoute, LegState};
use patchbay_model::integration::IntegrationStatus;
use patchbay_model::{Code, Origin};
use serde_json::json;

use crate::person;
use crate::world::{REDIRECT_URI, SERVED, World, altered};

fn served(world: &World) {
    world.engine.serve_at(SERVED.trim_end_matches("/oauth/callback"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consent_goes_on_on_another_way_and_is_the_same() {
    let world = World::new().await;
    let first = world.begin(ConsentRoute::Window).await;
    let on_the_first = world.person(&first, true).await;
    let second = world.switch(&first, ConsentRoute::Browser, Some("http://127.0.0.1:4712/oauth/callback")).await.unwrap();
    let same = |it: &patchbay_model::consent::ConnectSession| (it.id, it.account_id, it.integration_id, it.end_user_id, it.scopes.clone(), it.created_at);
    assert_eq!(same(&second.session), same(&first.session));
    assert_eq!((second.session.route, second.session.redirect_uri.as_str()), (ConsentRoute::Browser, "http://127.0.0.1:4712/oauth/callback"));
    let state = |begun: &consent::Begun| begun.authorize_url.as_ref().unwrap().query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
    let challenge = |begun: &consent::Begun| begun.authorize_url.as_ref().unwrap().query_pairs().find(|(name, _)| name == "code_challenge").unwrap().1.into_owned();
    assert!(state(&first) != state(&second) && challenge(&first) != challenge(&second), "each way has a state and a verifier of its own");

    // What was on the way already still arrives; the other way is over then.
    let session = world.finish(&first, on_the_first.as_str()).await.unwrap();
    assert_eq!((session.state, session.route, session.redirect_uri.as_str()), (ConnectState::Completed, ConsentRoute::Window, REDIRECT_URI));
    let on_the_second = world.person(&second, true).await;
    assert_eq!(world.finish(&second, on_the_second.as_str()).await.unwrap_err().code, Code::ConsentReplayed);
    let legs: Vec<_> = world.legs(&first).await.into_iter().map(|leg| (leg.number, leg.route, leg.state)).collect();
    assert_eq!(legs, [(1, ConsentRoute::Window, LegState::Answered), (2, ConsentRoute::Browser, LegState::Ended)]);
    assert_eq!(world.userinfo().await.unwrap().as_deref(), Some("Ada Lovelace"));
    // What the legs alone knew is gone.
    let store = world.bare_store().await;
    let mut tx = store.read_secrets(world.scope()).await.unwrap();
    for leg in world.legs(&first).await {
        assert!(tx.secrets().sealed_connect_leg(leg.id).await.unwrap().is_none());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_way_chosen_last_is_answered_as_well() {
    let world = World::new().await;
    let first = world.begin(ConsentRoute::Window).await;
    let second = world.switch(&first, ConsentRoute::Paste, None).await.unwrap();
    let callback = world.person(&second, true).await;
    // An answer of one way does not fit the address of the other.
    let elsewhere = callback.as_str().replace("127.0.0.1/", "127.0.0.1:4711/");
    assert_eq!(world.finish(&second, &elsewhere).await.unwrap_err().code, Code::ConsentCallbackMismatch);
    let session = world.finish(&first, callback.as_str()).await.unwrap();
    assert_eq!((session.state, session.route), (ConnectState::Completed, ConsentRoute::Paste));
}

#[tokio::test(flavor = "multi_thread")]
async fn both_answers_at_once_are_one_consent() {
    let world = World::new().await;
    let first = world.begin(ConsentRoute::Window).await;
    let second = world.switch(&first, ConsentRoute::Browser, Some("http://127.0.0.1:4712/oauth/callback")).await.unwrap();
    let (one, other) = (world.person(&first, true).await, world.person(&second, true).await);
    let (one, other) = tokio::join!(world.finish(&first, one.as_str()), world.finish(&second, other.as_str()));
    let (good, bad) = if one.is_ok() { (one, other) } else { (other, one) };
    assert_eq!(good.unwrap().state, ConnectState::Completed);
    assert_eq!(bad.unwrap_err().code, Code::ConsentReplayed);
    assert_eq!(world.userinfo().await.unwrap().as_deref(), Some("Ada Lovelace"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consent_has_four_ways_and_an_end() {
    let world = World::new().await;
    let begun = world.begin(ConsentRoute::Window).await;
    world.advance(500);
    for _ in 0..3 {
        world.switch(&begun, ConsentRoute::Paste, None).await.unwrap();
    }
    let problem = world.switch(&begun, ConsentRoute::Window, None).await.err().unwrap();
    assert_eq!(problem.code, Code::ConsentRouteUnavailable, "{}", problem.message);
    // The consent lives from its last way on, the first way from its own.
    let callback = world.person(&begun, true).await;
    world.advance(150);
    assert_eq!(world.session(&begun).await.state, ConnectState::Begun);
    assert_eq!(world.finish(&begun, callback.as_str()).await.unwrap_err().code, Code::ConsentExpired);
    assert_eq!(world.session(&begun).await.state, ConnectState::Begun, "a late answer on one way ends no other");
    consent::cancel(&world.engine, &world.grant, begun.session.id).await.unwrap();
    assert_eq!(world.switch(&begun, ConsentRoute::Window, None).await.err().unwrap().code, Code::ConsentReplayed);
    assert!(world.legs(&begun).await.iter().all(|leg| leg.state == LegState::Ended));
    let late = world.begin(ConsentRoute::Window).await;
    world.advance(601);
    assert_eq!(world.switch(&late, ConsentRoute::Paste, None).await.err().unwrap().code, Code::ConsentExpired);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_is_bound_to_the_browser_that_came_first() {
    let world = World::new().await;
    served(&world);
    let begun = world.try_begin(Some(ConsentRoute::Link), None).await.unwrap();
    assert!(begun.authorize_url.is_none(), "nobody is on the way yet");
    assert_eq!(begun.session.redirect_uri, SERVED);
    let ticket = begun.start.as_ref().unwrap();
    assert!(consent::start_url(&world.engine, ticket).unwrap().starts_with("http://127.0.0.1:4711/connect/start/"));
    let (hers, other) = (BrowserNonce::new(world.engine.context()), BrowserNonce::new(world.engine.context()));
    let page = consent::open_leg(&world.engine, ticket.expose(), &hers).await.unwrap();
    assert_eq!(consent::open_leg(&world.engine, ticket.expose(), &hers).await.unwrap(), page, "the same browser gets the same page");
    assert_eq!(consent::open_leg(&world.engine, ticket.expose(), &other).await.err().unwrap().code, Code::ConsentOtherBrowser);
    assert_eq!(consent::open_leg(&world.engine, "guessed", &hers).await.err().unwrap().code, Code::LinkInvalid);

    let callback = person::consent(&page, world.peer.password(), true).await;
    for stranger in [None, Some(&other)] {
        let problem = consent::finish_callback(&world.engine, callback.as_str(), stranger).await.unwrap_err();
        assert_eq!(problem.code, Code::ConsentOtherBrowser, "{}", problem.message);
    }
    assert_eq!(world.session(&begun).await.state, ConnectState::Begun, "a stranger ends nobody's consent");
    let session = consent::finish_callback(&world.engine, callback.as_str(), Some(&hers)).await.unwrap();
    assert_eq!(session.state, ConnectState::Completed);
    assert_eq!(consent::finish_callback(&world.engine, callback.as_str(), Some(&hers)).await.unwrap_err().code, Code::ConsentReplayed);
    assert_eq!(consent::open_leg(&world.engine, ticket.expose(), &hers).await.err().unwrap().code, Code::ConsentReplayed);
    assert_eq!(world.now_integration().await.status, IntegrationStatus::Active);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_of_a_consent_is_shown_to_whoever_brought_its_answer() {
    let world = World::new().await;
    served(&world);
    // On this way nobody is known before the answer comes.
    let begun = world.try_begin(Some(ConsentRoute::Paste), Some(SERVED)).await.unwrap();
    let (hers, other) = (BrowserNonce::new(world.engine.context()), BrowserNonce::new(world.engine.context()));
    let (id, caller) = (begun.session.id.to_string(), CallerInfo::local(Origin::Web));
    let look = async |browser: &BrowserNonce| hosted::hosted(&world.engine, &id, browser, &caller).await;
    assert_eq!(look(&hers).await.err().unwrap().code, Code::LinkInvalid);
    let callback = world.person(&begun, true).await;
    assert_eq!(hosted::answered(&world.engine, callback.as_str(), &hers).await.unwrap(), None, "nothing was answered yet");
    consent::finish_callback(&world.engine, callback.as_str(), Some(&hers)).await.unwrap();
    assert_eq!(hosted::answered(&world.engine, callback.as_str(), &hers).await.unwrap(), Some(begun.session.id));
    let seen = look(&hers).await.unwrap();
    let hosted::Stage::Connected(agreed) = &seen.stage else { panic!("it is connected") };
    assert!(agreed.receipt.is_some() && !agreed.granted.is_empty() && agreed.ended.is_none());
    assert!(!seen.link_lives && seen.ways.is_empty(), "it came by no link");
    // A stranger who got hold of the address of the answer learns nothing by it, before and after.
    assert_eq!(consent::finish_callback(&world.engine, callback.as_str(), Some(&other)).await.unwrap_err().code, Code::ConsentReplayed);
    assert_eq!(hosted::answered(&world.engine, callback.as_str(), &other).await.unwrap(), None);
    assert_eq!(look(&other).await.err().unwrap().code, Code::LinkInvalid);
}

#[tokio::test(flavor = "multi_thread")]
async fn browsers_that_come_at_once_do_not_share_a_link() {
    let world = World::new().await;
    served(&world);
    let begun = world.try_begin(Some(ConsentRoute::Link), None).await.unwrap();
    let ticket = begun.start.as_ref().unwrap().expose();
    let (one, other) = (BrowserNonce::new(world.engine.context()), BrowserNonce::new(world.engine.context()));
    let (a, b, c) = tokio::join!(consent::open_leg(&world.engine, ticket, &one), consent::open_leg(&world.engine, ticket, &other), consent::open_leg(&world.engine, ticket, &one));
    assert_ne!(a.is_ok(), b.is_ok(), "one of the two browsers");
    assert_eq!(a.is_ok(), c.is_ok());
    if let (Ok(first), Ok(again)) = (&a, &c) {
        assert_eq!(first, again, "two requests of one browser get one page");
    }
    assert_eq!([a, b, c].into_iter().find_map(Result::err).unwrap().code, Code::ConsentOtherBrowser);
    world.advance(601);
    assert_eq!(consent::open_leg(&world.engine, ticket, &one).await.err().unwrap().code, Code::ConsentExpired);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_of_another_session_or_account_opens_nothing() {
    let world = World::new().await;
    let mine = world.begin(ConsentRoute::Window).await;
    let other =
        patchbay_engine::account::create(&world.engine, &world.grant, CreateAccount { name: Some("initech".to_owned()), ..CreateAccount::default() }).await.unwrap().account;
    let config = json!({ "type": "identity_openid", "issuer": world.peer.issuer, "credential": { "type": "o_auth_user" } });
    let new = CreateIntegration { name: Some("theirs".to_owned()), provider_config: config, ..CreateIntegration::default() };
    let theirs = patchbay_engine::integration::create(&world.engine, &world.grant, &other.id.to_string(), new).await.unwrap().integration;
    let begin = consent::BeginConsent {
        integration: theirs.id,
        route: Some(ConsentRoute::Window),
        platform: Platform::default(),
        redirect_uri: Some(REDIRECT_URI.to_owned()),
        end_user: None,
    };
    let theirs = consent::begin(&world.engine, &world.grant, begin).await.unwrap();
    let (my_callback, their_callback) = (world.person(&mine, true).await, world.person(&theirs, true).await);

    // The answer of another account's consent, brought to mine.
    assert_eq!(world.finish(&mine, their_callback.as_str()).await.unwrap_err().code, Code::ConsentUnknown);
    // My state with their code: it was given to another verifier.
    let code = their_callback.query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned();
    let problem = world.finish(&mine, &altered(&my_callback, "code", Some(&code))).await.unwrap_err();
    assert_eq!(problem.code, Code::ProviderRefused, "{}", problem.message);
    assert_eq!(world.session(&theirs).await.state, ConnectState::Begun, "theirs is untouched");
    assert_eq!(world.now_integration().await.status, IntegrationStatus::AwaitingConsent);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_finds_its_consent_and_what_is_none_changes_nothing() {
    let world = World::new().await;
    let begun = world.begin(ConsentRoute::Window).await;
    let callback = world.person(&begun, true).await;
    let answer = async |url: &str| consent::answer(&world.engine, &world.grant, url).await;
    for (what, url, code) in [
        ("no address", "not an address".to_owned(), Code::ConsentUnknown),
        ("an address without an answer", REDIRECT_URI.to_owned(), Code::ConsentUnknown),
        ("a state that nobody was given", altered(&callback, "state", Some("forged")), Code::ConsentUnknown),
        ("another address", callback.as_str().replace("/oauth/callback", "/oauth/elsewhere"), Code::ConsentCallbackMismatch),
        ("one without end", format!("{callback}&x={}", "x".repeat(20_000)), Code::ConsentUnknown),
    ] {
        let problem = answer(&url).await.unwrap_err();
        assert_eq!(problem.code, code, "{what}: {}", problem.message);
        assert_eq!(world.session(&begun).await.state, ConnectState::Begun, "{what}");
    }
    let session = answer(callback.as_str()).await.unwrap();
    assert_eq!((session.id, session.state), (begun.session.id, ConnectState::Completed));
    assert_eq!(answer(callback.as_str()).await.unwrap_err().code, Code::ConsentReplayed);
    assert_eq!(world.now_integration().await.status, IntegrationStatus::Active, "what came twice harms nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn ways_are_offered_with_what_hinders_them() {
    let world = World::new().await;
    let offered = async |platform| {
        let account = world.integration.account_id.to_string();
        consent::routes(&world.engine, &world.grant, &account, "sign-in", platform).await.unwrap()
    };
    let on_the_desktop = offered(Platform { window: true, browser: true }).await;
    let can: Vec<_> = on_the_desktop.iter().filter(|offer| offer.possible()).map(|offer| offer.route).collect();
    assert_eq!(can, [ConsentRoute::Window, ConsentRoute::Browser, ConsentRoute::Device, ConsentRoute::Paste]);
    let browser = on_the_desktop.iter().find(|offer| offer.route == ConsentRoute::Browser).unwrap();
    assert_eq!((browser.redirect_uri.as_deref(), browser.any_port), (Some("http://127.0.0.1/oauth/callback"), true));
    let link = on_the_desktop.iter().find(|offer| offer.route == ConsentRoute::Link).unwrap();
    assert!(link.refused.as_deref().is_some_and(|why| why.contains("No server")), "{link:?}");
    assert_eq!(world.try_begin(Some(ConsentRoute::Link), Some(SERVED)).await.err().unwrap().code, Code::ConsentRouteUnavailable);
    let begun = world.try_begin(None, None).await.unwrap();
    assert_eq!(begun.session.route, ConsentRoute::Window, "the first that can be gone");

    served(&world);
    let in_a_browser = offered(Platform::default()).await;
    assert_eq!(in_a_browser.iter().filter(|offer| offer.possible()).map(|offer| offer.route).collect::<Vec<_>>(), [ConsentRoute::Link, ConsentRoute::Device, ConsentRoute::Paste]);
}
