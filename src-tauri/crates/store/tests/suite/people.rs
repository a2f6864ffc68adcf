//! End users and receipts: whose they are, when they end, and what an erasure leaves.

use patchbay_model::end_user::{ConsentReceipt, EndUser, Erasure, Subject};
use patchbay_model::list::ListQuery;
use patchbay_model::*;
use patchbay_store::StoreError;

use crate::place::*;

fn person(account: &patchbay_model::account::Account, text: &str) -> EndUser {
    EndUser {
        id: EndUserId::from_uuid(uuid()),
        organization_id: account.organization_id,
        account_id: account.id,
        name: name(text),
        fullname: fullname(text),
        email: Some(format!("{text}@example.com")),
        external_id: Some(format!("x-{text}")),
        last_seen_at: None,
        created_at: time(0),
        updated_at: time(0),
    }
}

fn receipt(customer: &Customer, person: Option<EndUserId>, subject: &str, at: i64) -> ConsentReceipt {
    ConsentReceipt {
        id: ReceiptId::from_uuid(uuid()),
        organization_id: customer.account.organization_id,
        account_id: customer.account.id,
        integration_id: customer.integration.id,
        end_user_id: person,
        connect_session_id: None,
        provider: provider(),
        issuer: Some("https://issuer.example".to_owned()),
        scopes: vec!["openid".to_owned(), "email".to_owned()],
        subject: Some(subject.to_owned()),
        granted_at: time(at),
        ended_at: None,
        erased_at: None,
        expires_at: None,
        revocation_id: None,
        withdrawn_by: None,
    }
}

fn subject(text: &str, issuer: Option<&str>) -> Subject {
    Subject { provider: provider(), issuer: issuer.map(str::to_owned), subject: text.to_owned() }
}

#[tokio::test]
async fn a_person_is_found_within_its_account_alone() {
    on_every_backend(async |place| {
        let (one, other) = (&place.ours.accounts[0], &place.ours.accounts[1]);
        let mut tx = place.write().await;
        let (ada, namesake) = (person(&one.account, "ada"), person(&other.account, "ada"));
        tx.insert_end_user(&ada).await.unwrap();
        tx.insert_end_user(&namesake).await.unwrap();
        assert_eq!(tx.find_end_user(one.account.id, "ADA").await.unwrap(), Some(ada.clone()));
        assert_eq!(tx.find_end_user(one.account.id, &namesake.id.to_string()).await.unwrap(), None, "an id of another account");
        tx.commit().await.unwrap();
        let namesake_within = person(&one.account, "Ada");
        let refused = attempt!(place.store, place.ours.scope(), |tx| tx.insert_end_user(&namesake_within));
        assert!(matches!(refused, Err(StoreError::NameTaken { noun: "end user", field: "name", .. })));
        let twin = EndUser { external_id: ada.external_id.clone(), ..person(&one.account, "bea") };
        let refused = attempt!(place.store, place.ours.scope(), |tx| tx.insert_end_user(&twin));
        assert!(matches!(refused, Err(StoreError::NameTaken { noun: "end user", field: "external_id", .. })));
        let mut tx = place.write().await;
        tx.insert_receipt(&receipt(one, Some(ada.id), "s-1", 1)).await.unwrap();
        let issuer = Some("https://issuer.example");
        assert_eq!(tx.end_user_by_subject(one.account.id, &subject("s-1", issuer)).await.unwrap(), Some(ada.clone()));
        for (account, wanted) in [
            (one.account.id, subject("s-1", None)),
            (one.account.id, subject("s-1", Some("https://other"))),
            (one.account.id, subject("s-2", issuer)),
            (other.account.id, subject("s-1", issuer)),
        ] {
            assert_eq!(tx.end_user_by_subject(account, &wanted).await.unwrap(), None, "{wanted:?}");
        }
        let foreign = ConsentReceipt { end_user_id: Some(ada.id), ..receipt(other, None, "s-9", 1) };
        assert!(matches!(tx.insert_receipt(&foreign).await, Err(StoreError::DanglingReference)), "a receipt names persons of its own account alone");
        drop(tx);

        let mut tx = place.store.read(place.ours.within(1)).await.unwrap();
        assert_eq!(tx.end_user(ada.id).await.unwrap(), None);
        assert_eq!(tx.end_users(one.account.id, &ListQuery::default()).await.unwrap().items, []);
        assert_eq!(tx.erasure(&ada).await.unwrap(), Erasure::default());
        drop(tx);
        let mut tx = place.store.write(place.ours.within(1), Origin::Api).await.unwrap();
        assert!(matches!(tx.update_end_user(&ada).await, Err(StoreError::WrongScope { .. })));
        assert!(matches!(tx.erase_end_user(&ada, time(1)).await, Err(StoreError::WrongScope { .. })));
    })
    .await;
}

