//! Public links: found by their hash alone, used and taken back, and nobody else's.

use patchbay_model::list::ListQuery;
use patchbay_model::public_link::{LinkSettings, LinkState, PublicLink, PublicLinkPurpose};
use patchbay_model::*;
use patchbay_store::StoreError;

use crate::place::*;

fn link(tenant: &Tenant, customer: usize) -> PublicLink {
    let customer = &tenant.accounts[customer];
    PublicLink {
        id: PublicLinkId::from_uuid(uuid()),
        organization_id: tenant.organization.id,
        account_id: Some(customer.account.id),
        integration_id: Some(customer.integration.id),
        integration_point_id: Some(tenant.point.id),
        end_user_id: None,
        receipt_id: None,
        member_id: tenant.member.id,
        purpose: PublicLinkPurpose::Connect,
        settings: LinkSettings { provider: Some(provider()), return_url: Some("https://app.example.com/".to_owned()), unfinished: [(provider(), customer.integration.id)].into() },
        expires: time(100),
        uses_left: Some(2),
        last_used_at: None,
        revoked_at: None,
        created_at: time(0),
    }
}

#[tokio::test]
async fn a_link_is_found_by_its_hash_used_and_taken_back() {
    on_every_backend(async |place| {
        let one = link(&place.ours, 0);
        let mut tx = place.write().await;
        tx.insert_public_link(&one, &hash(one.id, "link")).await.unwrap();
        tx.commit().await.unwrap();

        let mut tx = place.store.read(Scope::System).await.unwrap();
        assert_eq!(tx.public_link_by_hash(&hash(one.id, "link")).await.unwrap().as_ref(), Some(&one), "whoever brings the address has no tenant yet");
        assert_eq!(tx.public_link_by_hash(b"guessed").await.unwrap(), None);
        drop(tx);

        let mut tx = place.store.write(place.ours.within(0), Origin::Web).await.unwrap();
        for left in [1, 0, 0] {
            tx.use_public_link(one.id, time(7)).await.unwrap();
            let used = tx.public_link(one.id).await.unwrap().unwrap();
            assert_eq!((used.uses_left, used.last_used_at), (Some(left), Some(time(7))), "it is not counted below none");
        }
        let settings = LinkSettings::default();
        tx.set_link_settings(one.id, &settings).await.unwrap();
        assert!(tx.revoke_public_link(one.id, time(8)).await.unwrap());
        assert!(!tx.revoke_public_link(one.id, time(9)).await.unwrap(), "once");
        let revoked = tx.public_link(one.id).await.unwrap().unwrap();
        assert_eq!((revoked.settings.clone(), revoked.revoked_at, revoked.state(time(1))), (settings, Some(time(8)), LinkState::Revoked));
        tx.commit().await.unwrap();

        let mut tx = place.store.write(Scope::System, Origin::Background).await.unwrap();
        assert_eq!(tx.remove_ended_public_links(time(8)).await.unwrap(), 0, "not before");
        assert_eq!(tx.remove_ended_public_links(time(9)).await.unwrap(), 1);
        tx.commit().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn links_are_seen_and_touched_in_their_own_account_alone() {
    on_every_backend(async |place| {
        let (ours, theirs) = (link(&place.ours, 0), link(&place.theirs, 0));
        let mut tx = place.write().await;
        tx.insert_public_link(&ours, &hash(ours.id, "link")).await.unwrap();
        tx.commit().await.unwrap();
        let mut tx = place.store.write(place.theirs.scope(), Origin::Api).await.unwrap();
        tx.insert_public_link(&theirs, &hash(theirs.id, "link")).await.unwrap();
        tx.commit().await.unwrap();

        let crossed = Scope::Account(place.theirs.organization.id, place.ours.accounts[0].account.id);
        for (scope, why) in [(place.theirs.scope(), "another organization"), (place.ours.within(1), "another account"), (crossed, "our account under another organization")] {
            let mut tx = place.store.read(scope).await.unwrap();
            assert_eq!(tx.public_link(ours.id).await.unwrap(), None, "{why}");
            assert!(tx.public_links(PublicLinkPurpose::Connect, &ListQuery::default()).await.unwrap().items.iter().all(|link| link.id != ours.id), "{why}");
            drop(tx);
            assert!(!attempt!(place.store, scope, |tx| tx.revoke_public_link(ours.id, time(1))).unwrap(), "revoked: {why}");
            attempt!(place.store, scope, |tx| tx.use_public_link(ours.id, time(1))).unwrap();
            let written = attempt!(place.store, scope, |tx| tx.set_link_settings(ours.id, &LinkSettings::default()));
            assert!(matches!(written, Err(StoreError::NotFound { .. })), "written: {why}");
            assert!(attempt!(place.store, scope, |tx| tx.insert_public_link(&link(&place.ours, 0), b"intruder")).is_err(), "added: {why}");
        }
        let mut tx = place.store.read(place.ours.within(0)).await.unwrap();
        assert_eq!(tx.public_link(ours.id).await.unwrap().as_ref(), Some(&ours), "nobody touched it");
        assert_eq!(tx.public_links(PublicLinkPurpose::Connect, &ListQuery::default()).await.unwrap().items, [ours]);
        assert_eq!(tx.public_links(PublicLinkPurpose::Calendar, &ListQuery::default()).await.unwrap().items, []);
    })
    .await;
}

#[tokio::test]
async fn a_link_goes_with_the_person_whom_it_is_for() {
    on_every_backend(async |place| {
        let account = &place.ours.accounts[0].account;
        let person = end_user::EndUser {
            id: EndUserId::from_uuid(uuid()),
            organization_id: account.organization_id,
            account_id: account.id,
            name: name("ada"),
            fullname: fullname("Ada"),
            email: None,
            external_id: None,
            last_seen_at: None,
            created_at: time(0),
            updated_at: time(0),
        };
        let hers = PublicLink { end_user_id: Some(person.id), ..link(&place.ours, 0) };
        let mut tx = place.write().await;
        tx.insert_end_user(&person).await.unwrap();
        tx.insert_public_link(&hers, &hash(hers.id, "link")).await.unwrap();
        tx.erase_end_user(&person, time(1)).await.unwrap();
        assert_eq!(tx.public_link(hers.id).await.unwrap(), None, "it serves nobody else");
        tx.commit().await.unwrap();
    })
    .await;
}
