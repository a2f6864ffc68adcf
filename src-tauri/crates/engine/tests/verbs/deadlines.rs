//! Deadlines: what is written when something is stored, what a list tells, and to whom.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use patchbay_engine::credential::{self, CreateCredential, UpdateCredential};
use patchbay_engine::deadline::{self, DeadlineQuery, Deadlines};
use patchbay_engine::member::{self, CreateMember};
use patchbay_engine::provider_app::{self, CreateProviderApp, UpdateProviderApp};
use patchbay_engine::token::{self, CreateToken};
use patchbay_engine::{ManagementGrant, deletion};
use patchbay_model::deadline::{Actor, DeadlineKind};
use patchbay_model::member::MemberType;
use patchbay_model::permission::{AccountSelector, IdOrAll, PermissionSet, ResourceScope};
use patchbay_model::{Environment, Secret, Timestamp};
use serde_json::json;

use crate::world::World;

const DAY: u64 = 86_400;

fn ahead(days: u64) -> DeadlineQuery {
    DeadlineQuery { within: Duration::from_secs(days * DAY), kinds: None, who: None, account: None, limit: deadline::MOST }
}

fn in_days(world: &World, days: u64) -> Timestamp {
    world.engine.now().plus(Duration::from_secs(days * DAY))
}

#[expect(clippy::unwrap_used, reason = "a helper of tests")]
async fn listed(world: &World, grant: &ManagementGrant, query: DeadlineQuery) -> Deadlines {
    deadline::list(&world.engine, grant, query).await.unwrap()
}

fn names(deadlines: &Deadlines) -> Vec<(DeadlineKind, &str)> {
    deadlines.items.iter().map(|one| (one.kind, one.object.name.as_str())).collect()
}

fn entered(name: &str, expires: Option<Timestamp>) -> CreateCredential {
    CreateCredential {
        name: Some(name.replace(" ", "-")),
        fullname: Some(name.to_owned()),
        config: Some(json!({ "type": "token", "secret": "s" })),
        expires,
        ..CreateCredential::default()
    }
}

fn app(expires: Option<Timestamp>) -> CreateProviderApp {
    CreateProviderApp {
        name: Some("jira".to_owned()),
        fullname: Some("Our Jira app".to_owned()),
        provider: "ticketing_jira".to_owned(),
        issuer: None,
        client_id: "c".to_owned(),
        client_secret: Some(Secret::new("hidden")),
        redirect_uris: Vec::new(),
        scopes: Vec::new(),
        secret_expires: expires,
    }
}

/// A certificate of a client that ends on 22 November 2027.
#[expect(clippy::unwrap_used, reason = "a helper of tests")]
fn certificate() -> String {
    let key = rcgen::KeyPair::generate().unwrap();
    let mut parameters = rcgen::CertificateParams::new(vec!["client.test".to_owned()]).unwrap();
    parameters.not_after = rcgen::date_time_ymd(2027, 11, 22);
    let der = parameters.self_signed(&key).unwrap().der().to_vec();
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", STANDARD.encode(der))
}

#[tokio::test]
async fn everything_that_ends_stands_in_one_list() {
    let world = World::new().await;
    world.account("globex", Environment::Prod, &[]).await;
    credential::create(&world.engine, &world.grant, "globex", entered("api key", Some(in_days(&world, 20)))).await.unwrap();
    credential::create(&world.engine, &world.grant, "globex", entered("for ever", None)).await.unwrap();
    let certificate = CreateCredential {
        name: Some("client".to_owned()),
        fullname: Some("client certificate".to_owned()),
        config: Some(json!({ "type": "tls_certificate", "certificate": certificate(), "private_key": "k" })),
        ..CreateCredential::default()
    };
    credential::create(&world.engine, &world.grant, "globex", certificate).await.unwrap();
    provider_app::create(&world.engine, &world.grant, app(Some(in_days(&world, 10)))).await.unwrap();
    world.mock("globex", "tickets").await;
    token::mint_integration(&world.engine, &world.grant, "globex", "tickets", Some("pipeline".to_owned()), Some("720h".to_owned())).await.unwrap();
    token::mint_integration(&world.engine, &world.grant, "globex", "tickets", Some("a-moment".to_owned()), None).await.unwrap();
    let temporary = CreateMember {
        name: "temp@example.com".to_owned(),
        fullname: Some("A temporary one".to_owned()),
        nickname: None,
        picture: None,
        secret: Some(Secret::new("korrekt-Pferd-71-Batterie")),
        role_binding: vec!["viewer".to_owned()],
        member_type: MemberType::Personal,
        ttl: Some("120h".to_owned()),
        token_ttl: None,
        options: vec![],
    };
    member::create(&world.engine, &world.grant, temporary).await.unwrap();

    let all = listed(&world, &world.grant, ahead(400)).await;
    assert_eq!(
        names(&all),
        [
            (DeadlineKind::Member, "A temporary one"),
            (DeadlineKind::Secret, "Our Jira app"),
            (DeadlineKind::Secret, "api key"),
            (DeadlineKind::Token, "pipeline"),
            (DeadlineKind::Certificate, "client certificate"),
        ],
        "the earliest first; a token that can be refreshed does not end, and one of minutes is no deadline"
    );
    assert!(all.items.iter().all(|one| one.who == Actor::Person && !one.next_step.is_empty()));
    let key = &all.items[2];
    assert_eq!((key.at, key.object.account.as_ref().map(|(_, name)| name.as_str())), (in_days(&world, 20), Some("globex")));
    assert_eq!(all.items[4].at, "2027-11-22T00:00:00Z".parse().unwrap());

    assert_eq!(names(&listed(&world, &world.grant, ahead(15)).await).len(), 2, "what lies farther ahead waits");
    let only = DeadlineQuery { kinds: Some(vec![DeadlineKind::Certificate, DeadlineKind::Sunset]), ..ahead(400) };
    assert_eq!(names(&listed(&world, &world.grant, only).await), [(DeadlineKind::Certificate, "client certificate")]);
    assert!(listed(&world, &world.grant, DeadlineQuery { who: Some(Actor::Patchbay), ..ahead(400) }).await.items.is_empty());
    let two = listed(&world, &world.grant, DeadlineQuery { limit: 2, ..ahead(400) }).await;
    assert_eq!((two.items.len(), two.more), (2, true));

    world.advance(25 * DAY);
    let late = listed(&world, &world.grant, ahead(1)).await;
    assert!(names(&late).contains(&(DeadlineKind::Secret, "api key")), "what a person missed is told all the same");
}

