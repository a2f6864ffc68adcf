//! Connect links: what their holder may do, and for how long.

use patchbay_engine::connect_link::{self, CreateConnectLink, MadeLink, OpenLink};
use patchbay_engine::member::{self, CreateMember};
use patchbay_engine::point::{self, CreatePoint};
use patchbay_engine::role::{self, CreateRole};
use patchbay_engine::token::{self, CreateToken};
use patchbay_engine::{ManagementGrant, account, integration};
use patchbay_model::integration::IntegrationStatus;
use patchbay_model::list::ListQuery;
use patchbay_model::member::MemberType;
use patchbay_model::permission::{AccountSelector, PermissionSet, ResourceScope};
use patchbay_model::point::{AllowedProviders, PointEnvironments, PointPolicy};
use patchbay_model::public_link::LinkState;
use patchbay_model::{Code, Environment, Label, Problem, ProviderId, Secret};
use serde_json::json;

use crate::world::{DAY, World, caller};

const GOOD: &str = "four words that fit";

fn to(account: &str) -> CreateConnectLink {
    CreateConnectLink { account: account.to_owned(), provider: Some("ticketing_mock_ticketing".to_owned()), ..CreateConnectLink::default() }
}

fn mock() -> ProviderId {
    ProviderId::parse("ticketing_mock_ticketing").unwrap()
}

impl World {
    async fn link(&self, new: CreateConnectLink) -> MadeLink {
        connect_link::create(&self.engine, &self.grant, new).await.unwrap()
    }

    async fn open(&self, made: &MadeLink) -> Result<OpenLink, Problem> {
        connect_link::open(&self.engine, made.secret.expose(), caller()).await
    }

    async fn dead(&self, made: &MadeLink, why: &str) {
        assert_eq!(self.open(made).await.err().map(|problem| problem.code), Some(Code::LinkInvalid), "{why}");
    }

    async fn member(&self, name: &str, role: &str) -> ManagementGrant {
        let new = CreateMember {
            name: name.to_owned(),
            fullname: None,
            nickname: None,
            picture: None,
            secret: Some(Secret::new(GOOD)),
            role_binding: vec![role.to_owned()],
            member_type: MemberType::Personal,
            ttl: None,
            token_ttl: None,
            options: vec![],
        };
        member::create(&self.engine, &self.grant, new).await.unwrap();
        let logon = member::logon(&self.engine, "acme-tools", name, Secret::new(GOOD), caller()).await.unwrap();
        self.management(logon.token.primary.as_ref().unwrap().access.secret.as_ref().unwrap().expose()).await
    }
}

#[tokio::test]
async fn a_link_works_as_often_and_as_long_as_it_says() {
    let world = World::new().await;
    world.account("globex", Environment::Test, &[]).await;
    let made = world.link(CreateConnectLink { uses: Some(2), ..to("globex") }).await;
    assert!(made.secret.expose().starts_with("pbc_"));
    for left in [1, 0] {
        let open = world.open(&made).await.unwrap();
        assert_eq!((open.account.name.as_str(), open.organization.name.as_str(), open.offers.len()), ("globex", "acme-tools", 1));
        let outcome = connect_link::connect(&world.engine, &open, &mock(), json!({"type": "ticketing_mock_ticketing"})).await.unwrap();
        assert!(outcome.works() && outcome.integration.status == IntegrationStatus::Active);
        assert_eq!(outcome.integration.fullname.as_str(), open.offers[0].fullname);
        let listed = connect_link::list(&world.engine, &world.grant, ListQuery::default()).await.unwrap().items;
        assert_eq!((listed[0].uses_left, listed[0].last_used_at.is_some(), listed[0].settings.unfinished.len()), (Some(left), true, 0));
    }
    world.dead(&made, "it was used as often as it may be").await;
    assert_eq!(integration::list_account(&world.engine, &world.grant, "globex", ListQuery::default()).await.unwrap().items.len(), 2);

    let made = world.link(CreateConnectLink { ttl: Some("24h".to_owned()), ..to("globex") }).await;
    world.advance(DAY - 1);
    world.open(&made).await.unwrap();
    world.advance(1);
    world.dead(&made, "its time is over").await;
}

