//! Organization webhooks against a receiver on loopback, with a clock that the test moves.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use patchbay_engine::account::{self, CreateAccount, UpdateAccount};
use patchbay_engine::credential::{self, UpdateCredential};
use patchbay_engine::installation::{self, StoreUrl};
use patchbay_engine::integration::{self, CreateIntegration};
use patchbay_engine::webhook::{self, CreateWebhook, DeliveryRecord, UpdateWebhook};
use patchbay_engine::{Engine, ManagementGrant, NetworkPolicy, deletion};
use patchbay_model::list::ListQuery;
use patchbay_model::webhook::{Delivery, DeliveryState, OrganizationWebhook, WebhookFilter};
use patchbay_model::{Clock, Code, Context, Entropy, Environment, Origin, Scope, Secret, Timestamp};
use patchbay_store::Store;
use patchbay_vault::{KeyAccess, KeySource, webhook_signature};
use serde_json::{Value, json};

use crate::stand_in::StandIn;

const SECRET: &str = "planted-signing-secret-0123456789";

struct TestClock(AtomicI64);
impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix_micros(self.0.load(Ordering::SeqCst)).unwrap()
    }
}

/// A counter, mixed: different every time, the same in every run.
struct Seeded(AtomicU64);
impl Entropy for Seeded {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let mixed = (self.0.fetch_add(1, Ordering::SeqCst) + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            chunk.copy_from_slice(&(mixed ^ (mixed >> 29)).to_le_bytes()[..chunk.len()]);
        }
    }
}

struct World {
    engine: Engine,
    grant: ManagementGrant,
    clock: Arc<TestClock>,
    context: Context,
    folder: tempfile::TempDir,
}

impl World {
    async fn new(network: NetworkPolicy) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(TestClock(AtomicI64::new(1_795_000_000_000_000)));
        let context = Context::new(clock.clone(), Arc::new(Seeded(AtomicU64::new(7))));
        let store = StoreUrl::Sqlite(folder.path().join("store.db"));
        let keys = KeyAccess::from(KeySource::File(folder.path().join("store.key")));
        let (made, created) = installation::create(&store, &keys, "Acme Tools", context.clone()).await.unwrap();
        made.shutdown().await;
        let engine = installation::open(&store, &keys, context.clone(), network, Origin::Cli).await.unwrap();
        let grant = engine.local_grant(created.organization.id, Origin::Cli).await.unwrap();
        Self { engine, grant, clock, context, folder }
    }

    async fn open() -> Self {
        Self::new(NetworkPolicy { allow_private: true, rehearsal: None }).await
    }

    /// Another process on the same store.
    async fn neighbour(&self) -> Engine {
        let store = StoreUrl::Sqlite(self.folder.path().join("store.db"));
        let keys = KeyAccess::from(KeySource::File(self.folder.path().join("store.key")));
        installation::open(&store, &keys, self.context.clone(), NetworkPolicy { allow_private: true, rehearsal: None }, Origin::Cli).await.unwrap()
    }

    fn advance(&self, seconds: i64) {
        self.clock.0.fetch_add(seconds * 1_000_000, Ordering::SeqCst);
    }

    async fn hook(&self, name: &str, url: &str, filters: &[WebhookFilter]) -> OrganizationWebhook {
        let new = CreateWebhook {
            name: Some(name.to_owned()),
            fullname: None,
            environment: Some(Environment::Test),
            filters: filters.to_vec(),
            url: url.to_owned(),
            secret: Secret::new(SECRET),
            expires: None,
        };
        webhook::create(&self.engine, &self.grant, new).await.unwrap()
    }

    async fn account(&self, name: &str, environment: Environment) {
        let new = CreateAccount { name: Some(name.to_owned()), environment: Some(environment), ..CreateAccount::default() };
        account::create(&self.engine, &self.grant, new).await.unwrap();
    }

    async fn mock(&self, account: &str, name: &str) {
        let new = CreateIntegration { name: Some(name.to_owned()), provider_config: json!({ "type": "ticketing_mock_ticketing" }), ..CreateIntegration::default() };
        integration::create(&self.engine, &self.grant, account, new).await.unwrap();
    }

    async fn log(&self, hook: &str) -> Vec<Delivery> {
        webhook::list_deliveries(&self.engine, &self.grant, hook, ListQuery::default()).await.unwrap().items
    }

    async fn record(&self, hook: &str, delivery: &Delivery) -> DeliveryRecord {
        webhook::get_delivery(&self.engine, &self.grant, hook, &delivery.id.to_string()).await.unwrap()
    }

    /// Sends what is due until the log of a webhook is as wanted. The engine sends by itself too, so it may have been quicker.
    async fn until(&self, hook: &str, wanted: impl Fn(&[Delivery]) -> bool) -> Vec<Delivery> {
        let mut changes = self.engine.subscribe();
        loop {
            webhook::deliver_due(&self.engine).await.unwrap();
            let log = self.log(hook).await;
            if wanted(&log) {
                return log;
            }
            tokio::time::timeout(Duration::from_secs(20), changes.recv()).await.unwrap_or_else(|_| panic!("nothing more happens: {log:?}")).ok();
        }
    }

    async fn all_delivered(&self, hook: &str, number: usize) -> Vec<Delivery> {
        self.until(hook, |log| log.len() == number && log.iter().all(|delivery| delivery.state == DeliveryState::Delivered)).await
    }
}

