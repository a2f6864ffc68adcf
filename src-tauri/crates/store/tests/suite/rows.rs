//! What goes in comes out, and names are unique.

use std::time::Duration;

use patchbay_model::definition::DefinitionStatus;
use patchbay_model::integration::{AttentionCause, IntegrationStatus};
use patchbay_model::list::ListQuery;
use patchbay_model::member::{Member, MemberState};
use patchbay_model::permission::{PermissionSet, ResourceScope, Role, RoleName};
use patchbay_model::status::CallSums;
use patchbay_model::token::{Authority, SecretKind, Slot, TokenOwner};
use patchbay_model::web::{LinkPurpose, OneTimeLink, WebSession};
use patchbay_model::*;
use patchbay_store::{SealedTable, SealedValue, StoreError, Usage};

use crate::place::*;

#[tokio::test]
async fn every_row_comes_back_as_it_went_in() {
    on_every_backend(async |place| {
        let ours = &place.ours;
        let customer = &ours.accounts[0];
        let mut tx = place.store.read_secrets(ours.scope()).await.unwrap();
        assert_eq!(tx.organization().await.unwrap(), ours.organization);
        assert_eq!(tx.member(ours.member.id).await.unwrap().as_ref(), Some(&ours.member));
        assert_eq!(tx.find_member("ADA@ours.example").await.unwrap().as_ref(), Some(&ours.member));
        assert_eq!(tx.point(ours.point.id).await.unwrap().as_ref(), Some(&ours.point));
        assert_eq!(tx.find_point("ticketing").await.unwrap().as_ref(), Some(&ours.point));
        assert_eq!(tx.provider_app(ours.app.id).await.unwrap().as_ref(), Some(&ours.app));
        assert_eq!(tx.provider_apps_at(&provider()).await.unwrap(), std::slice::from_ref(&ours.app));
        assert_eq!(tx.account(customer.account.id).await.unwrap().as_ref(), Some(&customer.account));
        assert_eq!(tx.find_account(&customer.account.id.to_string()).await.unwrap().as_ref(), Some(&customer.account));
        assert_eq!(tx.find_account("ONE").await.unwrap().as_ref(), Some(&customer.account));
        assert_eq!(tx.account_by_external_id("one").await.unwrap().as_ref(), Some(&customer.account));
        assert_eq!(tx.integration(customer.integration.id).await.unwrap().as_ref(), Some(&customer.integration));
        assert_eq!(tx.find_integration(customer.account.id, "Tickets").await.unwrap().as_ref(), Some(&customer.integration));
        assert_eq!(tx.credential(customer.credential.id).await.unwrap().as_ref(), Some(&customer.credential));
        assert_eq!(tx.find_credential(customer.shared.owner, "shared").await.unwrap().as_ref(), Some(&customer.shared));
        assert_eq!(tx.secrets().sealed_credential(&customer.credential).await.unwrap(), Some(envelope("own of one")));
        assert_eq!(tx.secrets().sealed_credential(&customer.shared).await.unwrap(), Some(envelope("shared of one")));
        let reach = tx.credentials_within_reach(customer.account.id, customer.integration.id, Some(ours.point.id)).await.unwrap();
        assert_eq!(reach, [customer.credential.clone(), customer.shared.clone()]);
        assert_eq!(tx.token(customer.token.id).await.unwrap().as_ref(), Some(&customer.token));
        assert_eq!(tx.connect_session(customer.session.id).await.unwrap().as_ref(), Some(&customer.session));
        assert_eq!(tx.latest_connect_session(customer.integration.id).await.unwrap().as_ref(), Some(&customer.session));
        assert_eq!(tx.secrets().sealed_connect_verifier(customer.session.id).await.unwrap(), Some(envelope("verifier")));
        assert_eq!(tx.audit_events(&ListQuery::default()).await.unwrap().items, [ours.accounts[0].audit.clone(), ours.accounts[1].audit.clone()]);
        assert_eq!(tx.definition(place.definition.id).await.unwrap().as_ref(), Some(&place.definition));
        assert_eq!(tx.active_definition(&provider()).await.unwrap().as_ref(), Some(&place.definition));
        assert_eq!(tx.document(customer.integration.id, "tickets", "1").await.unwrap().unwrap().body, serde_json::json!({"of": "one"}));
    })
    .await;
}

