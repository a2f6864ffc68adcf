use std::time::Duration;

use patchbay_engine::member::{self, CreateMember, UpdateMember};
use patchbay_engine::{organization, session, token};
use patchbay_model::list::{Filter, ListQuery, Operator};
use patchbay_model::member::{MemberOption, MemberState, MemberType};
use patchbay_model::organization::OrganizationOptions;
use patchbay_model::permission::PermissionSet;
use patchbay_model::web::LinkPurpose;
use patchbay_model::{Code, Secret};

use crate::world::{DAY, HOUR, World, caller};

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
    UpdateMember {
        name: None,
        fullname: None,
        nickname: None,
        picture: None,
        state: None,
        ttl: None,
        expires: None,
        pin_expires: None,
        role_binding: None,
        token_ttl: None,
        expected: None,
    }
}

fn access(logon: &member::Logon) -> String {
    logon.token.primary.as_ref().unwrap().access.secret.as_ref().unwrap().expose().to_owned()
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
    let locked = member::get(&world.engine, &world.grant, "ada@example.com").await.unwrap();
    assert_eq!((locked.state, locked.locked_until), (MemberState::Locked, Some(world.engine.now().plus(member::LOCK_LASTS))));
    let right = try_logon(&world, "ada@example.com", GOOD).await.err().unwrap();
    assert_eq!((right.code, &right.message), (Code::LogonFailed, &unknown.message), "else a guesser would learn that the guess was right");
    world.advance(member::LOCK_LASTS.as_secs() - 1);
    assert!(try_logon(&world, "ada@example.com", "a guess in between").await.is_err(), "tries during the lock do not prolong it");
    world.advance(1);
    let logon = try_logon(&world, "ada@example.com", GOOD).await.unwrap();
    assert_eq!((logon.member.state, logon.member.failed_logons, logon.member.locked_until), (MemberState::Enabled, 0, None));
    let alarms = ListQuery { filters: vec![Filter { field: "audit_type".to_owned(), operator: Operator::Eq, values: vec!["ALARM".to_owned()] }], ..ListQuery::default() };
    let alarms = patchbay_engine::audit::list(&world.engine, &world.grant, alarms).await.unwrap().items;
    assert_eq!(alarms.iter().map(|row| (row.code.as_str(), row.remote_addr.as_str())).collect::<Vec<_>>(), [("member_locked", "192.0.2.7")]);
}

#[tokio::test]
async fn wrong_passwords_shut_nobody_out() {
    let world = World::new().await;
    let root = world.created.member.name.to_string();
    let token = world.created.token.primary.as_ref().unwrap().access.secret.as_ref().unwrap().expose().to_owned();
    let guess = async || {
        for _ in 0..=member::LOCK_AFTER {
            assert!(try_logon(&world, &root, "guess").await.is_err());
        }
    };
    guess().await;
    assert_eq!(member::get(&world.engine, &world.grant, &root).await.unwrap().state, MemberState::Enabled, "without a password there is nothing to guess");
    let reset = member::create_link(&world.engine, &world.grant, &root, LinkPurpose::Reset).await.unwrap();
    member::redeem_link(&world.engine, &reset.secret, Secret::new(GOOD), caller()).await.unwrap();
    guess().await;
    assert_eq!(member::get(&world.engine, &world.grant, &root).await.unwrap().state, MemberState::Locked);
    world.management(&token).await;
    let holder = world.engine.local_grant(world.created.organization.id, patchbay_model::Origin::Cli).await.unwrap();
    let unlocked = member::unlock(&world.engine, &holder, &root).await.unwrap();
    assert_eq!((unlocked.state, unlocked.locked_until), (MemberState::Enabled, None));
    assert!(try_logon(&world, &root, GOOD).await.is_ok());
}

#[tokio::test]
async fn parallel_guesses_count_each_and_never_more_are_looked_at() {
    let world = World::new().await;
    member::create(&world.engine, &world.grant, person("ada@example.com", Some(GOOD), &[])).await.unwrap();
    // The right one among many wrong ones at once: at most as many as the lock allows are compared.
    let guesses = (0..12).map(|n| {
        let engine = world.engine.clone();
        tokio::spawn(async move { member::logon(&engine, "acme-tools", "ada@example.com", Secret::new(format!("guess number {n}")), caller()).await.is_ok() })
    });
    for guess in guesses.collect::<Vec<_>>() {
        assert!(!guess.await.unwrap());
    }
    let locked = member::get(&world.engine, &world.grant, "ada@example.com").await.unwrap();
    assert_eq!((locked.state, locked.failed_logons), (MemberState::Locked, 0), "those behind the lock are not counted");
}

