//! Nobody sees or touches what is not theirs, in any aggregate.

use patchbay_model::deadline::MAIN_TOKEN;
use patchbay_model::list::ListQuery;
use patchbay_model::token::{SecretKind, TokenOwner};
use patchbay_model::*;
use patchbay_store::StoreError;

use crate::place::*;

/// That each of the account's things is out of sight within `scope`.
async fn assert_unseen(place: &Place, scope: Scope, customer: &Customer, why: &str) {
    let mut tx = place.store.read_secrets(scope).await.unwrap();
    assert_eq!(tx.account(customer.account.id).await.unwrap(), None, "account: {why}");
    assert_eq!(tx.find_account(&customer.account.id.to_string()).await.unwrap(), None, "account by id: {why}");
    assert_eq!(tx.integration(customer.integration.id).await.unwrap(), None, "integration: {why}");
    assert_eq!(tx.find_integration(customer.account.id, "tickets").await.unwrap(), None, "integration by name: {why}");
    assert_eq!(tx.credential(customer.credential.id).await.unwrap(), None, "credential: {why}");
    assert_eq!(tx.credential(customer.shared.id).await.unwrap(), None, "shared credential: {why}");
    assert_eq!(tx.find_credential(customer.shared.owner, "shared").await.unwrap(), None, "credential by name: {why}");
    assert_eq!(tx.credentials(Some(customer.shared.owner), &ListQuery::default()).await.unwrap().items, [], "credentials of the owner: {why}");
    assert_eq!(tx.credentials_within_reach(customer.account.id, customer.integration.id, None).await.unwrap(), [], "credentials within reach: {why}");
    assert!(tx.secrets().sealed_integration(customer.integration.id).await.is_err(), "sealed value: {why}");
    let patchbay_model::credential::SealedAt::Shared(shared) = customer.shared.sealed_at else { panic!("the fixture is shared") };
    assert_eq!(tx.secrets().sealed_shared(shared).await.unwrap(), None, "shared sealed value: {why}");
    assert_eq!(tx.secrets().sealed_previous(customer.credential.id, MAIN_TOKEN).await.unwrap(), None, "journal: {why}");
    assert_eq!(tx.flight(customer.credential.id, MAIN_TOKEN).await.unwrap(), refresh::Flight::Idle, "flight: {why}");
    assert_eq!(tx.flights(customer.credential.id).await.unwrap(), [], "flights: {why}");
    assert_eq!(tx.refresh_steps(customer.credential.id, 100).await.unwrap(), [], "steps: {why}");
    assert_eq!(tx.token(customer.token.id).await.unwrap(), None, "token: {why}");
    assert_eq!(tx.token_secrets(customer.token.id).await.unwrap(), [], "token secrets: {why}");
    assert_eq!(tx.connect_session(customer.session.id).await.unwrap(), None, "connect session: {why}");
    assert_eq!(tx.latest_connect_session(customer.integration.id).await.unwrap(), None, "newest connect session: {why}");
    assert_eq!(tx.secrets().sealed_connect_verifier(customer.session.id).await.unwrap(), None, "verifier: {why}");
    assert_eq!(tx.document(customer.integration.id, "tickets", "1").await.unwrap(), None, "document: {why}");
    assert_eq!(tx.documents(customer.integration.id, "tickets", 0, 10).await.unwrap(), [], "documents: {why}");
    assert_eq!(tx.account_impact(customer.account.id).await.unwrap(), deletion::Impact::default(), "impact: {why}");
    assert_eq!(tx.integration_impact(customer.integration.id).await.unwrap(), deletion::Impact::default(), "impact of the integration: {why}");
    assert_eq!(tx.credential_users(customer.shared.id).await.unwrap().count, 0, "users: {why}");
    let all = ListQuery { total: true, ..ListQuery::default() };
    assert!(tx.accounts(&all).await.unwrap().items.iter().all(|row| row.id != customer.account.id), "accounts: {why}");
    assert!(tx.integrations(None, &all).await.unwrap().items.iter().all(|row| row.id != customer.integration.id), "integrations: {why}");
    assert_eq!(tx.integrations(Some(customer.account.id), &all).await.unwrap().total, Some(0), "integrations of the account: {why}");
    assert!(tx.credentials(None, &all).await.unwrap().items.iter().all(|row| row.owner.account() != Some(customer.account.id)), "credentials: {why}");
    assert!(tx.tokens(None, &all).await.unwrap().items.iter().all(|row| row.id != customer.token.id), "tokens: {why}");
    assert!(tx.audit_events(&all).await.unwrap().items.iter().all(|row| row.account_id != Some(customer.account.id)), "audit: {why}");
    assert!(tx.changes_since(0, 1000).await.unwrap().iter().all(|row| row.account_id != Some(customer.account.id)), "changes: {why}");
    drop(tx);

    assert!(attempt!(place.store, scope, |tx| tx.update_account(&customer.account)).is_err(), "account is written: {why}");
    assert!(attempt!(place.store, scope, |tx| tx.update_integration(&customer.integration)).is_err(), "integration is written: {why}");
    assert!(attempt!(place.store, scope, |tx| tx.insert_integration(&integration(&customer.account, &place.definition, "intruder"))).is_err(), "integration is added: {why}");
    assert!(
        !attempt!(place.store, scope, |tx| tx.set_integration_status(customer.integration.id, &[], integration::IntegrationStatus::Paused, time(1), false)).unwrap(),
        "status is written: {why}"
    );
    assert!(attempt!(place.store, scope, |tx| tx.set_sealed_integration(customer.integration.id, Some(&envelope("x")))).is_err(), "sealed value is written: {why}");
    assert!(attempt!(place.store, scope, |tx| tx.set_sealed_shared(shared, &envelope("x"), time(1))).is_err(), "shared sealed value is written: {why}");
    assert!(
        attempt!(place.store, scope, |tx| tx.insert_sealed_shared(SharedCredentialId::from_uuid(uuid()), Some(customer.account.id), &envelope("x"), time(1))).is_err(),
        "sealed value is added: {why}"
    );
    assert!(attempt!(place.store, scope, |tx| tx.update_credential(&customer.credential)).is_err(), "credential is written: {why}");
    assert!(attempt!(place.store, scope, |tx| tx.update_token(&customer.token)).is_err(), "token is written: {why}");
    assert!(
        attempt!(place.store, scope, |tx| tx.insert_token_secrets(customer.token.id, &[(b"intruder".to_vec(), secret(SecretKind::Refresh))])).is_err(),
        "secret is added: {why}"
    );
    assert_eq!(attempt!(place.store, scope, |tx| tx.remove_token_secrets(customer.token.id, None)).unwrap(), 0, "secrets are removed: {why}");
    let step = refresh::NewStep::of(uuid(), "me", refresh::RefreshStep::Intent, time(0));
    assert!(attempt!(place.store, scope, |tx| tx.add_steps(&customer.credential, &[step])).is_err(), "refresh: {why}");
    assert_eq!(attempt!(place.store, scope, |tx| tx.begin_exchange(customer.session.id, None, time(1))).unwrap(), None, "callback: {why}");
    assert!(!attempt!(place.store, scope, |tx| tx.end_connect_session(customer.session.id, consent::ConnectState::Cancelled, None, time(1))).unwrap(), "cancel: {why}");
    assert!(!attempt!(place.store, scope, |tx| tx.remove_document(customer.integration.id, "tickets", "1")).unwrap(), "document is removed: {why}");
    assert!(
        attempt!(place.store, scope, |tx| tx.put_document(customer.account.id, customer.integration.id, "tickets", "2", &serde_json::json!({}))).is_err(),
        "document is added: {why}"
    );
    let deletion = || DeletionId::from_uuid(uuid());
    assert!(attempt!(place.store, scope, |tx| tx.delete_account(customer.account.id, deletion(), time(1))).is_err(), "account is deleted: {why}");
    assert!(attempt!(place.store, scope, |tx| tx.delete_integration(customer.integration.id, deletion(), time(1))).is_err(), "integration is deleted: {why}");
    assert!(attempt!(place.store, scope, |tx| tx.delete_credential(customer.credential.id, deletion(), time(1))).is_err(), "credential is deleted: {why}");
    assert!(attempt!(place.store, scope, |tx| tx.delete_token(customer.token.id, deletion(), time(1))).is_err(), "token is deleted: {why}");
}