#[tokio::test]
async fn a_deadline_follows_what_it_is_of() {
    let world = World::new().await;
    world.account("globex", Environment::Prod, &[]).await;
    let made = credential::create(&world.engine, &world.grant, "globex", entered("api key", Some(in_days(&world, 20)))).await.unwrap();
    let app = provider_app::create(&world.engine, &world.grant, app(Some(in_days(&world, 10)))).await.unwrap();
    let change = UpdateCredential { expires: Some(in_days(&world, 50)), ..UpdateCredential::default() };
    credential::update(&world.engine, &world.grant, "globex", "api-key", change).await.unwrap_or_else(|problem| panic!("{problem}"));
    let update = |client_secret: Option<Secret>, secret_expires| UpdateProviderApp {
        name: None,
        fullname: None,
        issuer: None,
        client_id: "c".to_owned(),
        client_secret,
        redirect_uris: Vec::new(),
        scopes: Vec::new(),
        secret_expires,
        expected: None,
    };
    provider_app::update(&world.engine, &world.grant, "jira", update(Some(Secret::new("next")), Some(in_days(&world, 90)))).await.unwrap();
    let all = listed(&world, &world.grant, ahead(400)).await;
    assert_eq!(all.items.iter().map(|one| one.at).collect::<Vec<_>>(), [in_days(&world, 50), in_days(&world, 90)]);
    let ids: Vec<String> = all.items.iter().map(|one| one.id.clone()).collect();
    assert_eq!(ids, [format!("secret-main-{}", made.id), format!("secret-main-{}", app.id)], "the same at every reading");

    // A public client has no secret that could end.
    let public = provider_app::update(&world.engine, &world.grant, "jira", update(Some(Secret::new("")), Some(in_days(&world, 90)))).await.unwrap();
    assert_eq!(public.secret_expires, None);
    let deleted = credential::delete(&world.engine, &world.grant, "globex", "api-key").await.unwrap();
    assert!(listed(&world, &world.grant, ahead(400)).await.items.is_empty(), "what is deleted has no deadline");
    deletion::undo(&world.engine, &world.grant, &deleted.id.to_string()).await.unwrap();
    assert_eq!(names(&listed(&world, &world.grant, ahead(400)).await), [(DeadlineKind::Secret, "api key")], "and has it again with the undo");
}

#[tokio::test]
async fn nobody_is_told_of_what_lies_out_of_reach() {
    let world = World::new().await;
    for name in ["globex", "initech"] {
        world.account(name, Environment::Prod, &[]).await;
        credential::create(&world.engine, &world.grant, name, entered(&format!("key of {name}"), Some(in_days(&world, 20)))).await.unwrap();
    }
    provider_app::create(&world.engine, &world.grant, app(Some(in_days(&world, 10)))).await.unwrap();
    let account = patchbay_engine::account::get(&world.engine, &world.grant, "globex").await.unwrap();
    let accounts = Some(AccountSelector { ids: Some(vec![IdOrAll::Id(account.id)]), ..AccountSelector::default() });
    let new = CreateToken { name: None, fullname: None, resources: ResourceScope { accounts, ..ResourceScope::default() }, permission_set: PermissionSet::Viewer, token_ttl: None };
    let minted = token::mint(&world.engine, &world.grant, new).await.unwrap();
    let grant = world.management(minted.primary.unwrap().access.secret.unwrap().expose()).await;
    let theirs = listed(&world, &grant, ahead(400)).await;
    assert!(names(&theirs).contains(&(DeadlineKind::Secret, "key of globex")) && !names(&theirs).contains(&(DeadlineKind::Secret, "key of initech")), "{theirs:?}");
    assert!(theirs.items.iter().all(|one| one.kind != DeadlineKind::Member));
    let of_one = listed(&world, &world.grant, DeadlineQuery { account: Some(account.id), ..ahead(400) }).await;
    assert_eq!(names(&of_one), [(DeadlineKind::Secret, "key of globex")]);
}
