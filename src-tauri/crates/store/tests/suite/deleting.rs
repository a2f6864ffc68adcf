//! Deletion takes what belongs to an object, undo brings it back, the purge removes it.

use std::time::Duration;

use patchbay_model::credential::{CredentialOwner, SealedAt};
use patchbay_model::deletion::{Impact, UNDO_WINDOW};
use patchbay_model::list::ListQuery;
use patchbay_model::token::{SecretKind, TokenOwner};
use patchbay_model::*;
use patchbay_store::StoreError;

use crate::place::*;

fn deletion() -> DeletionId {
    DeletionId::from_uuid(uuid())
}

#[tokio::test]
async fn an_account_takes_its_own_and_an_undo_brings_it_back() {
    on_every_backend(async |place| {
        let ours = &place.ours;
        let customer = &ours.accounts[0];
        let id = deletion();
        let mut tx = place.write().await;
        let broad = token(ours.organization.id, TokenOwner::Organization(ours.organization.id), ours.member.id, "narrowed-to-one");
        tx.insert_token(&broad).await.unwrap();
        let expected = Impact { integrations: 1, credentials: 2, tokens: 1, connect_sessions: 1, ..Impact::default() };
        assert_eq!(tx.account_impact(customer.account.id).await.unwrap(), expected);
        assert_eq!(tx.delete_account(customer.account.id, id, time(100)).await.unwrap(), expected);
        tx.commit().await.unwrap();

        let mut tx = place.write().await;
        assert_eq!(tx.account(customer.account.id).await.unwrap(), None);
        assert_eq!(tx.integration(customer.integration.id).await.unwrap(), None);
        assert_eq!(tx.credential(customer.shared.id).await.unwrap(), None);
        assert!(tx.secrets().sealed_integration(customer.integration.id).await.is_err());
        let SealedAt::Shared(shared) = customer.shared.sealed_at else { panic!("the fixture is shared") };
        assert_eq!(tx.secrets().sealed_shared(shared).await.unwrap(), None);
        assert_eq!(tx.token_by_hash(&hash(customer.token.id, "access")).await.unwrap(), None, "its tokens are dead");
        assert_eq!(tx.connect_session_by_state(&hash(customer.session.id, "state")).await.unwrap(), None);
        assert!(tx.token(broad.id).await.unwrap().is_some(), "organization tokens stay");
        assert!(tx.account(ours.accounts[1].account.id).await.unwrap().is_some(), "the neighbour stays");
        assert!(matches!(tx.delete_account(customer.account.id, deletion(), time(101)).await, Err(StoreError::NotFound { .. })), "twice is once");
        tx.rollback().await.unwrap();

        let mut tx = place.write().await;
        let undone = tx.undo_deletion(id, time(100)).await.unwrap();
        assert_eq!((undone.object_id, undone.undo_until()), (customer.account.id.uuid(), time(700)));
        tx.commit().await.unwrap();
        let mut tx = place.write().await;
        assert_eq!(tx.account(customer.account.id).await.unwrap().as_ref(), Some(&customer.account));
        assert_eq!(tx.integration(customer.integration.id).await.unwrap().as_ref(), Some(&customer.integration));
        assert_eq!(tx.secrets().sealed_credential(&customer.shared).await.unwrap(), Some(envelope("shared of one")));
        assert!(tx.token_by_hash(&hash(customer.token.id, "access")).await.unwrap().is_some());
        assert_eq!(tx.credential_users(customer.shared.id).await.unwrap().count, 1);
        assert!(matches!(tx.undo_deletion(id, time(100)).await, Err(StoreError::NotFound { .. })), "an undo happens once");
    })
    .await;
}

