//! The flight recorder: what is kept of a consent, what is not, and what the person is told to change.

use patchbay_engine::consent;
use patchbay_model::consent::{ConnectState, ConsentRoute};
use patchbay_model::flight::{Changer, FlightStep, NewStep, Seen, SeenParameter, Shown, StepDetail, StepKind};
use patchbay_model::{Code, ConnectSessionId, Problem};
use serde_json::Value;

use crate::world::{Client, REDIRECT_URI, World};

async fn steps(world: &World, session: ConnectSessionId) -> Vec<FlightStep> {
    consent::flight(&world.engine, &world.grant, session).await.unwrap()
}

fn kinds(steps: &[FlightStep]) -> Vec<StepKind> {
    steps.iter().map(|step| step.step.kind).collect()
}

fn seen(origin: &str, path: &str, parameters: Vec<(&str, Shown)>) -> Seen {
    let parameters = parameters.into_iter().map(|(name, value)| SeenParameter { name: name.to_owned(), value }).collect();
    Seen { origin: origin.to_owned(), path: path.to_owned(), parameters }
}

fn shown(world: &World, kind: StepKind, seen: Seen) -> NewStep {
    NewStep { kind, leg: None, at: world.now(), detail: StepDetail { seen: Some(seen), ..StepDetail::default() } }
}