#[tokio::test]
async fn whoever_knows_the_password_is_told_why_it_does_not_open() {
    let world = World::new().await;
    let code = async |name: &str, secret: &str| try_logon(&world, name, secret).await.err().unwrap().code;
    for (option, known) in [
        (MemberOption::Disabled, Code::MemberDisabled),
        (MemberOption::Invited, Code::MemberInvited),
        (MemberOption::Locked, Code::MemberLocked),
        (MemberOption::Forgotten, Code::LogonFailed),
    ] {
        let name = format!("{option:?}@example.com").to_lowercase();
        let made = member::create(&world.engine, &world.grant, CreateMember { options: vec![option], ..person(&name, Some(GOOD), &[]) }).await.unwrap();
        assert_eq!(Some(made.state), option.state());
        assert_eq!(code(&name, GOOD).await, known, "{option:?}");
        assert_eq!(code(&name, "not the password").await, Code::LogonFailed, "{option:?}: a stranger is told nothing");
        for _ in 1..member::LOCK_AFTER {
            code(&name, "not the password").await;
        }
        assert_eq!(code(&name, GOOD).await, Code::LogonFailed, "{option:?}: nor may he go on guessing");
        assert_eq!(Some(member::get(&world.engine, &world.grant, &name).await.unwrap().state), option.state(), "failures do not change its state");
    }
    let two = CreateMember { options: vec![MemberOption::Disabled, MemberOption::Locked], ..person("two@example.com", Some(GOOD), &[]) };
    assert_eq!(member::create(&world.engine, &world.grant, two).await.unwrap_err().code, Code::InvalidField);
}

#[tokio::test]
async fn a_member_whose_time_is_over_lives_again_with_a_new_password() {
    let world = World::new().await;
    let new = CreateMember { ttl: Some("48h".to_owned()), token_ttl: Some("24h".to_owned()), ..person("ada@example.com", Some(GOOD), &["administrator"]) };
    let made = member::create(&world.engine, &world.grant, new.clone()).await.unwrap();
    assert_eq!(made.expires, Some(world.engine.now().plus(Duration::from_secs(48 * HOUR))));
    for ttl in ["23h", "87601h", "soon"] {
        let bad = CreateMember { ttl: Some(ttl.to_owned()), ..person("b@example.com", Some(GOOD), &[]) };
        assert_eq!(member::create(&world.engine, &world.grant, bad).await.unwrap_err().code, Code::InvalidField, "{ttl}");
    }
    world.advance(30 * HOUR);
    let logon = try_logon(&world, "ada@example.com", GOOD).await.unwrap();
    let own = access(&logon);
    let program = token::CreateToken { name: None, fullname: None, resources: Default::default(), permission_set: PermissionSet::Viewer, token_ttl: None };
    let program = token::mint(&world.engine, &world.management(&own).await, program).await.unwrap().primary.unwrap().access.secret.unwrap();
    world.advance(20 * HOUR);
    assert_eq!(world.verify(program.expose()).await.unwrap_err().code, Code::TokenInvalid, "tokens of an expired member are dead");
    let grant = world.management(&own).await;
    assert!(grant.password_expired(), "a logon can change the password and nothing else");
    assert_eq!(member::list(&world.engine, &grant, ListQuery::default()).await.unwrap_err().code, Code::PermissionDenied);
    assert!(try_logon(&world, "ada@example.com", GOOD).await.unwrap().member.must_change_password(world.engine.now()));
    let changed = member::change_password(&world.engine, &grant, Secret::new(GOOD), Secret::new("another good phrase")).await.unwrap();
    assert_eq!(changed.expires, Some(world.engine.now().plus(Duration::from_secs(48 * HOUR))));
    assert!(member::list(&world.engine, &world.management(&own).await, ListQuery::default()).await.is_ok());
    world.management(program.expose()).await;
}

