use patchbay_engine::member::{self, CreateMember, UpdateMember};
use patchbay_engine::{organization, session};
use patchbay_model::member::{MemberState, MemberType};
use patchbay_model::{Code, Secret};

use crate::world::{HOUR, World, caller};

const GOOD: &str = "four words that fit";

fn person(name: &str, secret: Option<&str>, roles: &[&str]) -> CreateMember {
    CreateMember {
        name: name.to_owned(),
        fullname: None,
        nickname: None,
        picture: None,
        secret: secret.map(Secret::new),
        role_binding: roles.iter().map(|&role| role.to_owned()).collect(),
        member_type: MemberType::Personal,
        ttl: None,
        token_ttl: None,
        options: vec![],
    }
}

fn unchanged() -> UpdateMember {
    UpdateMember { name: None, fullname: None, nickname: None, picture: None, state: None, role_binding: None, token_ttl: None, expected: None }
}

async fn try_logon(world: &World, name: &str, secret: &str) -> Result<member::Logon, patchbay_model::Problem> {
    member::logon(&world.engine, "acme-tools", name, Secret::new(secret), caller()).await
}

#[tokio::test]
async fn a_member_signs_in_with_its_roles_and_signs_off() {
    let world = World::new().await;
    let made = member::create(&world.engine, &world.grant, person("ada@example.com", Some(GOOD), &["viewer"])).await.unwrap();
    assert_eq!(made.state, MemberState::Enabled);
    let logon = try_logon(&world, "Ada@Example.com", GOOD).await.unwrap();
    let pair = logon.token.primary.as_ref().unwrap();
    assert_eq!(pair.access.expires.since(world.engine.now()).as_secs(), HOUR);
    let secret = pair.access.secret.as_ref().unwrap().expose().to_owned();
    let grant = world.management(&secret).await;
    assert!(organization::get(&world.engine, &grant).await.is_ok());
    assert_eq!(member::create(&world.engine, &grant, person("b@example.com", None, &[])).await.unwrap_err().code, Code::PermissionDenied);

    // A wider role acts at once, and so does its loss.
    let wider = UpdateMember { role_binding: Some(vec!["administrator".to_owned()]), ..unchanged() };
    member::update(&world.engine, &world.grant, "ada@example.com", wider).await.unwrap();
    let grant = world.management(&secret).await;
    assert!(member::create(&world.engine, &grant, person("b@example.com", None, &[])).await.is_ok());
    let disabled = UpdateMember { state: Some(MemberState::Disabled), ..unchanged() };
    member::update(&world.engine, &world.grant, "ada@example.com", disabled).await.unwrap();
    assert_eq!(world.verify(&secret).await.unwrap_err().code, Code::TokenInvalid);
    let enabled = UpdateMember { state: Some(MemberState::Enabled), ..unchanged() };
    member::update(&world.engine, &world.grant, "ada@example.com", enabled).await.unwrap();
    let grant = world.management(&secret).await;
    member::logoff(&world.engine, &grant).await.unwrap();
    assert_eq!(world.verify(&secret).await.unwrap_err().code, Code::TokenInvalid);
}

#[tokio::test]
async fn repeated_failures_lock_for_a_while_and_unknown_names_answer_alike() {
    let world = World::new().await;
    member::create(&world.engine, &world.grant, person("ada@example.com", Some(GOOD), &[])).await.unwrap();
    let begun = std::time::Instant::now();
    let unknown = try_logon(&world, "nobody@example.com", GOOD).await.err().unwrap();
    assert!(begun.elapsed().as_millis() >= 250, "a failure takes its time");
    for _ in 0..member::LOCK_AFTER {
        let wrong = try_logon(&world, "ada@example.com", "not her password").await.err().unwrap();
        assert_eq!((wrong.code, &wrong.message), (Code::LogonFailed, &unknown.message));
    }
    let locked = try_logon(&world, "ada@example.com", GOOD).await.err().unwrap();
    assert!(locked.message.contains("locked"), "{}", locked.message);
    assert_eq!(try_logon(&world, "ada@example.com", "still wrong").await.err().unwrap().message, unknown.message, "who does not know the password learns nothing");
    world.advance(member::LOCK_LASTS.as_secs());
    let logon = try_logon(&world, "ada@example.com", GOOD).await.unwrap();
    assert_eq!((logon.member.state, logon.member.failed_logons), (MemberState::Enabled, 0));
}

