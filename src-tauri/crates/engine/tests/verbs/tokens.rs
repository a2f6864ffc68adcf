use patchbay_engine::account::{CreateAccount, FirstToken};
use patchbay_engine::token::{self, Bearer, CreateToken, Pair};
use patchbay_engine::{Grant, ManagementGrant, account, integration, member, organization, point};
use patchbay_model::list::ListQuery;
use patchbay_model::permission::{AccountSelector, IdOrAll, PermissionSet, ResourceScope};
use patchbay_model::{Code, Environment, Label};

use crate::world::{DAY, HOUR, World, seconds};

fn access(pair: Option<&Pair>) -> String {
    pair.unwrap().access.secret.as_ref().unwrap().expose().to_owned()
}

fn refresh(pair: Option<&Pair>) -> String {
    pair.unwrap().refresh.as_ref().unwrap().secret.as_ref().unwrap().expose().to_owned()
}

fn wish(permission_set: PermissionSet, accounts: Option<AccountSelector>) -> CreateToken {
    CreateToken { name: None, fullname: None, resources: ResourceScope { accounts, ..ResourceScope::default() }, permission_set, token_ttl: Some("1h".to_owned()) }
}

fn ids(ids: Vec<IdOrAll>) -> Option<AccountSelector> {
    Some(AccountSelector { ids: Some(ids), ..AccountSelector::default() })
}

#[tokio::test]
async fn access_ends_by_the_clock_and_refresh_makes_it_anew() {
    let world = World::new().await;
    let first = world.created.token.primary.clone();
    world.advance(24 * HOUR - 1);
    world.management(&access(first.as_ref())).await;
    world.advance(1);
    assert_eq!(world.verify(&access(first.as_ref())).await.unwrap_err().code, Code::TokenInvalid);

    let Grant::Refresh(bearer) = world.verify(&refresh(first.as_ref())).await.unwrap() else { panic!("a refresh secret gives a refresh grant") };
    let id = bearer.container().to_string();
    let second = token::refresh(&world.engine, Bearer::Refresh(&bearer), &id).await.unwrap();
    world.management(&access(second.primary.as_ref())).await;
    assert_eq!(seconds(second.container.expires.since(world.engine.now())), 90 * DAY, "the refresh half slides");

    // The old refresh secret is the secondary's now and works until the next refresh.
    assert!(second.secondary.as_ref().unwrap().refresh.as_ref().unwrap().secret.is_none(), "only the new pair is shown");
    let Grant::Refresh(old) = world.verify(&refresh(first.as_ref())).await.unwrap() else { panic!() };
    token::refresh(&world.engine, Bearer::Refresh(&old), &id).await.unwrap();
    assert_eq!(world.verify(&refresh(first.as_ref())).await.unwrap_err().code, Code::TokenInvalid);
    world.advance(91 * DAY);
    assert_eq!(world.verify(&refresh(second.primary.as_ref())).await.unwrap_err().code, Code::TokenInvalid);
}

#[tokio::test]
async fn refresh_secrets_are_good_for_their_own_container_and_nothing_else() {
    let world = World::new().await;
    world.account("t-alpha", Environment::Prod, &[]).await;
    let other = world.mock("t-alpha", "mock").await.token.unwrap();
    let secret = refresh(world.created.token.primary.as_ref());
    let Grant::Refresh(bearer) = world.verify(&secret).await.unwrap() else { panic!() };
    let problem = token::refresh(&world.engine, Bearer::Refresh(&bearer), &other.container.id.to_string()).await.err().unwrap();
    assert_eq!(problem.code, Code::NotFound);
    let own = bearer.container().to_string();
    let problem = token::reset(&world.engine, Bearer::Refresh(&bearer), &bearer.organization().to_string(), &own).await.err().unwrap();
    assert_eq!(problem.code, Code::WrongTokenKind);
    for grant in [world.verify(&secret).await.unwrap(), world.verify(&access(other.primary.as_ref())).await.unwrap()] {
        let problem = grant.management().unwrap_err();
        assert_eq!(problem.code, Code::WrongTokenKind);
        assert!(problem.message.contains("organization access token"), "{}", problem.message);
    }
    let problem = world.verify(&access(world.created.token.primary.as_ref())).await.unwrap().connector().unwrap_err();
    assert!(problem.code == Code::WrongTokenKind && problem.message.contains("integration access token"), "{}", problem.message);
}