fn header<'a>(request: &'a str, name: &str) -> &'a str {
    request.lines().find_map(|line| line.split_once(": ").filter(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)).unwrap_or_default()
}

fn body(request: &str) -> &str {
    request.split_once("\r\n\r\n").unwrap().1
}

fn events(receiver: &StandIn) -> Vec<(String, Value)> {
    let seen = receiver.seen.lock().unwrap();
    seen.iter().map(|request| (header(request, "x-patchbay-event").to_owned(), serde_json::from_str(body(request)).unwrap())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_are_told_signed_and_in_order_to_whom_they_concern() {
    let (world, receiver, accounts_only) = (World::open().await, StandIn::new().await, StandIn::new().await);
    receiver.answers(|_| (204, String::new()));
    accounts_only.answers(|_| (200, "thanks".to_owned()));
    world.hook("all", &receiver.url, &[WebhookFilter::All]).await;
    world.hook("accounts", &accounts_only.url, &[WebhookFilter::AccountCreate, WebhookFilter::AccountDelete, WebhookFilter::OperationComplete]).await;
    world.account("globex", Environment::Test).await;
    world.advance(1);
    world.account("elsewhere", Environment::Prod).await;
    world.advance(1);
    world.mock("globex", "tracker").await;
    world.advance(1);
    integration::pause(&world.engine, &world.grant, "globex", "tracker").await.unwrap();
    world.advance(1);
    let before = account::get(&world.engine, &world.grant, "globex").await.unwrap();
    let change = UpdateAccount { name: None, fullname: Some("Globex".to_owned()), environment: None, labels: Vec::new(), external_id: None, expected: None };
    account::update(&world.engine, &world.grant, "globex", change).await.unwrap();
    world.advance(1);
    let deletion = account::delete(&world.engine, &world.grant, "globex").await.unwrap();
    world.advance(1);
    deletion::undo(&world.engine, &world.grant, &deletion.id.to_string()).await.unwrap();
    world.advance(1);

    let log = world.all_delivered("all", 8).await;
    let told = events(&receiver);
    let names: Vec<&str> = told.iter().map(|(event, _)| event.as_str()).collect();
    assert_eq!(
        names,
        ["account_create", "integration_create", "integration_update", "account_update", "account_delete", "integration_delete", "account_create", "integration_create"],
        "an account takes its integrations along and brings them back"
    );
    assert_eq!(told[0].1["account"]["id"], before.id.to_string());
    assert!(told[0].1.get("integration").is_none() && told[1].1["integration"]["name"] == "tracker" && told[1].1["account"]["name"] == "globex");
    assert_eq!(told[3].1["account"]["fullname"], "Globex", "as it became");
    let nonces: std::collections::HashSet<String> = told.iter().map(|(_, body)| body["nonce"].to_string()).collect();
    assert_eq!(nonces.len(), told.len(), "each event has its own nonce");
    for (request, delivery) in receiver.seen.lock().unwrap().iter().zip(&log) {
        assert!(request.starts_with("POST / HTTP/1.1") && header(request, "content-type") == "application/json", "{request}");
        assert_eq!(header(request, "x-synqly-signature"), webhook_signature(&Secret::new(SECRET), body(request).as_bytes()));
        assert_eq!(header(request, "x-patchbay-delivery"), delivery.id.to_string());
        assert!(!request.contains(SECRET));
    }
    world.all_delivered("accounts", 3).await;
    assert_eq!(events(&accounts_only).iter().map(|(event, _)| event.as_str()).collect::<Vec<_>>(), ["account_create", "account_delete", "account_create"]);
    let kept = world.record("accounts", &world.log("accounts").await[0]).await;
    assert_eq!((kept.attempts[0].status, kept.attempts[0].response.as_deref()), (Some(200), Some("thanks")));
    assert_eq!(kept.payload, body(&accounts_only.seen.lock().unwrap()[0]), "what is kept is what was sent");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_fails_is_asked_again_later_and_given_up_in_the_end() {
    let (world, receiver) = (World::open().await, StandIn::new().await);
    receiver.answers(|_| (500, format!("out of order, and I know {SECRET}")));
    world.hook("hook", &receiver.url, &[WebhookFilter::All]).await;
    world.account("globex", Environment::Test).await;
    let failed_once = world.until("hook", |log| log[0].state == DeliveryState::Pending && log[0].attempts == 1).await.remove(0);
    let wait = failed_once.next_attempt_at.since(world.engine.now()).as_secs_f64();
    assert!((9.0..=11.0).contains(&wait), "{wait}");
    assert_eq!((failed_once.last_status, failed_once.last_error.as_deref()), (Some(500), Some("The receiver answered 500.")));
    world.advance(5);
    assert_eq!(webhook::deliver_due(&world.engine).await.unwrap(), 0, "not yet");
    world.advance(7);
    world.until("hook", |log| log[0].attempts == 2 && log[0].state == DeliveryState::Pending).await;
    receiver.answers(|_| (200, String::new()));
    world.advance(70);
    let delivered = world.all_delivered("hook", 1).await.remove(0);
    assert_eq!((delivered.attempts, delivered.last_error, delivered.last_status), (3, None, Some(200)));
    let record = world.record("hook", &failed_once).await;
    assert_eq!(record.attempts.iter().map(|attempt| (attempt.number, attempt.status)).collect::<Vec<_>>(), [(1, Some(500)), (2, Some(500)), (3, Some(200))]);
    assert!(!format!("{record:?}").contains(SECRET), "a receiver may tell its secret, the log does not");
    let ids: std::collections::HashSet<String> = receiver.seen.lock().unwrap().iter().map(|request| header(request, "x-patchbay-delivery").to_owned()).collect();
    assert_eq!(ids.len(), 1, "every attempt has the same delivery id");

    receiver.answers(|_| (503, String::new()));
    world.account("initech", Environment::Test).await;
    for attempt in 1..=8 {
        let done = if attempt == 8 { DeliveryState::Failed } else { DeliveryState::Pending };
        world.until("hook", |log| log[1].attempts == attempt && log[1].state == done).await;
        world.advance(13 * 3600);
    }
    assert_eq!(webhook::deliver_due(&world.engine).await.unwrap(), 0, "given up");
    let again = webhook::redeliver(&world.engine, &world.grant, "hook", &world.log("hook").await[1].id.to_string()).await.unwrap();
    receiver.answers(|_| (200, String::new()));
    let last = world.until("hook", |log| log.len() == 3 && log[2].state == DeliveryState::Delivered).await.remove(2);
    assert_eq!((last.id, last.redelivery_of), (again.delivery.id, Some(world.log("hook").await[1].id)));
    assert_eq!(body(&receiver.last()), again.payload, "the same event with the same nonce");
}

#[tokio::test(flavor = "multi_thread")]
async fn redirects_are_not_followed_and_private_targets_not_called() {
    let (world, receiver, elsewhere) = (World::open().await, StandIn::new().await, StandIn::new().await);
    elsewhere.answers(|_| (200, String::new()));
    receiver.answers(|_| (307, String::new()));
    *receiver.head.lock().unwrap() = format!("location: {}/there\r\n", elsewhere.url);
    world.hook("hook", &receiver.url, &[WebhookFilter::All]).await;
    world.account("globex", Environment::Test).await;
    let log = world.until("hook", |log| log[0].attempts == 1 && log[0].state == DeliveryState::Pending).await;
    assert!(log[0].last_error.as_ref().unwrap().contains("redirects are not followed"), "{log:?}");
    assert_eq!((elsewhere.requests(), log[0].last_status), (0, Some(307)));

    let closed = World::new(NetworkPolicy::default()).await;
    elsewhere.answers(|_| (200, String::new()));
    for (name, url) in [("loopback", elsewhere.url.replace("http://", "https://")), ("metadata", "https://169.254.169.254/latest".to_owned()), ("plain", elsewhere.url.clone())] {
        closed.hook(name, &url, &[WebhookFilter::AccountCreate]).await;
    }
    closed.account("globex", Environment::Test).await;
    for name in ["loopback", "metadata", "plain"] {
        let log = closed.until(name, |log| log[0].attempts == 1 && log[0].state == DeliveryState::Pending).await;
        let error = log[0].last_error.clone().unwrap();
        assert!(error.contains("private network"), "{name}: {error}");
    }
    assert_eq!(elsewhere.requests(), 0, "nothing was sent anywhere");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_send_each_event_once() {
    let (world, receiver) = (World::open().await, StandIn::new().await);
    receiver.answers(|_| (200, String::new()));
    world.hook("hook", &receiver.url, &[WebhookFilter::All]).await;
    let neighbour = world.neighbour().await;
    for number in 0..10 {
        world.account(&format!("account-{number}"), Environment::Test).await;
        world.advance(1);
    }
    let (ours, theirs) = tokio::join!(webhook::deliver_due(&world.engine), webhook::deliver_due(&neighbour));
    ours.unwrap();
    theirs.unwrap();
    world.all_delivered("hook", 10).await;
    let mut ids: Vec<String> = receiver.seen.lock().unwrap().iter().map(|request| header(request, "x-patchbay-delivery").to_owned()).collect();
    assert_eq!(ids.len(), 10);
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 10, "none twice");
    neighbour.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_dead_process_had_under_way_is_sent_when_its_lease_ends() {
    let (world, receiver) = (World::open().await, StandIn::new().await);
    receiver.answers(|_| (200, String::new()));
    // Nobody answers here, so that whoever else is about cannot deliver it before the dead process has it.
    let hook = world.hook("hook", "http://127.0.0.1:9", &[WebhookFilter::AccountCreate]).await;
    world.account("globex", Environment::Test).await;
    world.until("hook", |log| log[0].attempts == 1 && log[0].state == DeliveryState::Pending).await;
    world.advance(60);
    let (now, until) = (world.engine.now(), world.engine.now().plus(Duration::from_secs(20)));
    let store = Store::open(&world.folder.path().join("store.db")).await.unwrap();
    let scope = Scope::Organization(hook.organization_id);
    let mut tx = store.write(scope, Origin::Background).await.unwrap();
    let claimed = tx.claim_delivery(hook.id, "a process that dies", now, until, "").await.unwrap();
    tx.commit().await.unwrap();
    // Unless the engine was quicker: then it failed once more, and is claimed the next time.
    let attempts = claimed.map_or(2, |delivery| delivery.attempts);
    let change = UpdateWebhook { name: None, fullname: None, environment: None, filters: hook.filters.clone(), url: receiver.url.clone(), credential: None, expected: None };
    webhook::update(&world.engine, &world.grant, "hook", change).await.unwrap();
    assert_eq!(webhook::deliver_due(&world.engine).await.unwrap(), 0, "its lease holds");
    assert_eq!(receiver.requests(), 0);
    world.advance(90);
    let delivered = world.all_delivered("hook", 1).await.remove(0);
    assert_eq!(delivered.attempts, attempts + 1);
    let record = world.record("hook", &delivered).await;
    assert_eq!(record.attempts.len(), 3);
    assert!(record.attempts[1].error.as_ref().unwrap().contains("ended while this attempt was under way"), "{:?}", record.attempts);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_receiver_that_never_answers_delays_nobody_else() {
    let (world, receiver) = (World::open().await, StandIn::new().await);
    receiver.answers(|_| (200, String::new()));
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    world.hook("silent", &format!("http://{}", silent.local_addr().unwrap()), &[WebhookFilter::All]).await;
    world.hook("well", &receiver.url, &[WebhookFilter::All]).await;
    for number in 0..5 {
        world.account(&format!("account-{number}"), Environment::Test).await;
    }
    let engine = world.engine.clone();
    let sending = tokio::spawn(async move { webhook::deliver_due(&engine).await });
    let mut changes = world.engine.subscribe();
    while world.log("well").await.iter().any(|delivery| delivery.state != DeliveryState::Delivered) {
        tokio::time::timeout(Duration::from_secs(5), changes.recv()).await.expect("the one that answers is served").ok();
    }
    let waiting = world.log("silent").await;
    assert!(waiting.iter().all(|delivery| delivery.state != DeliveryState::Delivered) && waiting[0].state == DeliveryState::Sending, "{waiting:?}");
    assert!(waiting[1..].iter().all(|delivery| delivery.attempts == 0), "one at a time");
    sending.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_secret_signs_an_ended_one_does_not_and_a_deleted_webhook_waits() {
    let (world, receiver) = (World::open().await, StandIn::new().await);
    receiver.answers(|_| (200, String::new()));
    let hook = world.hook("hook", &receiver.url, &[WebhookFilter::All]).await;
    let (id, credential) = (hook.id.to_string(), hook.credential_id.to_string());
    let change = |secret: &str, expires| UpdateCredential { config: Some(json!({ "type": "secret", "secret": secret })), expires, ..UpdateCredential::default() };
    let ends = world.engine.now().plus(Duration::from_secs(100));
    credential::update(&world.engine, &world.grant, &id, &credential, change("another-secret", Some(ends))).await.unwrap();
    world.account("one", Environment::Test).await;
    world.all_delivered("hook", 1).await;
    let request = receiver.last();
    assert_eq!(header(&request, "x-synqly-signature"), webhook_signature(&Secret::new("another-secret"), body(&request).as_bytes()));
    let problem = credential::delete(&world.engine, &world.grant, &id, &credential).await.unwrap_err();
    assert_eq!(problem.code, Code::InUse, "{}", problem.message);

    world.advance(200);
    world.account("two", Environment::Test).await;
    let log = world.until("hook", |log| log.len() == 2 && log[1].attempts == 1 && log[1].state == DeliveryState::Pending).await;
    assert!(log[1].last_error.as_ref().unwrap().contains("has expired"), "{log:?}");
    assert_eq!(receiver.requests(), 1, "nothing goes out unsigned");

    let deleted = webhook::delete(&world.engine, &world.grant, "hook").await.unwrap();
    world.advance(60);
    assert_eq!(webhook::deliver_due(&world.engine).await.unwrap(), 0);
    assert_eq!(credential::lookup(&world.engine, &world.grant, &credential).await.unwrap_err().code, Code::NotFound);
    deletion::undo(&world.engine, &world.grant, &deleted.id.to_string()).await.unwrap();
    credential::update(&world.engine, &world.grant, &id, &credential, change("a-third-secret", None)).await.unwrap();
    world.advance(120);
    world.all_delivered("hook", 2).await;
    assert_eq!(header(&receiver.last(), "x-synqly-signature"), webhook_signature(&Secret::new("a-third-secret"), body(&receiver.last()).as_bytes()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rehearsal_is_sent_once_and_says_what_it_is() {
    let (world, receiver) = (World::open().await, StandIn::new().await);
    receiver.answers(|_| (418, "no".to_owned()));
    world.hook("hook", &receiver.url, &[WebhookFilter::IntegrationDelete, WebhookFilter::OperationComplete]).await;
    let refused = webhook::rehearse(&world.engine, &world.grant, "hook").await.unwrap();
    assert_eq!((refused.delivery.state, refused.attempts.len(), refused.attempts[0].status), (DeliveryState::Failed, 1, Some(418)));
    receiver.answers(|_| (200, String::new()));
    let taken = webhook::rehearse(&world.engine, &world.grant, "hook").await.unwrap();
    assert_eq!(taken.delivery.state, DeliveryState::Delivered);
    let request = receiver.last();
    assert_eq!((header(&request, "x-patchbay-test"), header(&request, "x-patchbay-event")), ("true", "integration_delete"));
    let sent: Value = serde_json::from_str(body(&request)).unwrap();
    assert!(sent["nonce"].as_str().unwrap().starts_with("patchbay-test-") && sent["integration"]["name"] == "patchbay-test", "{sent}");
    world.advance(86_400);
    assert_eq!(webhook::deliver_due(&world.engine).await.unwrap(), 0, "a rehearsal is never repeated");
}