#[tokio::test]
async fn passwords_age_as_the_organization_says() {
    let world = World::new().await;
    let organization = organization::get(&world.engine, &world.grant).await.unwrap();
    let policy =
        |options: OrganizationOptions| organization::UpdateOrganization { name: None, fullname: None, contact: None, reply_to: None, picture: None, options, expected: None };
    assert_eq!(organization.options, OrganizationOptions::default());
    let made = member::create(&world.engine, &world.grant, person("ada@example.com", Some(GOOD), &[])).await.unwrap();
    assert_eq!(made.pin_expires, Some(world.engine.now().plus(Duration::from_secs(180 * DAY))), "180 days where nothing is said");
    let strict = OrganizationOptions { password_duration: Some(Duration::from_secs(DAY)), minimum_password_length: Some(24), ..OrganizationOptions::default() };
    organization::update(&world.engine, &world.grant, policy(strict)).await.unwrap();
    assert_eq!(member::create(&world.engine, &world.grant, person("b@example.com", Some(GOOD), &[])).await.unwrap_err().code, Code::WeakPassword);
    let long = "nine lives of a purple lantern";
    let made = member::create(&world.engine, &world.grant, person("b@example.com", Some(long), &[])).await.unwrap();
    assert_eq!(made.pin_expires, Some(world.engine.now().plus(Duration::from_secs(DAY))));
    for options in [
        OrganizationOptions { invite_duration: Some(Duration::from_secs(169 * HOUR)), ..OrganizationOptions::default() },
        OrganizationOptions { forgot_duration: Some(Duration::from_secs(23 * HOUR)), ..OrganizationOptions::default() },
        OrganizationOptions { password_duration: Some(Duration::from_secs(366 * DAY)), ..OrganizationOptions::default() },
        OrganizationOptions { minimum_password_length: Some(72), ..OrganizationOptions::default() },
    ] {
        assert_eq!(organization::update(&world.engine, &world.grant, policy(options)).await.unwrap_err().code, Code::InvalidField);
    }
}

#[tokio::test]
async fn an_invitation_is_taken_once_and_a_newer_one_replaces_it() {
    let world = World::new().await;
    let invited = member::create(&world.engine, &world.grant, person("ada@example.com", None, &["viewer"])).await.unwrap();
    let link = async |purpose| member::create_link(&world.engine, &world.grant, "ada@example.com", purpose).await;
    assert_eq!(link(LinkPurpose::Reset).await.err().unwrap().code, Code::InvalidField, "there is nothing to reset");
    assert_eq!(link(LinkPurpose::Setup).await.err().unwrap().code, Code::InvalidField);
    let first = link(LinkPurpose::Invitation).await.unwrap();
    assert_eq!(first.expires, world.engine.now().plus(Duration::from_secs(7 * DAY)));
    let second = link(LinkPurpose::Invitation).await.unwrap();
    let redeem = async |link: &member::MemberLink, password: &str| member::redeem_link(&world.engine, &link.secret, Secret::new(password), caller()).await;
    assert_eq!(redeem(&first, "another good phrase").await.err().unwrap().code, Code::TokenInvalid, "a newer one was made");
    let offer = member::look_at_link(&world.engine, &second.secret).await.unwrap();
    assert_eq!((offer.member.id, offer.purpose), (invited.id, LinkPurpose::Invitation));
    assert_eq!(redeem(&second, "ada@example.com").await.err().unwrap().code, Code::WeakPassword);
    let logon = redeem(&second, "another good phrase").await.unwrap();
    assert_eq!((logon.member.state, logon.member.has_password), (MemberState::Enabled, true));
    world.management(&access(&logon)).await;
    assert_eq!(redeem(&second, "yet another phrase").await.err().unwrap().code, Code::TokenInvalid, "it works once");
    assert_eq!(member::look_at_link(&world.engine, &second.secret).await.err().unwrap().code, Code::TokenInvalid);
    assert!(try_logon(&world, "ada@example.com", "another good phrase").await.is_ok());
    assert_eq!(link(LinkPurpose::Invitation).await.err().unwrap().code, Code::InvalidField, "who can sign in needs no invitation");
}

