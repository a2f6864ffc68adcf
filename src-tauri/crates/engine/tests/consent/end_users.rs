//! Who agreed: the end user that a consent finds or makes, the receipt, its end, and the erasure of the person.

use patchbay_engine::end_user::{self, CreateEndUser};
use patchbay_engine::{consent, integration};
use patchbay_model::Code;
use patchbay_model::consent::ConsentRoute;
use patchbay_model::end_user::{ConsentReceipt, EndUser};
use patchbay_model::integration::IntegrationStatus;
use patchbay_model::list::ListQuery;

use crate::world::{REDIRECT_URI, World};

impl World {
    fn account(&self) -> String {
        self.integration.account_id.to_string()
    }

    async fn persons(&self) -> Vec<EndUser> {
        end_user::list(&self.engine, &self.grant, &self.account(), ListQuery::default()).await.unwrap().items
    }

    async fn receipts(&self, person: &EndUser) -> Vec<ConsentReceipt> {
        end_user::receipts(&self.engine, &self.grant, &self.account(), &person.id.to_string(), ListQuery::default()).await.unwrap().items
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consent_makes_its_person_once_and_the_newest_receipt_is_in_force() {
    let world = World::new().await;
    world.connect().await;
    let [person] = world.persons().await.try_into().unwrap();
    assert_eq!((person.fullname.as_str(), person.name.as_str()), ("Ada Lovelace", "ada-lovelace"));
    assert!(person.last_seen_at.is_some());
    let [receipt] = world.receipts(&person).await.try_into().unwrap();
    assert_eq!((receipt.integration_id, receipt.ended_at, receipt.issuer.as_deref()), (world.integration.id, None, Some(world.peer.issuer.as_str())));
    assert!(receipt.subject.is_some() && receipt.scopes.contains(&"openid".to_owned()), "{receipt:?}");

    world.advance(60);
    world.connect().await;
    assert_eq!(world.persons().await.len(), 1, "the same subject is the same person");
    let [first, second] = world.receipts(&person).await.try_into().unwrap();
    assert_eq!((first.ended_at, second.ended_at), (Some(second.granted_at), None));

    // Disconnecting by another credential, and deleting, end it.
    let deletion = integration::delete(&world.engine, &world.grant, &world.account(), &world.integration.id.to_string()).await.unwrap();
    assert!(world.receipts(&person).await.iter().all(|receipt| receipt.ended_at.is_some()));
    patchbay_engine::deletion::undo(&world.engine, &world.grant, &deletion.id.to_string()).await.unwrap();
    assert_eq!(world.receipts(&person).await.iter().filter(|receipt| receipt.ended_at.is_none()).count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consent_can_be_begun_for_a_person_who_is_known() {
    let world = World::new().await;
    let known = CreateEndUser { fullname: Some("A. Byron".to_owned()), ..CreateEndUser::default() };
    let known = end_user::create(&world.engine, &world.grant, &world.account(), known).await.unwrap();
    let begin = |person: &str| consent::BeginConsent {
        integration: world.integration.id,
        route: Some(ConsentRoute::Window),
        platform: consent::Platform::default(),
        redirect_uri: Some(REDIRECT_URI.to_owned()),
        end_user: Some(person.to_owned()),
    };
    assert_eq!(consent::begin(&world.engine, &world.grant, begin("nobody")).await.err().unwrap().code, Code::NotFound);
    let begun = consent::begin(&world.engine, &world.grant, begin("a-byron")).await.unwrap();
    assert_eq!(begun.session.end_user_id, Some(known.id));
    let callback = world.person(&begun, true).await;
    world.finish(&begun, callback.as_str()).await.unwrap();
    let [person] = world.persons().await.try_into().unwrap();
    assert_eq!((person.id, person.fullname.as_str()), (known.id, "A. Byron"), "its own name stays");
    assert_eq!(world.receipts(&person).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erased_person_is_nowhere_and_the_integration_keeps_working() {
    let world = World::new().await;
    world.connect().await;
    let [person] = world.persons().await.try_into().unwrap();
    let change = end_user::UpdateEndUser { name: None, fullname: None, email: Some("ada@example.com".to_owned()), external_id: Some("u-1815".to_owned()), expected: None };
    end_user::update(&world.engine, &world.grant, &world.account(), "ada-lovelace", change).await.unwrap();
    let subject = world.receipts(&person).await[0].subject.clone().unwrap();
    let impact = end_user::impact(&world.engine, &world.grant, &world.account(), "ada-lovelace").await.unwrap();
    assert_eq!((impact.receipts, impact.integrations), (1, 1));
    assert!(impact.audit_events >= 2, "its creation and its change: {impact:?}");
    let mut caller = world.grant.caller().clone();
    caller.path = "/v1/x/accounts/globex/end-users/ada-lovelace".to_owned();
    end_user::erase(&world.engine, &world.grant.with_caller(caller), &world.account(), "ada-lovelace").await.unwrap();

    assert_eq!(world.persons().await, []);
    assert_eq!(end_user::get(&world.engine, &world.grant, &world.account(), &person.id.to_string()).await.err().unwrap().code, Code::NotFound);
    assert_eq!(world.userinfo().await.unwrap().as_deref(), Some("Ada Lovelace"), "what was authorized keeps working");
    assert_eq!(world.now_integration().await.status, IntegrationStatus::Active);
    world.engine.shutdown().await;
    // Nothing of the person is left in the rows that say what happened.
    let store = world.bare_store().await;
    let mut tx = store.read(patchbay_model::Scope::Organization(world.integration.organization_id)).await.unwrap();
    let log = format!("{:?}", tx.audit_events(&ListQuery { limit: Some(ListQuery::MAX_LIMIT), ..ListQuery::default() }).await.unwrap().items);
    for trace in ["ada@example.com", "u-1815", "Ada Lovelace", "ada-lovelace"] {
        assert!(!log.contains(trace), "{trace} is in the log: {log}");
    }
    let receipts = tx.receipts_of_integration(world.integration.id).await.unwrap();
    assert!(!format!("{receipts:?}").contains(&format!("\"{subject}\"")));
    assert!(receipts[0].erased_at.is_some() && receipts[0].ended_at.is_none(), "that somebody agreed stays known");
    let session = tx.connect_session(receipts[0].connect_session_id.unwrap()).await.unwrap().unwrap();
    assert_eq!(session.message.as_deref(), Some("Authorized by a person who was erased since."));
}
