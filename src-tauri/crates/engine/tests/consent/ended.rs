//! Revocation (RFC 7009) and introspection (RFC 7662), judged by the provider: what it says of tokens that we have given back is asked by a
//! client of the tests, past everything of ours.

use patchbay_engine::integration;
use patchbay_engine::revocation::{self, revoke_due};
use patchbay_model::Secret;
use patchbay_model::integration::{AttentionCause, IntegrationStatus};
use patchbay_model::list::ListQuery;
use patchbay_model::refresh::RefreshStep;
use patchbay_model::revocation::{Revocation, RevocationReason, RevocationState, RevocationStep};
use serde_json::{Value, json};

use crate::peer::{ALIVE, DEAD, Given, Word};
use crate::service::FOREIGN;
use crate::world::{Client, World};

const HOUR: i64 = 3600;

/// The only revocation that there is.
async fn row(world: &World) -> Revocation {
    let rows = revocation::list(&world.engine, &world.grant, ListQuery::default()).await.unwrap().items;
    let [row] = rows.as_slice() else { panic!("there is not one revocation: {rows:?}") };
    row.clone()
}

/// The same, once it was looked at so often.
async fn looked_at(world: &World, times: usize) -> Revocation {
    let mut news = world.engine.subscribe();
    loop {
        revoke_due(&world.engine).await.unwrap();
        let row = row(world).await;
        let looks = steps(&row).into_iter().filter(|step| !matches!(step, RevocationStep::Sealed | RevocationStep::Active)).count();
        if row.state != RevocationState::Pending && row.owner.is_none() && looks >= times {
            return row;
        }
        tokio::time::timeout(std::time::Duration::from_secs(60), news.recv()).await.expect("somebody is at it").ok();
    }
}

/// The clock goes on to the next look, and it is taken.
async fn next_look(world: &World) -> Revocation {
    let before = row(world).await;
    let next = before.next_attempt_at.unwrap_or_else(|| panic!("it is at its end: {:#?}", before.proof.events));
    world.advance(i64::try_from(next.since(world.now()).as_secs()).unwrap() + 1);
    let looks = steps(&before).len();
    looked_at(world, looks).await
}

async fn disconnect(world: &World) {
    integration::disconnect(&world.engine, &world.grant, &world.account, &world.integration.id.to_string()).await.unwrap();
}

fn steps(row: &Revocation) -> Vec<RevocationStep> {
    row.proof.events.iter().map(|event| event.step).collect()
}

fn told(row: &Revocation) -> String {
    row.proof.events.iter().map(|event| event.words.as_str()).collect::<Vec<_>>().join(" ")
}

/// Connected, with the tokens that the provider gave.
async fn connected(world: &World) -> Given {
    world.connect().await;
    let given = world.peer.newest().await;
    assert_eq!(world.peer.word(&given).await, ALIVE, "the judge sees what lives");
    given
}