#[tokio::test]
async fn organizations_and_accounts_do_not_see_each_other() {
    on_every_backend(async |place| {
        assert_unseen(place, place.ours.scope(), &place.theirs.accounts[0], "another organization").await;
        assert_unseen(place, place.theirs.scope(), &place.ours.accounts[0], "another organization").await;
        assert_unseen(place, place.ours.within(1), &place.ours.accounts[0], "another account").await;
        assert_unseen(place, place.ours.within(0), &place.theirs.accounts[0], "an account of another organization").await;
        let crossed = Scope::Account(place.theirs.organization.id, place.ours.accounts[0].account.id);
        assert_unseen(place, crossed, &place.ours.accounts[0], "our account under another organization").await;
        assert_unseen(place, crossed, &place.theirs.accounts[0], "a foreign account id").await;
    })
    .await;
}

#[tokio::test]
async fn what_belongs_to_an_organization_stays_with_it() {
    on_every_backend(async |place| {
        let theirs = &place.theirs;
        for scope in [place.ours.scope(), place.ours.within(0)] {
            let mut tx = place.store.read_secrets(scope).await.unwrap();
            assert_eq!(tx.organization().await.unwrap().id, place.ours.organization.id);
            assert_eq!(tx.point(theirs.point.id).await.unwrap(), None);
            assert_eq!(tx.find_point("ticketing").await.unwrap().unwrap().id, place.ours.point.id);
            assert_eq!(tx.points(&ListQuery::default()).await.unwrap().items.len(), 1);
            assert_eq!(tx.provider_app(theirs.app.id).await.unwrap(), None);
            assert_eq!(tx.provider_apps(&ListQuery::default()).await.unwrap().items.len(), 1);
            assert_eq!(tx.provider_apps_at(&provider()).await.unwrap().len(), 1);
            assert_eq!(tx.secrets().sealed_shared(theirs.app.client_secret.unwrap()).await.unwrap(), None);
            assert_eq!(tx.point_users(theirs.point.id).await.unwrap().count, 0);
            assert_eq!(tx.provider_app_users(theirs.app.id).await.unwrap().count, 0);
        }
        let mut tx = place.store.write_secrets(place.ours.scope(), Origin::Api).await.unwrap();
        assert_eq!(tx.member(theirs.member.id).await.unwrap(), None);
        assert_eq!(tx.find_member(theirs.member.name.as_str()).await.unwrap(), None);
        assert_eq!(tx.member_password_hash(theirs.member.id).await.unwrap(), None);
        assert!(tx.update_member(&theirs.member).await.is_err());
        assert!(tx.update_point(&theirs.point).await.is_err());
        assert!(tx.update_provider_app(&theirs.app).await.is_err());
        assert!(tx.update_organization(&theirs.organization).await.is_err());
        assert!(tx.insert_account(&account(theirs.organization.id, "intruder")).await.is_err());
        assert!(tx.insert_member(&member(theirs.organization.id, "eve@example.com")).await.is_err());
        assert!(tx.insert_audit(&audit(theirs.organization.id, None, 1)).await.is_err());
        let mut bent = place.ours.accounts[0].integration.clone();
        bent.integration_point_id = Some(theirs.point.id);
        tx.rollback().await.unwrap();
        assert!(
            matches!(attempt!(place.store, place.ours.scope(), |tx| tx.update_integration(&bent)), Err(StoreError::DanglingReference)),
            "a reference does not cross organizations"
        );
        let deletion = || DeletionId::from_uuid(uuid());
        assert!(attempt!(place.store, place.ours.scope(), |tx| tx.delete_member(theirs.member.id, deletion(), time(1))).is_err());
        assert!(attempt!(place.store, place.ours.scope(), |tx| tx.delete_point(theirs.point.id, deletion(), time(1))).is_err());
        assert!(attempt!(place.store, place.ours.scope(), |tx| tx.delete_provider_app(theirs.app.id, deletion(), time(1))).is_err());
    })
    .await;
}