#[tokio::test]
async fn whoever_corrects_a_form_goes_on_with_the_same_integration() {
    let world = World::new().await;
    world.account("globex", Environment::Test, &[]).await;
    let made = world.link(CreateConnectLink { provider: Some("ticketing_redmine".to_owned()), ..to("globex") }).await;
    let open = world.open(&made).await.unwrap();
    let redmine = ProviderId::parse("ticketing_redmine").unwrap();
    let config = |secret: &str| json!({"type": "ticketing_redmine", "url": "http://127.0.0.1:9", "credential": {"type": "token", "secret": secret}});
    let invalid = connect_link::connect(&world.engine, &open, &redmine, json!({"type": "ticketing_redmine"})).await.err().unwrap();
    assert_eq!(invalid.code, Code::InvalidConfig);
    let first = connect_link::connect(&world.engine, &open, &redmine, config("wrong")).await.unwrap();
    assert!(!first.works() && first.problem.is_some(), "nobody answers there");
    let again = connect_link::connect(&world.engine, &open, &redmine, config("right")).await.unwrap();
    assert_eq!(again.integration.id, first.integration.id);
    assert_eq!(world.open(&made).await.unwrap().link.uses_left, Some(1), "what does not work is no use");
    let other = connect_link::connect(&world.engine, &open, &mock(), json!({"type": "ticketing_mock_ticketing"})).await.err().unwrap();
    assert_eq!(other.code, Code::LinkInvalid, "it offers one provider");
}

#[tokio::test]
async fn a_revoked_link_opens_nothing() {
    let world = World::new().await;
    world.account("globex", Environment::Test, &[]).await;
    let made = world.link(to("globex")).await;
    let open = world.open(&made).await.unwrap();
    let revoked = connect_link::revoke(&world.engine, &world.grant, &made.link.id.to_string()).await.unwrap();
    assert_eq!(revoked.state(world.engine.now()), LinkState::Revoked);
    world.dead(&made, "it was taken back").await;
    assert_eq!(connect_link::revoke(&world.engine, &world.grant, &made.link.id.to_string()).await.unwrap(), revoked, "a second time changes nothing");
    // Guessing: other shapes, other kinds of secrets.
    for guess in ["", "pbc_", "x", world.created.token.primary.as_ref().and_then(|pair| pair.access.secret.as_ref()).map_or("", |secret| secret.expose())] {
        assert_eq!(connect_link::open(&world.engine, guess, caller()).await.err().map(|problem| problem.code), Some(Code::LinkInvalid));
    }
    assert_eq!(world.verify(made.secret.expose()).await.err().map(|problem| problem.code), Some(Code::TokenInvalid), "a link is no token");
    drop(open);
}

#[tokio::test]
async fn a_link_dies_with_what_it_is_for() {
    let world = World::new().await;
    world.account("globex", Environment::Test, &[]).await;
    world.mock("globex", "desk").await;
    let for_account = world.link(to("globex")).await;
    let for_integration = world.link(CreateConnectLink { account: "globex".to_owned(), integration: Some("desk".to_owned()), ..CreateConnectLink::default() }).await;
    integration::delete(&world.engine, &world.grant, "globex", "desk").await.unwrap();
    world.dead(&for_integration, "the integration is gone").await;
    world.open(&for_account).await.unwrap();
    account::delete(&world.engine, &world.grant, "globex").await.unwrap();
    world.dead(&for_account, "the account is gone").await;
}

#[tokio::test]
async fn a_link_offers_what_its_point_allows_at_that_moment() {
    let world = World::new().await;
    world.account("t-test", Environment::Test, &[]).await;
    world.account("t-prod", Environment::Prod, &[]).await;
    let environments = PointEnvironments { test: Some(AllowedProviders::These(vec![mock(), ProviderId::parse("ticketing_redmine").unwrap()])), prod: None };
    let new = CreatePoint { name: Some("desks".to_owned()), fullname: None, description: None, connector: "ticketing".to_owned(), environments, policy: PointPolicy::default() };
    point::create(&world.engine, &world.grant, new).await.unwrap();
    let under = |account: &str| CreateConnectLink { account: account.to_owned(), integration_point: Some("desks".to_owned()), ..CreateConnectLink::default() };
    let refused = connect_link::create(&world.engine, &world.grant, under("t-prod")).await.err().unwrap();
    assert_eq!(refused.code, Code::ProviderNotAllowed);
    let made = world.link(under("t-test")).await;
    let open = world.open(&made).await.unwrap();
    let offered: Vec<&str> = open.offers.iter().map(|offer| offer.definition.provider.as_str()).collect();
    assert_eq!(offered, ["ticketing_mock_ticketing", "ticketing_redmine"]);
    let outcome = connect_link::connect(&world.engine, &open, &mock(), json!({"type": "ticketing_mock_ticketing"})).await.unwrap();
    assert_eq!(outcome.integration.integration_point_id, open.point.map(|point| point.id), "the point governs it");
}