#[tokio::test]
async fn a_new_password_ends_every_other_logon_and_session() {
    let world = World::new().await;
    member::create(&world.engine, &world.grant, person("ada@example.com", Some(GOOD), &["administrator"])).await.unwrap();
    let secret = |logon: &member::Logon| logon.token.primary.as_ref().unwrap().access.secret.as_ref().unwrap().expose().to_owned();
    let first = secret(&try_logon(&world, "ada@example.com", GOOD).await.unwrap());
    let grant = world.management(&first).await;
    let browser = session::begin(&world.engine, &grant).await.unwrap();
    let wrong = member::change_password(&world.engine, &grant, Secret::new("wrong"), Secret::new("another good phrase")).await.err().unwrap();
    assert_eq!(wrong.code, Code::LogonFailed);
    let weak = member::change_password(&world.engine, &grant, Secret::new(GOOD), Secret::new("acme-tools1")).await.err().unwrap();
    assert_eq!(weak.code, Code::WeakPassword);
    let second = member::change_password(&world.engine, &grant, Secret::new(GOOD), Secret::new("another good phrase")).await.unwrap();
    assert!(world.verify(&first).await.is_err());
    assert!(session::resume(&world.engine, browser.handle.expose(), caller()).await.is_err());
    world.management(&secret(&second)).await;
    assert!(try_logon(&world, "ada@example.com", GOOD).await.is_err());
    assert!(try_logon(&world, "ada@example.com", "another good phrase").await.is_ok());
}

#[tokio::test]
async fn the_last_root_administrator_stays() {
    let world = World::new().await;
    let root = world.created.member.id.to_string();
    let weaker = UpdateMember { role_binding: Some(vec!["viewer".to_owned()]), ..unchanged() };
    let disabled = UpdateMember { state: Some(MemberState::Disabled), ..unchanged() };
    assert_eq!(member::delete(&world.engine, &world.grant, &root).await.unwrap_err().code, Code::InUse);
    assert_eq!(member::update(&world.engine, &world.grant, &root, weaker.clone()).await.unwrap_err().code, Code::InUse);
    assert_eq!(member::update(&world.engine, &world.grant, &root, disabled).await.unwrap_err().code, Code::InUse);
    member::create(&world.engine, &world.grant, person("second@example.com", Some(GOOD), &["root_administrator"])).await.unwrap();
    assert!(member::update(&world.engine, &world.grant, &root, weaker).await.is_ok());
}

#[tokio::test]
async fn bad_members_are_refused() {
    let world = World::new().await;
    for (new, code) in [
        (person("not an address", Some(GOOD), &[]), Code::InvalidField),
        (person("a@example.com", Some("short"), &[]), Code::WeakPassword),
        (person("a@example.com", Some(GOOD), &["emperor"]), Code::InvalidField),
    ] {
        assert_eq!(member::create(&world.engine, &world.grant, new).await.unwrap_err().code, code);
    }
    member::create(&world.engine, &world.grant, person("a@example.com", None, &[])).await.unwrap();
    assert_eq!(member::create(&world.engine, &world.grant, person("A@example.com", None, &[])).await.unwrap_err().code, Code::NameTaken);
    let invited = try_logon(&world, "a@example.com", "anything at all").await.err().unwrap();
    assert_eq!(invited.code, Code::LogonFailed, "an invitation is no password");
}

#[tokio::test]
async fn a_password_that_must_be_changed_opens_nothing_else() {
    let world = World::new().await;
    let new = CreateMember { options: vec!["expired".to_owned()], ..person("ada@example.com", Some(GOOD), &["administrator"]) };
    member::create(&world.engine, &world.grant, new).await.unwrap();
    let logon = try_logon(&world, "ada@example.com", GOOD).await.unwrap();
    let secret = logon.token.primary.as_ref().unwrap().access.secret.as_ref().unwrap().expose().to_owned();
    let grant = world.management(&secret).await;
    assert!(grant.password_expired());
    assert!(organization::get(&world.engine, &grant).await.is_ok());
    assert_eq!(member::list(&world.engine, &grant, Default::default()).await.unwrap_err().code, Code::PermissionDenied);
    assert_eq!(patchbay_engine::account::list(&world.engine, &grant, Default::default()).await.unwrap_err().code, Code::PermissionDenied);
    let changed = member::change_password(&world.engine, &grant, Secret::new(GOOD), Secret::new("another good phrase")).await.unwrap();
    let secret = changed.token.primary.as_ref().unwrap().access.secret.as_ref().unwrap().expose().to_owned();
    assert!(member::list(&world.engine, &world.management(&secret).await, Default::default()).await.is_ok());
}