/// What came to an endpoint, in these members.
async fn came(world: &World, endpoint: &str, members: &[&str]) -> Vec<Value> {
    let all = world.peer.asked_at(endpoint).await;
    all.iter().map(|request| members.iter().map(|member| request[*member].clone()).collect()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn by_whatever_the_client_proves_itself_the_provider_itself_refuses_everything_afterwards() {
    for (client, method) in [
        (Client::Public, "none"),
        (Client::Confidential, "client_secret_basic"),
        (Client::Posting, "client_secret_post"),
        (Client::Signing("RS256"), "private_key_jwt"),
        (Client::Signing("PS256"), "private_key_jwt"),
        (Client::Signing("ES256"), "private_key_jwt"),
    ] {
        let asks = match client {
            Client::Public => Some((true, false)),
            Client::Confidential | Client::Posting => Some((false, true)),
            _ => None,
        };
        let world = World::with(client).await;
        let given = connected(&world).await;
        disconnect(&world).await;
        let end = looked_at(&world, 2).await;
        assert_eq!((end.state, steps(&end)), (RevocationState::Proven, vec![RevocationStep::Sealed, RevocationStep::Taken, RevocationStep::Dead]), "{method}");
        assert_eq!(world.peer.word(&given).await, DEAD, "{method}: in the provider's own words");
        if let Some((public, _)) = asks {
            let (id, secret) = world.peer.confidential_client();
            let client = if public { (world.peer.public_client(), None) } else { (id, Some(secret)) };
            assert_eq!(world.peer.refreshed(&given, client).await.as_deref(), Some("invalid_grant"), "{method}");
        }
        // Each token with the hint of its kind. With the first the whole grant ends, so that the provider knows the second no more and
        // says that all is well (RFC 7009 section 2.2).
        let came = came(&world, "revocation", &["method", "hint", "kind", "status"]).await;
        assert_eq!(came, [json!([method, "refresh_token", "RefreshToken", 200]), json!([method, "access_token", null, 200])]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_is_not_taken_ends_nothing_and_the_proof_says_whose_fault_it_is() {
    for (client, wrong, method) in [
        (Client::Confidential, "not-the-client-secret", "client_secret_basic"),
        (Client::Posting, "not-the-client-secret", "client_secret_post"),
        (Client::Signing("ES256"), FOREIGN, "private_key_jwt"),
    ] {
        let world = World::with(client).await;
        let right = match method {
            "private_key_jwt" => world.peer.signing_client("ES256").1,
            _ => world.peer.confidential_client().1,
        };
        let given = connected(&world).await;
        world.change_app(|app| app.client_secret = Some(Secret::new(wrong))).await;
        disconnect(&world).await;
        let refused = looked_at(&world, 1).await;
        assert_eq!((refused.state, steps(&refused)), (RevocationState::Sent, vec![RevocationStep::Sealed, RevocationStep::Refused]), "{method}: {:#?}", refused.proof.events);
        let words = told(&refused);
        assert!(words.contains("our-client") && words.contains("invalid_client") && !words.contains(wrong), "{words}");
        assert_eq!(world.peer.word(&given).await, ALIVE, "{method}: nothing has ended, and nothing is said to have");
        let came = came(&world, "revocation", &["method", "status", "error"]).await;
        assert!(!came.is_empty() && came.iter().all(|request| *request == json!([method, 401, "invalid_client"])), "{came:?}");

        world.change_app(|app| app.client_secret = Some(Secret::new(right))).await;
        revocation::retry(&world.engine, &world.grant, &refused.id.to_string()).await.unwrap();
        let end = looked_at(&world, 3).await;
        assert_eq!(end.state, RevocationState::Proven, "{method}: {:#?}", end.proof.events);
        assert_eq!(world.peer.word(&given).await, DEAD);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_cannot_end_what_another_was_given() {
    // A confidential one is told so; it stays wrong however often it is asked, and a person is needed.
    let world = World::with(Client::Confidential).await;
    let given = connected(&world).await;
    world.change_app(|app| app.client_id = world.peer.service_client().0.to_owned()).await;
    disconnect(&world).await;
    let mut row = looked_at(&world, 1).await;
    assert!(told(&row).contains("not authorized to revoke"), "{}", told(&row));
    while row.next_attempt_at.is_some() {
        row = next_look(&world).await;
    }
    assert_eq!(row.state, RevocationState::Failed, "{:#?}", row.proof.events);
    assert!(row.needs_person() && world.peer.word(&given).await == ALIVE);

    // To a public one it is said that all is well, and nothing has ended: only what is seen afterwards counts.
    let world = World::new().await;
    let given = connected(&world).await;
    world.change_app(|app| app.client_id = world.peer.narrow_client().to_owned()).await;
    disconnect(&world).await;
    let row = looked_at(&world, 2).await;
    assert_eq!((row.state, steps(&row)), (RevocationState::Alive, vec![RevocationStep::Sealed, RevocationStep::Taken, RevocationStep::Answered]));
    assert_eq!(world.peer.word(&given).await, ALIVE);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_goes_away_in_the_middle_is_asked_again_until_it_is_proven() {
    let world = World::with(Client::Confidential).await;
    let given = connected(&world).await;
    let away = |paths: Value| json!({ "refuse": paths["refuse"], "lose": paths["lose"], "ignore": paths["ignore"] });
    // Not reached at all, out of order, and gone after it has done what was asked: each time both tokens are sent.
    let mut row = None;
    for (number, (fault, alive)) in [("ignore", true), ("refuse", true), ("lose", false)].into_iter().enumerate() {
        let mut faults = json!({ "refuse": {}, "lose": {}, "ignore": {} });
        faults[fault]["/token/revocation"] = 2.into();
        world.peer.set(away(faults)).await;
        let now = match number {
            0 => {
                disconnect(&world).await;
                looked_at(&world, 1).await
            }
            _ => next_look(&world).await,
        };
        assert_eq!((now.state, steps(&now).last().copied()), (RevocationState::Sent, Some(RevocationStep::Unreachable)), "{fault}: {:#?}", now.proof.events);
        assert_eq!(world.peer.word(&given).await == ALIVE, alive, "{fault}");
        row = Some(now);
    }
    assert_eq!(world.peer.word(&given).await, DEAD, "it has ended, and nobody here knows it yet");
    assert_eq!(row.unwrap().attempts, 3);
    // It takes what it has ended before, and is gone when it is to be proven.
    world.peer.set(away(json!({ "refuse": { "/me": 9 }, "lose": {}, "ignore": {} }))).await;
    let taken = next_look(&world).await;
    assert_eq!(taken.state, RevocationState::Revoked, "{:#?}", taken.proof.events);
    assert!(taken.next_attempt_at.is_some(), "the proof is still to come");
    world.peer.set(away(json!({ "refuse": {}, "lose": {}, "ignore": {} }))).await;
    let asked = world.peer.asked_at("revocation").await.len();
    let end = next_look(&world).await;
    assert_eq!(end.state, RevocationState::Proven, "{:#?}", end.proof.events);
    assert_eq!(world.peer.asked_at("revocation").await.len(), asked, "what was taken is not sent again");
}

/// OpenID providers as the catalog has them, but for what proves the end of a token.
fn by_introspection() -> String {
    let manifest = include_str!("../../../providers/catalog/identity_openid.toml");
    let changed = manifest.replace("proof = \"probe\"", "proof = \"introspection\"");
    assert_ne!(changed, manifest);
    changed
}

async fn introspecting(client: Client) -> World {
    World::of_manifests(client, &[("identity_openid", &by_introspection())]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn introspection_proves_an_end_by_what_it_said_before() {
    for client in [Client::Public, Client::Confidential, Client::Signing("ES256")] {
        let world = introspecting(client).await;
        let given = connected(&world).await;
        disconnect(&world).await;
        let end = looked_at(&world, 2).await;
        assert_eq!(end.state, RevocationState::Proven, "{:#?}", end.proof.events);
        assert_eq!(steps(&end), [RevocationStep::Sealed, RevocationStep::Active, RevocationStep::Taken, RevocationStep::Dead]);
        assert_eq!(world.peer.word(&given).await, DEAD);
        let came = came(&world, "introspection", &["hint", "kind", "active"]).await;
        assert_eq!(came, [json!(["refresh_token", "RefreshToken", true]), json!(["refresh_token", null, false]), json!(["access_token", null, false])]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn introspection_that_says_the_same_of_everything_proves_nothing() {
    // Of what another client was given a public one is told that it is not active, and that its revocation is well (RFC 7662 section 2.2,
    // RFC 7009 section 2.1). Believed, that would be the proof of an end that never was.
    let world = introspecting(Client::Public).await;
    let given = connected(&world).await;
    world.change_app(|app| app.client_id = world.peer.narrow_client().to_owned()).await;
    disconnect(&world).await;
    let foreign = looked_at(&world, 2).await;
    assert_eq!((foreign.state, steps(&foreign)), (RevocationState::Revoked, vec![RevocationStep::Sealed, RevocationStep::Taken, RevocationStep::Unproven]));
    assert_eq!(world.peer.word(&given).await, ALIVE, "and it lives");
    assert!(foreign.next_attempt_at.is_none());

    // What had ended by itself, and what somebody ended at the provider, has not ended by us.
    for by_time in [true, false] {
        let world = introspecting(Client::Confidential).await;
        let given = connected(&world).await;
        match by_time {
            true => world.peer.set(json!({ "ahead": 15 * 86_400 })).await,
            false => world.peer.revoke().await,
        }
        assert_eq!(world.peer.word(&given).await, DEAD);
        disconnect(&world).await;
        let end = looked_at(&world, 2).await;
        assert_eq!((end.state, steps(&end)), (RevocationState::Revoked, vec![RevocationStep::Sealed, RevocationStep::Taken, RevocationStep::Unproven]), "{by_time}");
        let came = came(&world, "revocation", &["kind", "status"]).await;
        assert_eq!(came, [json!([null, 200]), json!([null, 200])], "the provider knows neither token and says that all is well");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn half_an_end_is_no_end() {
    let probing = include_str!("../../../providers/catalog/identity_openid.toml");
    let order = "order = [\"refresh\", \"access\"], ends = \"token\"";
    let asking = by_introspection();
    let access_alone = |manifest: &str, ends: &str| manifest.replace(order, &format!("order = [\"access\"], ends = \"{ends}\""));
    assert!(probing.contains(order));
    for (manifest, unsupported, expected, last) in [
        // The access token is refused, and of the refresh token nobody says anything: a person makes sure.
        (access_alone(probing, "token"), None, RevocationState::Failed, RevocationStep::Unproven),
        // The manifest says that they end together.
        (access_alone(probing, "set"), None, RevocationState::Proven, RevocationStep::Dead),
        // The provider says so itself.
        (access_alone(&asking, "token"), None, RevocationState::Proven, RevocationStep::Dead),
        // It takes no refresh tokens (RFC 7009 section 2.2.1).
        (probing.to_owned(), Some("RefreshToken"), RevocationState::Failed, RevocationStep::Unproven),
        (asking.clone(), Some("RefreshToken"), RevocationState::Proven, RevocationStep::Dead),
    ] {
        let world = World::of_manifests(Client::Confidential, &[("identity_openid", &manifest)]).await;
        let given = connected(&world).await;
        world.peer.set(json!({ "unsupported": unsupported })).await;
        disconnect(&world).await;
        let end = looked_at(&world, 2).await;
        assert_eq!((end.state, steps(&end).last().copied()), (expected, Some(last)), "{:#?}", end.proof.events);
        assert_eq!(steps(&end).contains(&RevocationStep::Partly), unsupported.is_some());
        assert_eq!(end.needs_person(), expected == RevocationState::Failed);
        assert!(end.next_attempt_at.is_none() && world.peer.word(&given).await == DEAD);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn introspection_that_cannot_be_asked_is_asked_again() {
    let world = introspecting(Client::Confidential).await;
    connected(&world).await;
    // Once before, and once afterwards.
    world.peer.set(json!({ "refuse": { "/token/introspection": 1 } })).await;
    disconnect(&world).await;
    let end = looked_at(&world, 2).await;
    assert_eq!(
        (end.state, steps(&end)),
        (RevocationState::Proven, vec![RevocationStep::Sealed, RevocationStep::Active, RevocationStep::Taken, RevocationStep::Dead]),
        "of one token it was said"
    );
    let world = introspecting(Client::Confidential).await;
    let given = connected(&world).await;
    world.peer.set(json!({ "lose": { "/token/introspection": 9 } })).await;
    disconnect(&world).await;
    let row = looked_at(&world, 2).await;
    assert_eq!((row.state, steps(&row)), (RevocationState::Revoked, vec![RevocationStep::Sealed, RevocationStep::Taken, RevocationStep::Unreachable]));
    world.peer.set(json!({ "lose": {} })).await;
    let end = next_look(&world).await;
    assert_eq!((end.state, steps(&end).last().copied()), (RevocationState::Revoked, Some(RevocationStep::Unproven)), "nobody was told before that it worked");
    assert_eq!(world.peer.word(&given).await, Word { access: false, refresh: false, userinfo: 401 });
}

/// What the renewal found out, in its order, of the newest attempt.
async fn journal(world: &World) -> Vec<(RefreshStep, Option<Value>)> {
    let attempts = integration::journal(&world.engine, &world.grant, &world.account, &world.integration.id.to_string()).await.unwrap();
    attempts[0].steps.iter().map(|taken| (taken.step.step, taken.step.note.clone())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewal_whose_answer_was_lost_asks_whether_its_token_lives() {
    // It never arrived: the token lives, is sent again, and rotates.
    let world = World::with(Client::Confidential).await;
    connected(&world).await;
    world.peer.set(json!({ "ignore": { "/token": 2 } })).await;
    world.advance(HOUR + 60);
    world.userinfo().await.unwrap_err();
    world.advance(60);
    assert_eq!(world.userinfo().await.unwrap().as_deref(), Some("Ada Lovelace"));
    assert_eq!(world.now_integration().await.status, IntegrationStatus::Active);
    let asked = came(&world, "introspection", &["hint", "kind", "active"]).await;
    assert!(!asked.is_empty() && asked.iter().all(|request| *request == json!(["refresh_token", "RefreshToken", true])), "{asked:?}");
    assert!(world.peer.refreshes().await.iter().all(|request| request["status"] == 200), "no dead token was sent");
    assert!(journal(&world).await.iter().any(|(step, note)| *step == RefreshStep::Introspected && note.as_ref().is_some_and(|note| note["active"] == true)));

    // It arrived and its answer was lost: the token was replaced, is dead, and is not sent again, which would end what came of it.
    let world = World::with(Client::Confidential).await;
    connected(&world).await;
    world.peer.set(json!({ "lose_answers": 1 })).await;
    world.advance(HOUR + 60);
    world.userinfo().await.unwrap_err();
    assert_eq!(world.now_integration().await.status, IntegrationStatus::NeedsAttention { cause: AttentionCause::RefreshUncertain });
    let asked = came(&world, "introspection", &["hint", "active"]).await;
    assert_eq!(asked, [json!(["refresh_token", false])]);
    assert_eq!(world.peer.refreshes().await.len(), 1);
    assert_eq!(world.peer.word(&world.peer.newest().await).await, ALIVE, "what nobody got lives on at the provider");
    let found = journal(&world).await;
    let kinds: Vec<RefreshStep> = found.iter().map(|(step, _)| *step).collect();
    assert_eq!(kinds, [RefreshStep::Introspected, RefreshStep::Dead, RefreshStep::Attention], "{found:?}");
    assert_eq!(found[0].1, Some(json!({ "active": false })));
}

/// OpenID providers as the catalog has them, and that a revocation ends one consent is verified.
fn ending_one_consent() -> String {
    let manifest = include_str!("../../../providers/catalog/identity_openid.toml");
    let changed = manifest.replace("revocation.how.rfc7009.ends\" = \"unverified\"", "revocation.how.rfc7009.ends\" = \"observed: oidc-provider\"");
    assert_ne!(changed, manifest);
    changed
}

/// What the journal says of the tokens that others took the place of.
async fn replaced(world: &World) -> String {
    let attempts = integration::journal(&world.engine, &world.grant, &world.account, &world.integration.id.to_string()).await.unwrap();
    let step = attempts.iter().flat_map(|attempt| &attempt.steps).find(|taken| taken.step.step == RefreshStep::Reconnected).expect("a person connected again");
    step.step.note.as_ref().unwrap()["words"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_consent_ends_the_one_before_where_that_is_known_to_leave_it_alive() {
    let world = World::of_manifests(Client::Confidential, &[("identity_openid", &ending_one_consent())]).await;
    let old = connected(&world).await;
    let new = connected(&world).await;
    let end = looked_at(&world, 2).await;
    assert_eq!((end.state, end.reason), (RevocationState::Proven, RevocationReason::Replaced), "{:#?}", end.proof.events);
    assert_eq!((world.peer.word(&old).await, world.peer.word(&new).await), (DEAD, ALIVE), "in the provider's own words");
    assert_eq!(world.userinfo().await.unwrap().as_deref(), Some("Ada Lovelace"));
    assert!(replaced(&world).await.contains("which ends them alone"));

    // As the catalog has it: nobody knows that of every OpenID provider.
    let world = World::with(Client::Confidential).await;
    let old = connected(&world).await;
    let new = connected(&world).await;
    assert_eq!(revocation::list(&world.engine, &world.grant, ListQuery::default()).await.unwrap().items, []);
    assert_eq!((world.peer.word(&old).await, world.peer.word(&new).await), (ALIVE, ALIVE));
    let words = replaced(&world).await;
    assert!(words.contains("left to end by themselves") && words.contains("nobody has verified"), "{words}");
}