#[tokio::test]
async fn malformed_and_unknown_tokens_are_refused_alike() {
    let world = World::new().await;
    let good = access(world.created.token.primary.as_ref());
    let mut swapped = good.replacen("pbo_", "pbi_", 1);
    for bad in ["", "x", "pbo_", &good[..good.len() - 1], &format!("{good}0"), &swapped, "pbw_0000000000000000000000000000000000000000000F8tm74"] {
        assert_eq!(world.verify(bad).await.unwrap_err().code, Code::TokenInvalid, "{bad}");
    }
    swapped.clear();
    // Of a good shape, and never issued.
    let stranger = patchbay_vault::mint_token(patchbay_model::token::SecretKind::OrganizationAccess, &patchbay_vault::OsEntropy);
    assert_eq!(world.verify(stranger.expose()).await.unwrap_err().code, Code::TokenInvalid);
}

#[tokio::test]
async fn rotate_reset_remove_secondary_and_delete() {
    let world = World::new().await;
    let made = token::mint(&world.engine, &world.grant, wish(PermissionSet::Viewer, None)).await.unwrap();
    let (id, owner) = (made.container.id.to_string(), world.created.organization.id.to_string());
    let first = access(made.primary.as_ref());

    let rotated = token::rotate(&world.engine, &world.grant, &owner, &id).await.unwrap();
    let second = access(rotated.primary.as_ref());
    world.management(&first).await;
    world.management(&second).await;
    token::remove_secondary(&world.engine, &world.grant, &id).await.unwrap();
    assert!(world.verify(&first).await.is_err(), "the secondary pair is dead");
    world.management(&second).await;

    let problem = token::reset(
        &world.engine,
        Bearer::Management(&world.grant),
        &patchbay_model::Scope::System.organization().map_or("0198c0de-0000-7000-8000-000000000000".to_owned(), |id| id.to_string()),
        &id,
    )
    .await
    .err()
    .unwrap();
    assert_eq!(problem.code, Code::NotFound, "another owner's token is not there");
    let reset = token::reset(&world.engine, Bearer::Management(&world.grant), &owner, &id).await.unwrap();
    assert!(world.verify(&second).await.is_err(), "everything earlier is dead");
    assert!(reset.secondary.is_none());
    let third = access(reset.primary.as_ref());
    world.management(&third).await;

    let read = token::get(&world.engine, &world.grant, &id).await.unwrap();
    assert!(read.primary.unwrap().access.secret.is_none(), "shown once");
    token::delete(&world.engine, &world.grant, &id).await.unwrap();
    assert!(world.verify(&third).await.is_err());
    assert_eq!(token::get(&world.engine, &world.grant, &id).await.err().unwrap().code, Code::NotFound);
}

#[tokio::test]
async fn integration_tokens_open_their_integration_for_ten_minutes() {
    let world = World::new().await;
    world.account("t-alpha", Environment::Prod, &[]).await;
    let made = world.mock("t-alpha", "mock").await;
    let minted = token::mint_integration(&world.engine, &world.grant, "t-alpha", "mock", None, None).await.unwrap();
    let pair = minted.primary.as_ref().unwrap();
    assert!(pair.refresh.is_none(), "a single token");
    assert_eq!(seconds(pair.access.expires.since(world.engine.now())), 600);
    let grant = world.verify(&access(minted.primary.as_ref())).await.unwrap().connector().unwrap();
    assert_eq!(grant.integration(), made.integration.id);
    world.advance(600);
    assert!(world.verify(&access(minted.primary.as_ref())).await.is_err());
    let problem = token::mint_integration(&world.engine, &world.grant, "t-alpha", "mock", None, Some("1 day".to_owned())).await.err().unwrap();
    assert_eq!(problem.code, Code::InvalidField);
}