#[tokio::test]
async fn an_account_has_the_references_of_its_own_integrations() {
    on_every_backend(async |place| {
        let ours = &place.ours;
        let customer = &ours.accounts[0];
        // As a consent is stored: within the account, with a credential that is put into the configuration.
        let mut tx = place.store.write(ours.within(0), Origin::Api).await.unwrap();
        assert_eq!(tx.credential_users(customer.shared.id).await.unwrap().count, 1);
        let mut integration = customer.integration.clone();
        integration.config = serde_json::json!({"type": "ticketing_redmine", "credential": {"type": "token_id", "value": customer.credential.id.to_string()}});
        tx.update_integration(&integration).await.unwrap();
        assert_eq!(tx.credential_users(customer.shared.id).await.unwrap().count, 0);
        assert_eq!(tx.credential_users(customer.credential.id).await.unwrap().count, 1);
        tx.commit().await.unwrap();
        let mut tx = place.store.read(ours.within(1)).await.unwrap();
        assert_eq!(tx.credential_users(customer.credential.id).await.unwrap().count, 0, "and nobody else's");
    })
    .await;
}

#[tokio::test]
async fn updates_are_read_back_and_touch_only_what_is_there() {
    on_every_backend(async |place| {
        let ours = &place.ours;
        let mut tx = place.write().await;
        let mut account = ours.accounts[0].account.clone();
        account.name = name("renamed");
        account.labels = vec![Label::parse("gold").unwrap()];
        account.updated_at = time(5);
        tx.update_account(&account).await.unwrap();
        assert_eq!(tx.account(account.id).await.unwrap(), Some(account.clone()));
        let mut integration = ours.accounts[0].integration.clone();
        integration.status = IntegrationStatus::NeedsAttention { cause: AttentionCause::RefreshRefused };
        integration.config = serde_json::json!({"type": "ticketing_mock_ticketing"});
        tx.update_integration(&integration).await.unwrap();
        assert_eq!(tx.integration(integration.id).await.unwrap(), Some(integration.clone()));
        assert_eq!(tx.credential_users(ours.accounts[0].shared.id).await.unwrap().count, 0, "the reference went with the configuration");
        assert_eq!(tx.secrets().sealed_integration(integration.id).await.unwrap(), Some(envelope("own of one")), "an update leaves the sealed value");
        let moved = tx.set_integration_status(integration.id, &[IntegrationStatus::Paused], IntegrationStatus::Active, time(9), false).await.unwrap();
        assert!(!moved, "from another status it does not move");
        assert!(tx.set_integration_status(integration.id, &[], IntegrationStatus::Active, time(9), true).await.unwrap());
        let active = tx.integration(integration.id).await.unwrap().unwrap();
        assert_eq!((active.status, active.status_since, active.last_connected_at), (IntegrationStatus::Active, time(9), Some(time(9))));
        assert!(tx.set_integration_status(integration.id, &[], IntegrationStatus::Active, time(12), false).await.unwrap());
        assert_eq!(tx.integration(integration.id).await.unwrap().unwrap().status_since, time(9), "the same status keeps its beginning");
        account.id = AccountId::from_uuid(uuid());
        assert!(matches!(tx.update_account(&account).await, Err(StoreError::NotFound { .. })));
        tx.commit().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn names_are_unique_per_parent_ignoring_case() {
    on_every_backend(async |place| {
        let ours = &place.ours;
        let organization = ours.organization.id;
        let one = &ours.accounts[0];
        let taken = |result: Result<(), StoreError>, noun: &str| match result {
            Err(StoreError::NameTaken { noun: found, field, value }) => {
                assert_eq!((found, field), (noun, "name"));
                assert!(!value.is_empty(), "the message names the name");
            }
            other => panic!("{noun}: expected NameTaken, found {other:?}"),
        };
        taken(attempt!(place.store, ours.scope(), |tx| tx.insert_account(&account(organization, "ONE"))), "account");
        taken(attempt!(place.store, ours.scope(), |tx| tx.insert_point(&point(organization, "Ticketing"))), "integration point");
        taken(attempt!(place.store, ours.scope(), |tx| tx.insert_member(&member(organization, "Ada@Ours.example"))), "member");
        taken(attempt!(place.store, ours.scope(), |tx| tx.insert_integration(&integration(&one.account, &place.definition, "TICKETS"))), "integration");
        taken(attempt!(place.store, ours.scope(), |tx| tx.insert_credential(&credential(organization, one.shared.owner, one.shared.sealed_at, "Shared"))), "credential");
        taken(attempt!(place.store, ours.scope(), |tx| tx.insert_token(&token(organization, one.token.owner, ours.member.id, "DEFAULT"))), "token");
        let mut app = ours.app.clone();
        app.id = ProviderAppId::from_uuid(uuid());
        taken(attempt!(place.store, ours.scope(), |tx| tx.insert_provider_app(&app)), "provider app");
        let mut other = account(organization, "three");
        other.external_id = "one".to_owned();
        match attempt!(place.store, ours.scope(), |tx| tx.insert_account(&other)) {
            Err(StoreError::NameTaken { field: "external_id", value, .. }) => assert_eq!(value, "one"),
            found => panic!("expected the external id to be taken, found {found:?}"),
        }
        let two = &ours.accounts[1];
        attempt!(place.store, ours.scope(), |tx| tx.insert_integration(&integration(&two.account, &place.definition, "tickets-2"))).unwrap();
        let mut renamed = two.account.clone();
        renamed.name = name("One");
        taken(attempt!(place.store, ours.scope(), |tx| tx.update_account(&renamed)), "account");

        let again = organization_named(&place.theirs.organization, "OURS");
        taken(attempt!(place.store, Scope::Organization(again.id), |tx| tx.insert_organization(&again)), "organization");
        let problem = Problem::from(attempt!(place.store, Scope::Organization(again.id), |tx| tx.insert_organization(&again)).unwrap_err());
        assert_eq!((problem.code, problem.code.status()), (Code::NameTaken, 409));
        assert!(problem.message.contains("`OURS`"), "{}", problem.message);
    })
    .await;
}

fn organization_named(like: &organization::Organization, text: &str) -> organization::Organization {
    organization::Organization { id: OrganizationId::from_uuid(uuid()), name: name(text), ..like.clone() }
}

#[tokio::test]
async fn a_hash_leads_to_its_container_and_organization() {
    on_every_backend(async |place| {
        let token = &place.theirs.accounts[0].token;
        let mut tx = place.store.read_secrets(Scope::System).await.unwrap();
        let found = tx.token_by_hash(&hash(token.id, "access")).await.unwrap().unwrap();
        assert_eq!((&found.container, found.secret), (token, secret(SecretKind::IntegrationAccess)));
        assert_eq!(tx.token_by_hash(b"nothing").await.unwrap(), None);
        tx.enter(Scope::Account(found.container.organization_id, place.theirs.accounts[0].account.id)).unwrap();
        assert!(tx.integration(place.theirs.accounts[0].integration.id).await.unwrap().is_some());
        assert!(tx.enter(Scope::Organization(found.container.organization_id)).is_err(), "a scope does not widen");
    })
    .await;
}

#[tokio::test]
async fn secrets_rotate_through_two_slots() {
    on_every_backend(async |place| {
        let ours = &place.ours;
        let mut tx = place.write().await;
        let container = token(ours.organization.id, TokenOwner::Organization(ours.organization.id), ours.member.id, "pipeline");
        tx.insert_token(&container).await.unwrap();
        tx.insert_token_secrets(container.id, &[(b"first".to_vec(), secret(SecretKind::OrganizationAccess))]).await.unwrap();
        for next in [b"second", b"third_"] {
            tx.demote_token_secrets(container.id).await.unwrap();
            tx.insert_token_secrets(container.id, &[(next.to_vec(), secret(SecretKind::OrganizationAccess))]).await.unwrap();
        }
        assert_eq!(tx.token_by_hash(b"first").await.unwrap(), None, "the one before the one before is dead");
        assert_eq!(tx.token_by_hash(b"second").await.unwrap().unwrap().secret.slot, Slot::Secondary);
        assert_eq!(tx.token_by_hash(b"third_").await.unwrap().unwrap().secret.slot, Slot::Primary);
        assert_eq!(tx.token_secrets(container.id).await.unwrap().len(), 2);
        assert_eq!(tx.remove_token_secrets(container.id, Some(Slot::Secondary)).await.unwrap(), 1);
        assert_eq!(tx.remove_token_secrets(container.id, None).await.unwrap(), 1);
        let missing = TokenId::from_uuid(uuid());
        assert!(matches!(tx.insert_token_secrets(missing, &[(b"x".to_vec(), secret(SecretKind::Refresh))]).await, Err(StoreError::NotFound { .. })));
        tx.commit().await.unwrap();
        let mut tx = place.store.write_secrets(Scope::System, Origin::Background).await.unwrap();
        assert!(tx.remove_expired_tokens(time(100_000)).await.unwrap() > 0);
        tx.commit().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn passwords_and_failed_logons_stay_with_the_member() {
    on_every_backend(async |place| {
        let member = place.ours.member.id;
        let mut tx = place.write().await;
        assert_eq!(tx.member_password_hash(member).await.unwrap(), None);
        tx.set_member_password_hash(member, Some("$argon2id$..."), time(1)).await.unwrap();
        assert_eq!(tx.member_password_hash(member).await.unwrap().as_deref(), Some("$argon2id$..."));
        let before = tx.member(member).await.unwrap().unwrap();
        assert!(before.has_password);
        for last in [false, false, true] {
            assert_eq!(tx.count_failed_logon(member, 3, time(60)).await.unwrap(), last);
        }
        let locked = tx.member(member).await.unwrap().unwrap();
        assert_eq!((locked.state, locked.locked_until, locked.failed_logons), (MemberState::Locked, Some(time(60)), 0));
        assert_eq!(locked.updated_at, before.updated_at, "strangers change nothing that others compare");
        assert_eq!(tx.release_locks(time(59)).await.unwrap(), 0, "the lock is not over");
        assert_eq!(tx.release_locks(time(60)).await.unwrap(), 1);
        let free = tx.member(member).await.unwrap().unwrap();
        assert_eq!((free.state, free.locked_until), (MemberState::Enabled, None));
        tx.update_member(&Member { state: MemberState::Locked, ..free.clone() }).await.unwrap();
        assert_eq!(tx.release_locks(time(1_000_000)).await.unwrap(), 0, "what an administrator locked stays locked");
        tx.update_member(&Member { state: MemberState::Disabled, ..free }).await.unwrap();
        tx.count_failed_logon(member, 1, time(60)).await.unwrap();
        let disabled = tx.member(member).await.unwrap().unwrap();
        assert_eq!((disabled.state, disabled.locked_until), (MemberState::Disabled, Some(time(60))), "guessing at a disabled member is stopped too, and does not enable it");
        tx.release_locks(time(60)).await.unwrap();
        assert_eq!(tx.member(member).await.unwrap().unwrap().state, MemberState::Disabled);
        assert_eq!(tx.count_members_with_role(&RoleName::root_administrator()).await.unwrap(), 0, "a disabled one does not count");
        let role = Role {
            id: RoleId::from_uuid(uuid()),
            organization_id: place.ours.organization.id,
            name: RoleName::parse("support").unwrap(),
            fullname: fullname("Support"),
            description: None,
            resources: ResourceScope::default(),
            permission_set: PermissionSet::Viewer,
            created_at: time(0),
            updated_at: time(0),
        };
        tx.insert_role(&role).await.unwrap();
        assert_eq!(tx.role(&role.name).await.unwrap(), Some(role));
    })
    .await;
}

#[tokio::test]
async fn browsers_and_links_come_in_once() {
    on_every_backend(async |place| {
        let (organization, member) = (place.ours.organization.id, place.ours.member.id);
        let mut tx = place.write().await;
        let session = WebSession {
            id: WebSessionId::from_uuid(uuid()),
            organization_id: organization,
            member_id: member,
            token_id: None,
            authority: Authority::Roles(vec![RoleName::root_administrator()]),
            user_agent: "suite".to_owned(),
            expires: time(60),
            last_seen_at: time(0),
            created_at: time(0),
        };
        tx.insert_web_session(&session, b"handle").await.unwrap();
        let link = OneTimeLink { organization_id: organization, member_id: member, purpose: LinkPurpose::Setup, expires: time(60), created_at: time(0) };
        tx.insert_one_time_link(&link, b"old link").await.unwrap();
        tx.insert_one_time_link(&link, b"new link").await.unwrap();
        tx.commit().await.unwrap();

        let mut tx = place.store.write_secrets(Scope::System, Origin::Web).await.unwrap();
        assert_eq!(tx.one_time_link(b"new link", time(1)).await.unwrap(), Some(link), "looking uses nothing up");
        assert_eq!(tx.use_one_time_link(b"old link", time(1)).await.unwrap(), None, "a newer link replaces the older");
        assert_eq!(tx.use_one_time_link(b"new link", time(60)).await.unwrap(), None, "it has an end");
        assert_eq!(tx.use_one_time_link(b"new link", time(1)).await.unwrap(), Some(link));
        assert_eq!(tx.use_one_time_link(b"new link", time(2)).await.unwrap(), None, "it works once");
        assert_eq!(tx.one_time_link(b"new link", time(2)).await.unwrap(), None);
        assert_eq!(tx.web_session_by_hash(b"handle").await.unwrap(), Some(session.clone()));
        tx.commit().await.unwrap();

        let mut tx = place.write().await;
        let invitation = OneTimeLink { purpose: LinkPurpose::Invitation, ..link };
        tx.insert_one_time_link(&link, b"set-up").await.unwrap();
        tx.insert_one_time_link(&invitation, b"invitation").await.unwrap();
        tx.insert_one_time_link(&OneTimeLink { purpose: LinkPurpose::Reset, ..link }, b"reset").await.unwrap();
        assert_eq!(tx.one_time_link(b"invitation", time(1)).await.unwrap(), None, "a reset takes the place of an invitation");
        assert_eq!(tx.one_time_link(b"set-up", time(1)).await.unwrap(), Some(link), "and not of a set-up link");
        assert_eq!(tx.remove_password_links_of(member).await.unwrap(), 1);
        assert_eq!(tx.one_time_link(b"reset", time(1)).await.unwrap(), None);
        assert_eq!(tx.count_web_sessions_of(member, time(59)).await.unwrap(), 1);
        assert_eq!(tx.count_web_sessions_of(member, time(60)).await.unwrap(), 0, "it has ended");
        tx.touch_web_session(session.id, time(30), time(90)).await.unwrap();
        let seen = tx.web_session_by_hash(b"handle").await.unwrap().unwrap();
        assert_eq!((seen.last_seen_at, seen.expires), (time(30), time(90)));
        tx.delete_member(member, DeletionId::from_uuid(uuid()), time(40)).await.unwrap();
        assert_eq!(tx.web_session_by_hash(b"handle").await.unwrap(), None, "the browser of a deleted member is out");
        assert_eq!(tx.one_time_link(b"set-up", time(1)).await.unwrap(), None, "and so are its links");
        assert_eq!(tx.remove_web_sessions_of(member, None).await.unwrap(), 0, "the deletion ended its sessions");
    })
    .await;
}

#[tokio::test]
async fn definitions_do_not_change() {
    on_every_backend(async |place| {
        assert!(matches!(attempt!(place.store, Scope::System, |tx| tx.insert_definition(&place.definition)), Err(StoreError::NameTaken { .. })));
        let mut tx = place.store.write_secrets(Scope::System, Origin::Background).await.unwrap();
        let mut newer = definition();
        newer.version = "2".to_owned();
        newer.created_at = time(1);
        tx.insert_definition(&newer).await.unwrap();
        tx.set_definition_status(place.definition.id, DefinitionStatus::Deprecated, time(2)).await.unwrap();
        assert_eq!(tx.active_definition(&provider()).await.unwrap().unwrap().id, newer.id);
        assert_eq!(tx.definitions().await.unwrap().len(), 2);
    })
    .await;
}

#[tokio::test]
async fn an_organizations_own_definition_goes_before_the_programs_and_is_seen_by_nobody_else() {
    on_every_backend(async |place| {
        let (ours, theirs) = (place.ours.organization.id, place.theirs.organization.id);
        let own =
            definition::Definition { version: "1+abc123.1".to_owned(), organization: Some(ours), manifest: Some("format = 2".to_owned()), created_at: time(1), ..definition() };
        let account = place.ours.accounts[0].account.id;
        for scope in [Scope::System, Scope::Account(ours, account), Scope::Organization(theirs)] {
            assert!(attempt!(place.store, scope, |tx| tx.insert_definition(&own)).is_err(), "{scope:?} adds it");
        }
        let mut tx = place.write().await;
        tx.insert_definition(&own).await.unwrap();
        tx.commit().await.unwrap();
        for scope in [Scope::Organization(ours), Scope::Account(ours, account)] {
            let mut tx = place.store.read(scope).await.unwrap();
            assert_eq!(tx.definition(own.id).await.unwrap().as_ref(), Some(&own));
            assert_eq!(tx.active_definition(&provider()).await.unwrap().unwrap().id, own.id, "it goes before the program's");
            assert_eq!(tx.active_definition_id(&provider()).await.unwrap(), Some(own.id));
            assert_eq!(tx.own_active_definitions().await.unwrap(), [own.id]);
            assert_eq!(tx.definitions_of(&provider()).await.unwrap().len(), 2);
        }
        let mut tx = place.store.read(Scope::Organization(theirs)).await.unwrap();
        assert_eq!(tx.definition(own.id).await.unwrap(), None);
        assert_eq!(tx.active_definition(&provider()).await.unwrap().unwrap().id, place.definition.id);
        assert_eq!((tx.own_definitions().await.unwrap(), tx.own_active_definitions().await.unwrap()), (Vec::new(), Vec::new()));
        assert_eq!(tx.definitions_page(&ListQuery::default()).await.unwrap().items, std::slice::from_ref(&place.definition));
        drop(tx);
        let withdrawn = DefinitionStatus::Withdrawn;
        for scope in [Scope::Organization(theirs), Scope::Account(ours, account)] {
            assert!(attempt!(place.store, scope, |tx| tx.set_own_definition_status(own.id, withdrawn, time(2))).is_err(), "{scope:?} withdraws it");
        }
        assert!(attempt!(place.store, Scope::Organization(ours), |tx| tx.set_own_definition_status(place.definition.id, withdrawn, time(2))).is_err(), "the program's is nobody's");
        assert!(attempt!(place.store, Scope::System, |tx| tx.set_definition_status(own.id, withdrawn, time(2))).is_err(), "and the program withdraws its own alone");
        let mut tx = place.write().await;
        tx.set_own_definition_status(own.id, withdrawn, time(2)).await.unwrap();
        assert_eq!(tx.active_definition(&provider()).await.unwrap().unwrap().id, place.definition.id);
    })
    .await;
}

#[tokio::test]
async fn usage_is_written_in_batches() {
    on_every_backend(async |place| {
        let customer = &place.ours.accounts[0];
        let before = place.store.poll_changes().await.unwrap();
        let usage = Usage {
            organization_id: place.ours.organization.id,
            account_id: customer.account.id,
            integration_id: customer.integration.id,
            last_used_at: time(50),
            last_connected_at: None,
            used: CallSums { requests: 2, failed: 1, cpu_time_us: 7, db_ops: 3, api_ops: 4, in_bytes: 10, out_bytes: 5 },
            minutes: Vec::new(),
            turns: Vec::new(),
        };
        let stranger = Usage { account_id: place.theirs.accounts[0].account.id, ..usage.clone() };
        place.store.flush_usage(&[usage.clone(), stranger]).await.unwrap();
        place.store.flush_usage(&[Usage { last_used_at: time(40), last_connected_at: Some(time(40)), ..usage }]).await.unwrap();
        let mut tx = place.store.read_secrets(place.ours.scope()).await.unwrap();
        let integration = tx.integration(customer.integration.id).await.unwrap().unwrap();
        assert_eq!((integration.last_used_at, integration.last_connected_at), (Some(time(50)), Some(time(40))), "time does not run backwards");
        let sums = CallSums { requests: 4, failed: 2, cpu_time_us: 14, db_ops: 6, api_ops: 8, in_bytes: 20, out_bytes: 10 };
        assert_eq!(tx.counters(Some(customer.integration.id)).await.unwrap(), sums);
        assert_eq!(tx.counters(None).await.unwrap(), sums);
        assert_eq!(place.store.poll_changes().await.unwrap(), before, "telemetry wakes nobody");
    })
    .await;
}

#[tokio::test]
async fn documents_keep_their_order_and_numbers() {
    on_every_backend(async |place| {
        let customer = &place.ours.accounts[0];
        let (account, integration) = (customer.account.id, customer.integration.id);
        let mut tx = place.store.write_secrets(place.ours.within(0), Origin::Api).await.unwrap();
        for number in ["9", "2", "5"] {
            tx.put_document(account, integration, "tickets", number, &serde_json::json!({"n": number})).await.unwrap();
        }
        tx.put_document(account, integration, "tickets", "2", &serde_json::json!({"n": "two"})).await.unwrap();
        let ids = |documents: Vec<patchbay_store::LocalDocument>| documents.into_iter().map(|document| document.id).collect::<Vec<_>>();
        assert_eq!(ids(tx.documents(integration, "tickets", 0, 100).await.unwrap()), ["1", "9", "2", "5"]);
        assert_eq!(ids(tx.documents(integration, "tickets", 2, 1).await.unwrap()), ["2"]);
        assert_eq!(tx.document(integration, "tickets", "2").await.unwrap().unwrap().body, serde_json::json!({"n": "two"}));
        assert_eq!((tx.next_document_number(account, integration, "tickets").await.unwrap(), tx.next_document_number(account, integration, "tickets").await.unwrap()), (1, 2));
        assert_eq!(tx.next_document_number(account, integration, "comments").await.unwrap(), 1);
        assert!(tx.remove_document(integration, "tickets", "9").await.unwrap());
        assert!(!tx.remove_document(integration, "tickets", "9").await.unwrap());
        let foreign = &place.ours.accounts[1];
        assert!(matches!(tx.put_document(foreign.account.id, foreign.integration.id, "tickets", "1", &serde_json::json!({})).await, Err(StoreError::NotFound { .. })));
    })
    .await;
}

#[tokio::test]
async fn a_commit_tells_what_changed() {
    on_every_backend(async |place| {
        let mut watch = place.store.watch_changes();
        watch.borrow_and_update();
        let before = place.store.poll_changes().await.unwrap();
        let mut tx = place.write().await;
        let account = account(place.ours.organization.id, "fresh");
        tx.insert_account(&account).await.unwrap();
        tx.update_account(&account).await.unwrap();
        let told = tx.commit().await.unwrap();
        // A server numbers changes at the commit: their number is known when they are looked for.
        let sequence = place.store.poll_changes().await.unwrap();
        assert!(told.is_none_or(|told| told == sequence));
        tokio::time::timeout(Duration::from_secs(5), watch.changed()).await.unwrap().unwrap();
        assert_eq!(*watch.borrow(), sequence);
        let mut tx = place.store.read_secrets(place.ours.scope()).await.unwrap();
        let changes = tx.changes_since(before, 10).await.unwrap();
        assert_eq!(changes.len(), 1, "one object changed once: {changes:?}");
        assert_eq!((changes[0].id.clone(), changes[0].origin, changes[0].account_id), (account.id.to_string(), Origin::Api, Some(account.id)));
        assert_eq!(tx.latest_sequence().await.unwrap(), sequence);
        drop(tx);
        let mut tx = place.write().await;
        tx.insert_account(&crate::place::account(place.ours.organization.id, "given-up")).await.unwrap();
        tx.rollback().await.unwrap();
        assert_eq!(place.store.poll_changes().await.unwrap(), sequence, "what is given up tells nothing");
        let other = place.second_handle().await;
        let mut tx = other.write(place.ours.scope(), Origin::Cli).await.unwrap();
        tx.insert_account(&crate::place::account(place.ours.organization.id, "elsewhere")).await.unwrap();
        let told = tx.commit().await.unwrap();
        let elsewhere = place.store.poll_changes().await.unwrap();
        assert!(elsewhere > sequence && told.is_none_or(|told| told == elsewhere), "the change of another process is heard");
        let mut tx = other.write(Scope::System, Origin::Background).await.unwrap();
        assert_eq!(tx.tail_changes(sequence, 10).await.unwrap().len(), 1);
        tx.trim_changes(1).await.unwrap();
        assert_eq!((tx.oldest_sequence().await.unwrap(), tx.latest_sequence().await.unwrap()), (elsewhere, elsewhere));
        tx.commit().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn sealed_values_are_counted_and_replaced_once() {
    on_every_backend(async |place| {
        let mut tx = place.store.write_secrets(Scope::System, Origin::Background).await.unwrap();
        let values = sealed_values(tx.secrets()).await;
        assert_eq!(values.len(), 3 + 3 + 2 + 3, "integrations, shared of accounts, secrets of apps, verifiers");
        let before = tx.secrets().count_sealed().await.unwrap();
        assert_eq!((before.len(), before[0].data_key.as_str(), before[0].values), (1, "k1", 11));
        let next = patchbay_model::credential::Envelope { v: 1, key_id: "k2".to_owned(), ct: "YW5ldw==".to_owned() };
        let database = before[0].database_key.clone();
        for table in SealedTable::ALL {
            let under = |key: &'static str| (key, database.as_deref());
            let rows = |values: &[SealedValue]| values.iter().map(|value| (value.row, next.clone())).collect::<Vec<_>>();
            let page = tx.secrets().sealed_page(table, None, Some(under("k2")), 2).await.unwrap();
            tx.reseal(table, &rows(&page)).await.unwrap();
            let left = tx.secrets().sealed_page(table, None, Some(under("k2")), 100).await.unwrap();
            assert_eq!(page.len() + left.len(), values.iter().filter(|value| value.table == table).count(), "{table:?}");
            assert_eq!(tx.secrets().sealed_page(table, page.last().map(|value| value.row), Some(under("k2")), 100).await.unwrap(), left, "behind the last one are the same");
            tx.reseal(table, &rows(&left)).await.unwrap();
            assert_eq!(tx.secrets().sealed_page(table, None, Some(under("k2")), 100).await.unwrap(), []);
        }
        let after = tx.secrets().count_sealed().await.unwrap();
        assert_eq!((after.len(), after[0].data_key.as_str(), after[0].values), (1, "k2", 11));
        assert!(sealed_values(tx.secrets()).await.iter().all(|value| value.envelope == next));
        tx.commit().await.unwrap();
        let mut tx = place.store.read_secrets(place.ours.scope()).await.unwrap();
        assert_eq!(tx.secrets().sealed_integration(place.ours.accounts[0].integration.id).await.unwrap(), Some(next));
    })
    .await;
}