#[tokio::test]
async fn what_is_asked_for_must_make_sense() {
    let world = World::new().await;
    world.account("globex", Environment::Test, &[]).await;
    let refused = async |new: CreateConnectLink, at: &str| {
        let problem = connect_link::create(&world.engine, &world.grant, new).await.err().unwrap();
        assert_eq!(problem.context.parameter.map(|parameter| parameter.id).as_deref(), Some(at));
    };
    refused(CreateConnectLink { provider: None, ..to("globex") }, "/integration_id").await;
    refused(CreateConnectLink { integration_point: Some("x".to_owned()), ..to("globex") }, "/integration_id").await;
    refused(CreateConnectLink { provider: Some("ticketing_nothing".to_owned()), ..to("globex") }, "/provider").await;
    refused(CreateConnectLink { ttl: Some("721h".to_owned()), ..to("globex") }, "/ttl").await;
    refused(CreateConnectLink { uses: Some(0), ..to("globex") }, "/uses").await;
    refused(CreateConnectLink { return_url: Some("javascript:alert(1)".to_owned()), ..to("globex") }, "/return_url").await;
    refused(CreateConnectLink { end_user: Some("nobody".to_owned()), ..to("globex") }, "/end_user_id").await;
}

#[tokio::test]
async fn a_link_has_its_makers_right_as_it_is_now_and_never_more() {
    let world = World::new().await;
    world.account("own", Environment::Test, &["own"]).await;
    world.account("other", Environment::Test, &["other"]).await;
    let accounts = AccountSelector { labels: Some(vec![Label::parse("own").unwrap()]), ..AccountSelector::default() };
    let resources = ResourceScope { accounts: Some(accounts), ..ResourceScope::default() };
    let new = CreateRole { name: Some("desk".to_owned()), fullname: None, description: None, resources: resources.clone(), permission_set: PermissionSet::ConnectUi };
    role::create(&world.engine, &world.grant, new).await.unwrap();
    let maker = world.member("ada@example.com", "desk").await;
    assert_eq!(connect_link::create(&world.engine, &maker, to("other")).await.err().map(|problem| problem.code), Some(Code::NotFound), "out of its reach");
    let made = connect_link::create(&world.engine, &maker, to("own")).await.unwrap();
    let open = world.open(&made).await.unwrap();
    assert_eq!(open.grant.member(), maker.member());
    assert_eq!(open.grant.single_account(), Some(open.account.id), "what is done by it is done in one account");
    assert_eq!(integration::list_account(&world.engine, &open.grant, "other", ListQuery::default()).await.err().map(|problem| problem.code), Some(Code::NotFound));

    // A token that is narrower than its member makes links where it reaches, and nowhere else.
    let narrow = CreateToken { name: None, fullname: None, resources, permission_set: PermissionSet::ConnectUi, token_ttl: None };
    let minted = token::mint(&world.engine, &world.grant, narrow).await.unwrap();
    let narrow = world.management(minted.primary.unwrap().access.secret.unwrap().expose()).await;
    assert_eq!(connect_link::create(&world.engine, &narrow, to("other")).await.err().map(|problem| problem.code), Some(Code::NotFound));
    connect_link::create(&world.engine, &narrow, to("own")).await.unwrap();
    for set in [PermissionSet::Viewer, PermissionSet::TokenIssuer, PermissionSet::AccountProvisioner] {
        let minted =
            token::mint(&world.engine, &world.grant, CreateToken { name: None, fullname: None, resources: ResourceScope::default(), permission_set: set, token_ttl: None })
                .await
                .unwrap();
        let grant = world.management(minted.primary.unwrap().access.secret.unwrap().expose()).await;
        assert_eq!(connect_link::create(&world.engine, &grant, to("own")).await.err().map(|problem| problem.code), Some(Code::PermissionDenied), "{set:?}");
    }

    role::delete(&world.engine, &world.grant, "desk").await.err();
    let wider = member::UpdateMember {
        name: None,
        fullname: None,
        nickname: None,
        picture: None,
        state: None,
        ttl: None,
        expires: None,
        pin_expires: None,
        role_binding: Some(vec!["viewer".to_owned()]),
        token_ttl: None,
        expected: None,
    };
    member::update(&world.engine, &world.grant, "ada@example.com", wider).await.unwrap();
    world.dead(&made, "its maker may not connect any more").await;
}