/// Every code, verifier and token that the provider gave or was given.
async fn issued(world: &World) -> Vec<String> {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let text = http.get(format!("{}/peer/issued", world.peer.issuer)).send().await.unwrap().text().await.unwrap();
    serde_json::from_str::<Value>(&text).unwrap().as_array().unwrap().iter().map(|secret| secret.as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consent_is_recorded_from_its_begin_to_its_end_without_what_is_secret() {
    let world = World::with(Client::Confidential).await;
    let begun = world.begin(ConsentRoute::Browser).await;
    let page = begun.authorize_url.clone().unwrap();
    let callback = world.person(&begun, true).await;
    world.finish(&begun, callback.as_str()).await.unwrap();
    let steps = steps(&world, begun.session.id).await;
    use StepKind::{Answer, Callback, Ended, Exchange, Located, Opened, Prepared, Probe};
    assert_eq!(kinds(&steps), [Prepared, Opened, Callback, Exchange, Answer, Located, Probe, Ended]);
    let opened = steps[1].step.detail.seen.as_ref().unwrap();
    assert_eq!((opened.path.as_str(), opened.told("redirect_uri"), opened.told("client_id")), ("/auth", Some(REDIRECT_URI), Some("patchbay-confidential")));
    let state = opened.parameters.iter().find(|parameter| parameter.name == "state").unwrap();
    assert_eq!(state.value, Shown::Ours);
    assert_eq!(steps[2].step.detail.seen.as_ref().unwrap().told("iss"), Some(world.peer.issuer.as_str()));
    assert_eq!(steps[4].step.detail.status, Some(200));
    assert!(steps.iter().all(|step| step.step.leg == Some(begun.leg.id)), "all of it happened on one way");
    let kept = format!("{steps:?}");
    let (_, client_secret) = world.peer.confidential_client();
    let mut secrets = issued(&world).await;
    assert!(secrets.len() >= 4, "code, verifier, access and refresh token are known");
    secrets.push(client_secret.to_owned());
    secrets.extend(page.query_pairs().filter(|(name, _)| matches!(name.as_ref(), "state" | "code_challenge")).map(|(_, value)| value.into_owned()));
    for secret in secrets {
        assert!(!kept.contains(&secret), "{secret} is in {kept}");
    }
    assert!(!kept.contains("Ada"), "nor who agreed");
    let latest = consent::latest(&world.engine, &world.grant, &world.integration.account_id.to_string(), "sign-in").await.unwrap().unwrap();
    assert_eq!((latest.id, latest.explanation), (begun.session.id, None));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_secret_is_told_as_the_one_thing_to_change() {
    let world = World::with(Client::WithWrongSecret).await;
    let begun = world.begin(ConsentRoute::Browser).await;
    let callback = world.person(&begun, true).await;
    assert_eq!(world.finish(&begun, callback.as_str()).await.err().unwrap().code, Code::ProviderRefused);
    let session = world.session(&begun).await;
    let explanation = session.explanation.unwrap();
    assert_eq!(explanation.cause, "wrong_secret", "{explanation:?}");
    let change = explanation.change.unwrap();
    assert_eq!((change.who, change.place.as_str()), (Changer::Administrator, "Client secret of provider app `our-client`"));
    let steps = steps(&world, begun.session.id).await;
    let answer = steps.iter().find(|step| step.step.kind == StepKind::Answer).unwrap();
    assert_eq!((answer.step.detail.status, answer.step.detail.error.as_deref()), (Some(401), Some("invalid_client")));
    let ended = &steps.last().unwrap().step;
    assert_eq!((ended.kind, ended.detail.code), (StepKind::Ended, Some(Code::ProviderRefused)));
    assert!(!format!("{steps:?}{explanation:?}", explanation = session.message).contains("not-the-client-secret"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_and_an_answer_elsewhere_are_recorded() {
    let world = World::new().await;
    let begun = world.begin(ConsentRoute::Browser).await;
    let callback = world.person(&begun, false).await;
    let elsewhere = callback.as_str().replace("/oauth/callback", "/elsewhere");
    assert_eq!(world.finish(&begun, &elsewhere).await.err().unwrap().code, Code::ConsentCallbackMismatch);
    assert_eq!(world.finish(&begun, callback.as_str()).await.err().unwrap().code, Code::ConsentDenied);
    let steps = steps(&world, begun.session.id).await;
    use StepKind::{Callback, Ended, Opened, Prepared};
    assert_eq!(kinds(&steps), [Prepared, Opened, Callback, Callback, Ended]);
    assert_eq!((steps[2].step.detail.code, steps[2].step.detail.seen.as_ref().unwrap().path.as_str()), (Some(Code::ConsentCallbackMismatch), "/elsewhere"));
    assert_eq!(steps[3].step.detail.seen.as_ref().unwrap().told("error"), Some("access_denied"));
    let explanation = world.session(&begun).await.explanation.unwrap();
    assert_eq!((explanation.cause.as_str(), explanation.quote.as_deref()), ("person_refused", Some("the person refused")));
    assert_eq!(explanation.change.unwrap().who, Changer::Person);

    let given_up = world.begin(ConsentRoute::Browser).await;
    consent::cancel(&world.engine, &world.grant, given_up.session.id).await.unwrap();
    let replaced = world.begin(ConsentRoute::Browser).await;
    let newer = world.begin(ConsentRoute::Browser).await;
    for session in [given_up.session.id, replaced.session.id] {
        assert_eq!(kinds(&self::steps(&world, session).await), [Prepared, Opened, Ended]);
    }
    assert_eq!(kinds(&self::steps(&world, newer.session.id).await), [Prepared, Opened]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_tells_what_it_saw_and_no_more() {
    let world = World::new().await;
    let begun = world.begin(ConsentRoute::Window).await;
    let record = |steps| consent::record(&world.engine, &world.grant, begun.session.id, steps);
    let page = seen(
        "https://ada:pw@login.test/secret",
        "/u/ada@example.com/login",
        vec![("code", Shown::Clear("SplxlOBeZQQYbYS6WxSbIA".to_owned())), ("error", Shown::Clear("x".to_owned()))],
    );
    assert_eq!(record(vec![shown(&world, StepKind::Navigated, page.clone()), shown(&world, StepKind::Blocked, seen("data:text/html,secret", "", Vec::new()))]).await.unwrap(), 4);
    let steps = steps(&world, begun.session.id).await;
    let kept = steps[2].step.detail.seen.as_ref().unwrap();
    assert_eq!((kept.origin.as_str(), kept.path.as_str(), kept.told("error")), ("https://login.test", "/u/*/login", Some("x")));
    assert_eq!(kept.parameters[0].value, Shown::Length(22), "whatever the window took it for");
    assert_eq!(steps[3].step.detail.seen.as_ref().unwrap().origin, "data:");
    for kind in [StepKind::Ended, StepKind::Answer, StepKind::Explained, StepKind::Callback] {
        let problem = record(vec![shown(&world, StepKind::Navigated, page.clone()), shown(&world, kind, page.clone())]).await.err().unwrap();
        assert_eq!(problem.code, Code::InvalidField, "{kind:?}");
    }
    // A page that goes round in circles does not hide how the consent ends.
    for _ in 0..10 {
        record((0..50).map(|_| shown(&world, StepKind::Redirected, page.clone())).collect()).await.unwrap();
    }
    assert_eq!(self::steps(&world, begun.session.id).await.len(), 160);
    let callback = world.person(&begun, true).await;
    assert_eq!(world.finish(&begun, callback.as_str()).await.unwrap().state, ConnectState::Completed);
    let all = self::steps(&world, begun.session.id).await;
    assert_eq!(all.last().unwrap().step.kind, StepKind::Ended);
    assert_eq!(record(vec![shown(&world, StepKind::Navigated, page)]).await.unwrap(), u32::try_from(all.len()).unwrap(), "it is over");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_is_explained_with_what_is_registered_and_what_was_sent() {
    let world = World::new().await;
    let begun = world.begin(ConsentRoute::Window).await;
    let explain = |text: &'static str| {
        let page = seen(&world.peer.issuer, "/auth", Vec::new());
        let (engine, grant, session) = (&world.engine, &world.grant, begun.session.id);
        async move { consent::explain_page(engine, grant, session, page, text).await }
    };
    let text = "This did not work\n\ninvalid_redirect_uri: redirect_uri did not match any of the client's registered redirect_uris\nfor ada@example.com, request 7f3c9a1b2d4e5f60718293a4b5c6d7e8";
    let explanation = explain(text).await.unwrap().unwrap();
    assert_eq!(explanation.cause, "redirect_mismatch");
    let change = explanation.change.unwrap();
    assert_eq!((change.from.len(), change.to.as_deref(), change.who), (2, Some(REDIRECT_URI), Changer::Administrator));
    assert!(explanation.quote.unwrap().contains("did not match any"));
    let google = explain("Access blocked\nThis browser or app may not be secure.\nError 403: disallowed_useragent").await.unwrap().unwrap();
    assert_eq!((google.cause.as_str(), google.switch), ("window_refused", Some(ConsentRoute::Browser)));
    assert_eq!(explain("Welcome back").await.unwrap(), None);
    let session = world.session(&begun).await;
    assert_eq!(session.explanation.map(|explanation| explanation.cause).as_deref(), Some("window_refused"), "the newest that is known");
    let steps = steps(&world, begun.session.id).await;
    assert_eq!(kinds(&steps)[2..], [StepKind::Explained; 3]);
    let words = steps[2].step.detail.words.clone().unwrap();
    assert!(words.starts_with("This did not work invalid_redirect_uri") && words.ends_with("for * request *"), "{words}");
    consent::cancel(&world.engine, &world.grant, begun.session.id).await.unwrap();
    let over: Problem = explain("again").await.err().unwrap();
    assert_eq!(over.code, Code::ConsentReplayed);
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_server_a_window_and_the_engine_write_side_by_side() {
    let world = World::on_server().await;
    let begun = world.begin(ConsentRoute::Window).await;
    let callback = world.person(&begun, true).await;
    let mut windows = tokio::task::JoinSet::new();
    for number in 0..6 {
        let (engine, grant, session) = (world.engine.clone(), world.grant.clone(), begun.session.id);
        let step = shown(&world, StepKind::Navigated, seen("https://login.test", &format!("/page/{number}"), Vec::new()));
        windows.spawn(async move {
            let mut turns = patchbay_engine::contention::Turns::new(engine.context());
            loop {
                match consent::record(&engine, &grant, session, vec![step.clone()]).await {
                    Ok(_) => return,
                    Err(problem) => turns.again(problem).await.unwrap(),
                }
            }
        });
    }
    assert_eq!(world.finish(&begun, callback.as_str()).await.unwrap().state, ConnectState::Completed);
    while let Some(done) = windows.join_next().await {
        done.unwrap();
    }
    let steps = steps(&world, begun.session.id).await;
    assert_eq!(steps.iter().map(|step| step.number).collect::<Vec<_>>(), (1..=u32::try_from(steps.len()).unwrap()).collect::<Vec<_>>(), "each has a place of its own");
    assert_eq!(steps.last().unwrap().step.kind, StepKind::Ended);
}