#[tokio::test]
async fn an_account_cannot_reach_what_the_organization_keeps() {
    on_every_backend(async |place| {
        let ours = &place.ours;
        let mut tx = place.store.write_secrets(ours.within(0), Origin::Api).await.unwrap();
        let refused = |result: Result<(), StoreError>, what: &str| assert!(matches!(result, Err(StoreError::WrongScope { .. })), "{what}: {result:?}");
        refused(tx.members(&ListQuery::default()).await.map(drop), "members");
        refused(tx.member(ours.member.id).await.map(drop), "member");
        refused(tx.member_password_hash(ours.member.id).await.map(drop), "password");
        refused(tx.insert_account(&account(ours.organization.id, "new")).await, "new account");
        refused(tx.update_point(&ours.point).await, "point");
        refused(tx.update_provider_app(&ours.app).await, "provider app");
        refused(tx.update_organization(&ours.organization).await, "organization");
        let broad = token(ours.organization.id, TokenOwner::Organization(ours.organization.id), ours.member.id, "broad");
        refused(tx.insert_token(&broad).await, "organization token");
        assert!(tx.set_sealed_shared(ours.app.client_secret.unwrap(), &envelope("x"), time(1)).await.is_err(), "a secret of the organization");
    })
    .await;
}

#[tokio::test]
async fn the_system_sees_no_tenant_data() {
    on_every_backend(async |place| {
        let customer = &place.ours.accounts[0];
        let mut tx = place.store.write_secrets(Scope::System, Origin::Background).await.unwrap();
        let refused = |result: Result<(), StoreError>, what: &str| assert!(matches!(result, Err(StoreError::WrongScope { .. })), "{what}: {result:?}");
        refused(tx.organization().await.map(drop), "organization");
        refused(tx.account(customer.account.id).await.map(drop), "account");
        refused(tx.accounts(&ListQuery::default()).await.map(drop), "accounts");
        refused(tx.integration(customer.integration.id).await.map(drop), "integration");
        refused(tx.credential(customer.credential.id).await.map(drop), "credential");
        refused(tx.secrets().sealed_integration(customer.integration.id).await.map(drop), "sealed value");
        refused(tx.token(customer.token.id).await.map(drop), "token");
        refused(tx.audit_events(&ListQuery::default()).await.map(drop), "audit");
        refused(tx.changes_since(0, 1).await.map(drop), "changes");
        refused(tx.point(place.ours.point.id).await.map(drop), "point");
        refused(tx.member(place.ours.member.id).await.map(drop), "member");
        refused(tx.document(customer.integration.id, "tickets", "1").await.map(drop), "document");
        refused(tx.update_account(&customer.account).await, "write");
        assert_eq!(tx.organizations().await.unwrap().len(), 2);
        assert_eq!(tx.find_organization("Ours").await.unwrap().unwrap().id, place.ours.organization.id);
        assert!(tx.connect_session_by_state(&hash(customer.session.id, "state")).await.unwrap().is_some());
        assert_eq!(tx.header().await.unwrap().key_header, serde_json::json!({"version": 1}));
        drop(tx);
        let mut tx = place.store.write_secrets(place.ours.scope(), Origin::Api).await.unwrap();
        refused(tx.organizations().await.map(drop), "all organizations");
        refused(tx.secrets().count_sealed().await.map(drop), "all sealed values");
        refused(tx.secrets().sealed_page(patchbay_store::SealedTable::SharedCredentials, None, None, 1).await.map(drop), "all sealed values");
        refused(tx.reseal(patchbay_store::SealedTable::SharedCredentials, &[]).await.map(drop), "all sealed values");
        refused(tx.visit(Scope::System), "a wider scope");
        refused(tx.changed_everywhere(patchbay_model::change::ChangeKind::Key, "").await, "every organization");
        refused(tx.tail_changes(0, 1).await.map(drop), "all changes");
        refused(tx.purge_deleted(time(0)).await.map(drop), "purge");
        refused(tx.due_deletions(time(0)).await.map(drop), "due deletions");
    })
    .await;
}