/// For every minter and every wish: what comes of it never allows what the minter is not allowed.
#[tokio::test]
async fn a_minted_token_never_exceeds_its_minter() {
    let world = World::new().await;
    let gold = world.account("gold", Environment::Prod, &["gold"]).await;
    let test = world.account("test", Environment::Test, &["gold", "beta"]).await;
    let plain = world.account("plain", Environment::Prod, &[]).await;
    let accounts = [&gold, &test, &plain];
    let label = |text: &str| vec![Label::parse(text).unwrap()];
    let selectors = [
        None,
        ids(vec![IdOrAll::All]),
        ids(vec![IdOrAll::Id(gold.id)]),
        ids(vec![IdOrAll::Id(gold.id), IdOrAll::Id(plain.id)]),
        Some(AccountSelector { labels: Some(label("gold")), ..AccountSelector::default() }),
        Some(AccountSelector { labels: Some([label("gold"), label("beta")].concat()), ..AccountSelector::default() }),
        Some(AccountSelector { environments: Some(vec![Environment::Test]), ..AccountSelector::default() }),
        Some(AccountSelector { ids: Some(vec![IdOrAll::Id(test.id)]), environments: Some(vec![Environment::Test, Environment::Prod]), ..AccountSelector::default() }),
    ];
    let (mut minted, mut refused) = (0, 0);
    for set in [PermissionSet::Administrator, PermissionSet::AccountManager, PermissionSet::Member] {
        for selector in &selectors {
            let minter = token::mint(&world.engine, &world.grant, wish(set, selector.clone())).await.unwrap();
            let minter = world.management(&access(minter.primary.as_ref())).await;
            for wanted_set in PermissionSet::ALL {
                for wanted in &selectors {
                    match token::mint(&world.engine, &minter, wish(wanted_set, wanted.clone())).await {
                        Ok(state) => {
                            minted += 1;
                            no_wider(&world.management(&access(state.primary.as_ref())).await, &minter, &accounts);
                        }
                        Err(problem) => {
                            refused += 1;
                            assert_eq!(problem.code, Code::PermissionDenied);
                        }
                    }
                }
            }
        }
    }
    assert!(minted > 100 && refused > 100, "both happen: {minted}, {refused}");
}

fn no_wider(inner: &ManagementGrant, outer: &ManagementGrant, accounts: &[&patchbay_model::account::Account]) {
    for operation in patchbay_model::Operation::ALL {
        if inner.require(*operation, None).is_ok() {
            assert!(outer.require(*operation, None).is_ok(), "{} without an account", operation.id());
        }
        for account in accounts {
            if inner.require(*operation, Some(account)).is_ok() {
                assert!(outer.require(*operation, Some(account)).is_ok(), "{} in {}", operation.id(), account.name);
            }
        }
    }
}