#[tokio::test]
async fn an_undo_has_its_time_and_its_limits() {
    on_every_backend(async |place| {
        let customer = &place.ours.accounts[0];
        let mut tx = place.write().await;
        let first = deletion();
        tx.delete_integration(customer.integration.id, first, time(100)).await.unwrap();
        let late = time(100).plus(UNDO_WINDOW).plus(Duration::from_secs(1)).minus(UNDO_WINDOW);
        assert!(matches!(tx.undo_deletion(first, late).await, Err(StoreError::NotUndoable(_))), "after its time");
        let second = deletion();
        tx.delete_account(customer.account.id, second, time(110)).await.unwrap();
        assert!(matches!(tx.undo_deletion(first, time(0)).await, Err(StoreError::NotUndoable(_))), "without its parent");
        tx.undo_deletion(second, time(0)).await.unwrap();
        assert_eq!(tx.integration(customer.integration.id).await.unwrap(), None, "the earlier deletion stays");
        tx.commit().await.unwrap();

        let mut tx = place.write().await;
        tx.insert_integration(&integration(&customer.account, &place.definition, "Tickets")).await.unwrap();
        match tx.undo_deletion(first, time(0)).await {
            Err(error @ StoreError::NotUndoable(_)) => {
                let problem = Problem::from(error);
                assert_eq!(problem.code, Code::UpdateConflict);
                assert!(problem.message.contains("name"), "{}", problem.message);
            }
            other => panic!("the name was given away, but found {other:?}"),
        }
        tx.rollback().await.unwrap();
        let mut tx = place.write().await;
        tx.undo_deletion(first, time(0)).await.unwrap();
        assert!(tx.token_by_hash(&hash(customer.token.id, "refresh")).await.unwrap().is_some());
        tx.commit().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn what_is_in_use_stays() {
    on_every_backend(async |place| {
        let ours = &place.ours;
        let mut tx = place.write().await;
        match tx.delete_point(ours.point.id, deletion(), time(1)).await {
            Err(error @ StoreError::InUse { count: 2, .. }) => {
                let problem = Problem::from(error);
                assert_eq!((problem.code, problem.context.resources.len()), (Code::InUse, 2));
                assert_eq!(problem.context.resources[0].kind, "integration");
            }
            other => panic!("the point is used, but found {other:?}"),
        }
        let mut credential = ours.accounts[0].credential.clone();
        credential.public_config.insert(patchbay_store::PROVIDER_APP_KEY.to_owned(), ours.app.id.to_string().into());
        tx.update_credential(&credential).await.unwrap();
        assert!(
            matches!(tx.delete_provider_app(ours.app.id, deletion(), time(1)).await, Err(StoreError::InUse { count: 2, .. })),
            "one by its credential, one by its running consent"
        );
        let users = tx.credential_users(ours.accounts[0].shared.id).await.unwrap();
        assert_eq!((users.count, users.integrations[0].id), (1, ours.accounts[0].integration.id));
        for customer in &ours.accounts {
            tx.delete_integration(customer.integration.id, deletion(), time(2)).await.unwrap();
        }
        let point = deletion();
        tx.delete_point(ours.point.id, point, time(3)).await.unwrap();
        tx.delete_provider_app(ours.app.id, deletion(), time(3)).await.unwrap();
        assert_eq!(tx.secrets().sealed_shared(ours.app.client_secret.unwrap()).await.unwrap(), None, "its secret goes with it");
        tx.commit().await.unwrap();
        let mut tx = place.store.write_secrets(Scope::System, Origin::Background).await.unwrap();
        assert!(tx.purge_deleted(time(10)).await.unwrap() > 0);
        tx.commit().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_point_takes_its_credentials_and_a_credential_its_secret() {
    on_every_backend(async |place| {
        let ours = &place.ours;
        let mut tx = place.write().await;
        let lonely = point(ours.organization.id, "lonely");
        tx.insert_point(&lonely).await.unwrap();
        let shared = SharedCredentialId::from_uuid(uuid());
        tx.insert_sealed_shared(shared, None, &envelope("of the point"), time(0)).await.unwrap();
        let of_point = credential(ours.organization.id, CredentialOwner::IntegrationPoint(lonely.id), SealedAt::Shared(shared), "of-point");
        tx.insert_credential(&of_point).await.unwrap();
        tx.commit().await.unwrap();

        let mut tx = place.store.read_secrets(ours.within(0)).await.unwrap();
        assert_eq!(tx.credential(of_point.id).await.unwrap().as_ref(), Some(&of_point), "an account under the point can use it");
        assert_eq!(tx.secrets().sealed_credential(&of_point).await.unwrap(), Some(envelope("of the point")));
        assert_eq!(tx.credentials(Some(of_point.owner), &ListQuery::default()).await.unwrap().items.len(), 1);
        drop(tx);
        let mut tx = place.store.write_secrets(ours.within(0), Origin::Api).await.unwrap();
        assert!(tx.delete_credential(of_point.id, deletion(), time(1)).await.is_err(), "and not delete it");
        tx.rollback().await.unwrap();

        let mut tx = place.write().await;
        let own = ours.accounts[0].shared.clone();
        let gone = deletion();
        tx.delete_credential(own.id, gone, time(5)).await.unwrap();
        let SealedAt::Shared(own_shared) = own.sealed_at else { panic!("the fixture is shared") };
        assert_eq!(tx.secrets().sealed_shared(own_shared).await.unwrap(), None);
        let impact = tx.delete_point(lonely.id, deletion(), time(5)).await.unwrap();
        assert_eq!(impact.credentials, 1);
        assert_eq!(tx.secrets().sealed_shared(shared).await.unwrap(), None);
        tx.undo_deletion(gone, time(0)).await.unwrap();
        assert_eq!(tx.secrets().sealed_shared(own_shared).await.unwrap(), Some(envelope("shared of one")));
        tx.commit().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_member_takes_its_own_tokens_alone() {
    on_every_backend(async |place| {
        let ours = &place.ours;
        let mut tx = place.write().await;
        let organization = ours.organization.id;
        let logon = token(organization, TokenOwner::Organization(organization), ours.member.id, "logon");
        tx.insert_token(&logon).await.unwrap();
        tx.insert_token_secrets(logon.id, &[(b"logon".to_vec(), secret(SecretKind::OrganizationAccess))]).await.unwrap();
        let id = deletion();
        assert_eq!(tx.delete_member(ours.member.id, id, time(1)).await.unwrap().tokens, 1);
        assert_eq!(tx.token_by_hash(b"logon").await.unwrap(), None);
        assert!(tx.token_by_hash(&hash(ours.accounts[0].token.id, "access")).await.unwrap().is_some(), "an integration keeps its token");
        assert_eq!(tx.count_members_with_role(&permission::RoleName::root_administrator()).await.unwrap(), 0);
        tx.insert_member(&member(organization, ours.member.name.as_str())).await.unwrap();
        assert!(matches!(tx.undo_deletion(id, time(0)).await, Err(StoreError::NotUndoable(_))), "the name was given away");
    })
    .await;
}

#[tokio::test]
async fn the_purge_leaves_nothing_of_what_was_deleted() {
    on_every_backend(async |place| {
        let ours = &place.ours;
        let mut tx = place.write().await;
        let first = &ours.accounts[0];
        // Of the first account things go one by one, of the second all at once.
        tx.delete_credential(first.credential.id, deletion(), time(1)).await.unwrap();
        tx.delete_token(first.token.id, deletion(), time(2)).await.unwrap();
        tx.delete_account(ours.accounts[1].account.id, deletion(), time(3)).await.unwrap();
        tx.delete_account(first.account.id, deletion(), time(50)).await.unwrap();
        tx.commit().await.unwrap();

        let mut tx = place.store.write_secrets(Scope::System, Origin::Background).await.unwrap();
        assert_eq!(tx.due_deletions(time(10)).await.unwrap().len(), 3);
        tx.purge_deleted(time(10)).await.unwrap();
        let sealed = sealed_values(tx.secrets()).await;
        assert!(sealed.iter().all(|value| value.account_id != Some(ours.accounts[1].account.id.uuid())), "no sealed value of the second account is left");
        assert!(sealed.iter().all(|value| value.row != first.integration.id.uuid()), "nor the one of the deleted credential");
        assert!(sealed.iter().any(|value| value.account_id == Some(first.account.id.uuid())), "the later deletion waits");
        tx.purge_deleted(time(100)).await.unwrap();
        assert_eq!(sealed_values(tx.secrets()).await.len(), 1 + 4, "the secret of our app, and what is theirs");
        assert_eq!(tx.due_deletions(time(1000)).await.unwrap(), []);
        tx.commit().await.unwrap();
        let mut tx = place.write().await;
        assert_eq!(tx.accounts(&ListQuery { total: true, ..ListQuery::default() }).await.unwrap().total, Some(0));
        tx.delete_point(ours.point.id, deletion(), time(200)).await.unwrap();
    })
    .await;
}