#[tokio::test]
async fn a_reset_makes_the_old_password_worth_nothing() {
    let world = World::new().await;
    member::create(&world.engine, &world.grant, person("ada@example.com", Some(GOOD), &["viewer"])).await.unwrap();
    let before = access(&try_logon(&world, "ada@example.com", GOOD).await.unwrap());
    let link = member::create_link(&world.engine, &world.grant, "ada@example.com", LinkPurpose::Reset).await.unwrap();
    assert_eq!(link.expires, world.engine.now().plus(Duration::from_secs(DAY)));
    assert_eq!(try_logon(&world, "ada@example.com", GOOD).await.err().unwrap().code, Code::LogonFailed);
    world.management(&before).await;
    // An administrator who disables the member takes the link away with it.
    let state = |state| UpdateMember { state: Some(state), ..unchanged() };
    member::update(&world.engine, &world.grant, "ada@example.com", state(MemberState::Disabled)).await.unwrap();
    assert_eq!(member::look_at_link(&world.engine, &link.secret).await.err().unwrap().code, Code::TokenInvalid);
    assert_eq!(member::create_link(&world.engine, &world.grant, "ada@example.com", LinkPurpose::Reset).await.err().unwrap().code, Code::InvalidField);
    member::update(&world.engine, &world.grant, "ada@example.com", state(MemberState::Enabled)).await.unwrap();
    assert_eq!(member::look_at_link(&world.engine, &link.secret).await.err().unwrap().code, Code::TokenInvalid, "nor does it come back");

    let link = member::create_link(&world.engine, &world.grant, "ada@example.com", LinkPurpose::Reset).await.unwrap();
    world.advance(DAY);
    assert_eq!(member::look_at_link(&world.engine, &link.secret).await.err().unwrap().code, Code::TokenInvalid, "it has an end");
    let link = member::create_link(&world.engine, &world.grant, "ada@example.com", LinkPurpose::Reset).await.unwrap();
    // Two browsers at once: one comes in.
    let take = |password: &'static str| {
        let (engine, secret) = (world.engine.clone(), link.secret.expose().to_owned());
        tokio::spawn(async move { member::redeem_link(&engine, &Secret::new(secret), Secret::new(password), caller()).await.map(|logon| access(&logon)) })
    };
    let (one, other) = (take("a phrase for the first"), take("a phrase for the second"));
    let (one, other) = (one.await.unwrap(), other.await.unwrap());
    assert!(one.is_ok() != other.is_ok(), "exactly one");
    assert_eq!(world.verify(&before).await.unwrap_err().code, Code::TokenInvalid, "older logons end");
    assert_eq!(one.err().or(other.err()).unwrap().code, Code::TokenInvalid);
}