#[tokio::test]
async fn a_narrowed_caller_sees_its_accounts_alone() {
    let world = World::new().await;
    world.account("gold", Environment::Prod, &["gold"]).await;
    world.account("plain", Environment::Prod, &[]).await;
    let hidden = world.mock("plain", "mock").await.integration;
    let shown = world.mock("gold", "mock").await.integration;
    let selector = Some(AccountSelector { labels: Some(vec![Label::parse("gold").unwrap()]), ..AccountSelector::default() });
    let state = token::mint(&world.engine, &world.grant, wish(PermissionSet::Administrator, selector)).await.unwrap();
    let narrowed = world.management(&access(state.primary.as_ref())).await;

    let listed = account::list(&world.engine, &narrowed, ListQuery { total: true, ..ListQuery::default() }).await.unwrap();
    assert_eq!((listed.items.len(), listed.total), (1, Some(1)));
    let integrations = integration::list(&world.engine, &narrowed, ListQuery::default()).await.unwrap();
    assert_eq!(integrations.items.iter().map(|found| found.id).collect::<Vec<_>>(), [shown.id]);
    for reference in ["plain", &hidden.account_id.to_string()] {
        assert_eq!(account::get(&world.engine, &narrowed, reference).await.unwrap_err().code, Code::NotFound, "404, never 403");
        assert_eq!(integration::get(&world.engine, &narrowed, reference, "mock").await.unwrap_err().code, Code::NotFound);
        assert_eq!(integration::delete(&world.engine, &narrowed, reference, "mock").await.unwrap_err().code, Code::NotFound);
    }
    // What belongs to the organization as a whole is out of its hands, although it is an administrator.
    let denied = [
        member::list(&world.engine, &narrowed, ListQuery::default()).await.err().unwrap().code,
        organization::update(
            &world.engine,
            &narrowed,
            organization::UpdateOrganization {
                name: None,
                fullname: Some("X".to_owned()),
                contact: None,
                reply_to: None,
                picture: None,
                options: Default::default(),
                expected: None,
            },
        )
        .await
        .err()
        .unwrap()
        .code,
        point::delete(&world.engine, &narrowed, "any").await.err().unwrap().code,
        patchbay_engine::audit::list(&world.engine, &narrowed, ListQuery::default()).await.err().unwrap().code,
        account::create(&world.engine, &narrowed, CreateAccount { name: Some("new".to_owned()), ..CreateAccount::default() }).await.err().unwrap().code,
    ];
    assert_eq!(denied, [Code::PermissionDenied; 5]);
    let within = account::create(&world.engine, &narrowed, CreateAccount { name: Some("new".to_owned()), labels: vec!["gold".to_owned()], ..CreateAccount::default() }).await;
    assert!(within.is_ok(), "an account that it reaches may be made");
}

#[tokio::test]
async fn the_first_token_of_an_account_reaches_it_alone() {
    let world = World::new().await;
    let token = FirstToken { permission_set: PermissionSet::ConnectUi, token_ttl: None, name: None, fullname: None };
    let made = account::create(&world.engine, &world.grant, CreateAccount { name: Some("acme".to_owned()), token: Some(token.clone()), ..CreateAccount::default() }).await.unwrap();
    world.account("other", Environment::Prod, &[]).await;
    let grant = world.management(&access(made.token.unwrap().primary.as_ref())).await;
    assert_eq!(grant.single_account(), Some(made.account.id));
    assert!(integration::list_account(&world.engine, &grant, "acme", ListQuery::default()).await.is_ok());
    assert_eq!(integration::list_account(&world.engine, &grant, "other", ListQuery::default()).await.err().unwrap().code, Code::NotFound);
    let too_much = FirstToken { permission_set: PermissionSet::Administrator, ..token };
    let problem =
        account::create(&world.engine, &world.grant, CreateAccount { name: Some("b".to_owned()), token: Some(too_much), ..CreateAccount::default() }).await.err().unwrap();
    assert_eq!(problem.code, Code::InvalidField);
    assert_eq!(account::get(&world.engine, &world.grant, "b").await.unwrap_err().code, Code::NotFound, "nothing half made");

    // A provisioner hands out what it may not use itself.
    let state = token::mint(&world.engine, &world.grant, wish(PermissionSet::AccountProvisioner, None)).await.unwrap();
    let provisioner = world.management(&access(state.primary.as_ref())).await;
    let first = FirstToken { permission_set: PermissionSet::AccountManager, token_ttl: None, name: None, fullname: None };
    let made = account::create(&world.engine, &provisioner, CreateAccount { name: Some("c".to_owned()), token: Some(first), ..CreateAccount::default() }).await.unwrap();
    assert!(made.token.is_some());
    assert_eq!(account::delete(&world.engine, &provisioner, "c").await.err().unwrap().code, Code::PermissionDenied);
}