#[tokio::test]
async fn one_receipt_of_an_integration_is_in_force() {
    on_every_backend(async |place| {
        let customer = &place.ours.accounts[0];
        let ada = person(&customer.account, "ada");
        let mut tx = place.write().await;
        tx.insert_end_user(&ada).await.unwrap();
        tx.insert_receipt(&receipt(customer, Some(ada.id), "s-1", 1)).await.unwrap();
        tx.insert_receipt(&receipt(customer, Some(ada.id), "s-1", 5)).await.unwrap();
        let ends = |receipts: Vec<ConsentReceipt>| receipts.into_iter().map(|receipt| receipt.ended_at).collect::<Vec<_>>();
        assert_eq!(ends(tx.receipts_of_integration(customer.integration.id).await.unwrap()), [Some(time(5)), None], "who agrees anew ends what was");
        assert_eq!(tx.receipts_of(&ada, &ListQuery::default()).await.unwrap().items.len(), 2);
        tx.commit().await.unwrap();

        // The deletion of an account ends it, and takes the person; the undo brings both back.
        let deletion = DeletionId::from_uuid(uuid());
        let mut tx = place.write().await;
        assert_eq!(tx.account_impact(customer.account.id).await.unwrap().end_users, 1);
        tx.delete_account(customer.account.id, deletion, time(10)).await.unwrap();
        assert_eq!(tx.end_user(ada.id).await.unwrap(), None);
        assert_eq!(ends(tx.receipts_of_integration(customer.integration.id).await.unwrap()), [Some(time(5)), Some(time(10))]);
        tx.commit().await.unwrap();
        assert_eq!(place.store.verify_structure().await.unwrap(), []);
        let mut tx = place.write().await;
        tx.undo_deletion(deletion, time(0)).await.unwrap();
        assert_eq!(tx.end_user(ada.id).await.unwrap(), Some(ada.clone()));
        assert_eq!(ends(tx.receipts_of_integration(customer.integration.id).await.unwrap()), [Some(time(5)), None]);
        tx.commit().await.unwrap();
        assert_eq!(place.store.verify_structure().await.unwrap(), []);

        // The proof outlives the integration, and goes with the account.
        let mut tx = place.write().await;
        tx.delete_integration(customer.integration.id, DeletionId::from_uuid(uuid()), time(20)).await.unwrap();
        tx.commit().await.unwrap();
        let mut tx = place.store.write(Scope::System, Origin::Background).await.unwrap();
        tx.purge_deleted(time(1_000)).await.unwrap();
        tx.commit().await.unwrap();
        let mut tx = place.write().await;
        assert_eq!(ends(tx.receipts_of(&ada, &ListQuery::default()).await.unwrap().items), [Some(time(5)), Some(time(20))]);
        tx.delete_account(customer.account.id, DeletionId::from_uuid(uuid()), time(30)).await.unwrap();
        tx.commit().await.unwrap();
        let mut tx = place.store.write(Scope::System, Origin::Background).await.unwrap();
        tx.purge_deleted(time(1_000)).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(place.store.verify_structure().await.unwrap(), []);
    })
    .await;
}

#[tokio::test]
async fn an_erasure_leaves_that_somebody_agreed() {
    on_every_backend(async |place| {
        let customer = &place.ours.accounts[0];
        let ada = person(&customer.account, "ada");
        let mut tx = place.write().await;
        tx.insert_end_user(&ada).await.unwrap();
        tx.insert_receipt(&receipt(customer, Some(ada.id), "s-1", 1)).await.unwrap();
        tx.insert_receipt(&receipt(customer, Some(ada.id), "s-1", 5)).await.unwrap();
        assert_eq!(tx.subjects_of(&ada).await.unwrap(), ["s-1"]);
        assert_eq!(tx.erase_end_user(&ada, time(9)).await.unwrap(), Erasure { receipts: 2, in_force: 1 });
        assert_eq!(tx.end_user(ada.id).await.unwrap(), None);
        for receipt in tx.receipts_of_integration(customer.integration.id).await.unwrap() {
            assert_eq!((receipt.end_user_id, receipt.subject, receipt.issuer, receipt.erased_at), (None, None, None, Some(time(9))));
            assert_eq!(receipt.scopes, ["openid", "email"]);
        }
        assert!(matches!(tx.erase_end_user(&ada, time(9)).await, Err(StoreError::NotFound { .. })));
        tx.commit().await.unwrap();
        assert_eq!(place.store.verify_structure().await.unwrap(), []);
    })
    .await;
}