#[tokio::test]
async fn a_new_password_ends_every_other_logon_and_session() {
    let world = World::new().await;
    member::create(&world.engine, &world.grant, person("ada@example.com", Some(GOOD), &["administrator"])).await.unwrap();
    let (first, other) = (access(&try_logon(&world, "ada@example.com", GOOD).await.unwrap()), access(&try_logon(&world, "ada@example.com", GOOD).await.unwrap()));
    let (grant, elsewhere) = (world.management(&first).await, world.management(&other).await);
    let own = session::begin(&world.engine, &grant).await.unwrap();
    let browser = session::begin(&world.engine, &elsewhere).await.unwrap();
    let program = token::CreateToken { name: None, fullname: None, resources: Default::default(), permission_set: PermissionSet::Viewer, token_ttl: None };
    let program = token::mint(&world.engine, &grant, program).await.unwrap().primary.unwrap().access.secret.unwrap();
    let change = async |old: &str, new: &str| member::change_password(&world.engine, &grant, Secret::new(old), Secret::new(new)).await;
    assert_eq!(change("wrong", "another good phrase").await.err().unwrap().code, Code::LogonFailed);
    assert_eq!(change(GOOD, "acme-tools1").await.err().unwrap().code, Code::WeakPassword);
    assert_eq!(change(GOOD, GOOD).await.err().unwrap().code, Code::WeakPassword, "the old one is no new one");
    change(GOOD, "another good phrase").await.unwrap();
    world.management(&first).await;
    assert!(session::resume(&world.engine, own.handle.expose(), caller()).await.is_ok(), "the logon that asked stays");
    assert_eq!(world.verify(&other).await.unwrap_err().code, Code::TokenInvalid);
    assert!(session::resume(&world.engine, browser.handle.expose(), caller()).await.is_err());
    world.management(program.expose()).await;
    assert!(try_logon(&world, "ada@example.com", GOOD).await.is_err());
    assert!(try_logon(&world, "ada@example.com", "another good phrase").await.is_ok());

    // The holder of a token cannot guess the password behind it.
    for _ in 0..member::LOCK_AFTER {
        assert_eq!(change("still wrong", "yet another phrase").await.err().unwrap().code, Code::LogonFailed);
    }
    assert_eq!(change("another good phrase", "yet another phrase").await.err().unwrap().code, Code::LogonFailed, "none is looked at now");
    assert!(try_logon(&world, "ada@example.com", "another good phrase").await.is_err());
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
    for state in [MemberState::Locked, MemberState::Forgotten] {
        let second = UpdateMember { state: Some(state), ..unchanged() };
        member::update(&world.engine, &world.grant, "second@example.com", second).await.unwrap();
        assert_eq!(member::update(&world.engine, &world.grant, &root, weaker.clone()).await.unwrap_err().code, Code::InUse, "{state:?}: the other one cannot come in alone");
    }
    assert_eq!(member::impact(&world.engine, &world.grant, &root).await.unwrap().users.len(), 1, "the preview says so too");
    member::update(&world.engine, &world.grant, "second@example.com", UpdateMember { state: Some(MemberState::Enabled), ..unchanged() }).await.unwrap();
    assert!(member::impact(&world.engine, &world.grant, &root).await.unwrap().users.is_empty());
    assert!(member::update(&world.engine, &world.grant, &root, weaker).await.is_ok());
}

#[tokio::test]
async fn a_deleted_member_takes_its_tokens_and_comes_back_with_them() {
    let world = World::new().await;
    member::create(&world.engine, &world.grant, person("ada@example.com", Some(GOOD), &["viewer"])).await.unwrap();
    let secret = access(&try_logon(&world, "ada@example.com", GOOD).await.unwrap());
    let browser = session::begin(&world.engine, &world.management(&secret).await).await.unwrap();
    let reset = member::create_link(&world.engine, &world.grant, "ada@example.com", LinkPurpose::Reset).await.unwrap();
    let impact = member::impact(&world.engine, &world.grant, "ada@example.com").await.unwrap();
    let count = |kind: &str| impact.counts.iter().find(|(name, _)| name == kind).map(|(_, count)| *count);
    assert_eq!((count("tokens"), count("web_sessions")), (Some(1), Some(1)));
    let deletion = member::delete(&world.engine, &world.grant, "ada@example.com").await.unwrap();
    assert!(world.verify(&secret).await.is_err());
    assert!(member::look_at_link(&world.engine, &reset.secret).await.is_err());
    patchbay_engine::deletion::undo(&world.engine, &world.grant, &deletion.id.to_string()).await.unwrap();
    world.management(&secret).await;
    assert!(session::resume(&world.engine, browser.handle.expose(), caller()).await.is_err(), "browsers sign in again");
    assert!(member::look_at_link(&world.engine, &reset.secret).await.is_err(), "and links are made anew");
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
    let new = CreateMember { options: vec![MemberOption::Expired], ..person("ada@example.com", Some(GOOD), &["administrator"]) };
    member::create(&world.engine, &world.grant, new).await.unwrap();
    let logon = try_logon(&world, "ada@example.com", GOOD).await.unwrap();
    let secret = logon.token.primary.as_ref().unwrap().access.secret.as_ref().unwrap().expose().to_owned();
    let grant = world.management(&secret).await;
    assert!(grant.password_expired());
    assert!(organization::get(&world.engine, &grant).await.is_ok());
    assert_eq!(member::list(&world.engine, &grant, Default::default()).await.unwrap_err().code, Code::PermissionDenied);
    assert_eq!(patchbay_engine::account::list(&world.engine, &grant, Default::default()).await.unwrap_err().code, Code::PermissionDenied);
    member::change_password(&world.engine, &grant, Secret::new(GOOD), Secret::new("another good phrase")).await.unwrap();
    assert!(member::list(&world.engine, &world.management(&secret).await, Default::default()).await.is_ok());
}
