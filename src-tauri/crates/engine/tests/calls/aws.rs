//! Signatures and roles of AWS, judged by moto: it computes each signature anew, and asks policies and trust policies.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use patchbay_engine::account::CreateAccount;
use patchbay_engine::installation::{self, StoreUrl};
use patchbay_engine::integration::{self, CreateIntegration, UpdateIntegration};
use patchbay_engine::preflight;
use patchbay_engine::provider_app::{self, CreateProviderApp, UpdateProviderApp};
use patchbay_engine::{Engine, ManagementGrant, NetworkPolicy};
use patchbay_model::integration::{AttentionCause, Integration, IntegrationStatus};
use patchbay_model::preflight::{CheckKind, CheckOutcome};
use patchbay_model::{Clock, Code, Context, Origin, Problem, Secret, Timestamp};
use patchbay_providers::Catalog;
use patchbay_vault::{KeyAccess, KeySource, OsEntropy, SystemClock};
use serde_json::{Value, json};

use crate::moto::Moto;

/// Amazon SQS as the catalog has it, with an address of STS that a test can choose.
const QUEUE: &str = r#"
format = 2
id = "sink_aws_test"
version = "1"
fullname = "Amazon SQS"
vendor = "Amazon Web Services"
connector = "sink"
description = "A queue."
docs_url = "https://docs.aws.amazon.com"
release = { availability = "internal", environments = ["test", "prod"] }
base = { config = { property = "url" } }
[[config]]
name = "url"
title = "Queue"
description = "Address."
required = true
schema = { type = "string", format = "uri" }
[[config]]
name = "sts"
title = "STS"
description = "Address."
required = true
schema = { type = "string", format = "uri" }
[[credential]]
type = "aws_role"
kind = "aws_role"
title = "Role"
description = "A role."
auth = { aws_role = { service = "sqs", region = "us-east-1", sts = "{config.sts}", max_seconds = 43200 } }
place = "sigv4"
[probe]
call = { method = "post", url = "{config.url|origin}/", headers = { Content-Type = "application/x-amz-json-1.0", X-Amz-Target = "AmazonSQS.GetQueueAttributes" }, body = { json = { QueueUrl = "{config.url}", AttributeNames = ["QueueArn"] } } }
id = "/Attributes/QueueArn"
"#;

/// Runs with the machine's clock, and some time ahead of it.
struct MovedClock(AtomicI64);

impl Clock for MovedClock {
    fn now(&self) -> Timestamp {
        let now = SystemClock.now();
        Timestamp::from_unix_micros(now.unix_micros() + self.0.load(Ordering::SeqCst)).unwrap()
    }
}

struct World {
    engine: Engine,
    grant: ManagementGrant,
    clock: Arc<MovedClock>,
    _folder: tempfile::TempDir,
}

impl World {
    async fn new(catalog: Catalog) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (store, keys) = (StoreUrl::Sqlite(folder.path().join("store.db")), KeyAccess::from(KeySource::File(folder.path().join("store.key"))));
        let clock = Arc::new(MovedClock(AtomicI64::new(0)));
        let context = Context::new(clock.clone(), Arc::new(OsEntropy));
        let (engine, created) = installation::create(&store, &keys, "Acme Tools", context.clone()).await.unwrap();
        engine.shutdown().await;
        drop(engine);
        let network = NetworkPolicy { allow_private: true, rehearsal: None };
        let engine = installation::open_with(&store, &keys, catalog, context, network, Origin::Cli).await.unwrap();
        let grant = engine.local_grant(created.organization.id, Origin::Cli).await.unwrap();
        let new = CreateAccount { name: Some("globex".to_owned()), ..CreateAccount::default() };
        patchbay_engine::account::create(&engine, &grant, new).await.unwrap();
        Self { engine, grant, clock, _folder: folder }
    }

    async fn make(&self, config: Value) -> Integration {
        let new = CreateIntegration { name: Some("aws".to_owned()), provider_config: config, ..CreateIntegration::default() };
        integration::create(&self.engine, &self.grant, "globex", new).await.unwrap().integration
    }

    async fn change(&self, config: Value) {
        let change = UpdateIntegration { provider_config: config, ..UpdateIntegration::default() };
        integration::update(&self.engine, &self.grant, "globex", "aws", change).await.unwrap();
    }

    async fn now(&self) -> Integration {
        integration::get(&self.engine, &self.grant, "globex", "aws").await.unwrap()
    }

    /// What the provider says the credential is of.
    async fn probe(&self) -> Result<Option<String>, Problem> {
        self.engine.probe(&self.now().await).await.map(|outcome| outcome.id)
    }

    async fn principal(&self, id: &str, secret: &str) {
        self.principal_at("sink_aws_test", id, secret).await;
    }

    async fn principal_at(&self, provider: &str, id: &str, secret: &str) {
        let app = CreateProviderApp {
            name: Some("our-principal".to_owned()),
            fullname: None,
            provider: provider.to_owned(),
            issuer: None,
            client_id: id.to_owned(),
            client_secret: Some(Secret::new(secret)),
            redirect_uris: Vec::new(),
            scopes: Vec::new(),
            secret_expires: None,
        };
        provider_app::create(&self.engine, &self.grant, app).await.unwrap();
    }

    /// Another key in the place of the principal's.
    async fn other_principal(&self, id: &str, secret: &str) {
        let app = provider_app::get(&self.engine, &self.grant, "our-principal").await.unwrap();
        let change = UpdateProviderApp { client_id: id.to_owned(), client_secret: Some(Secret::new(secret)), ..UpdateProviderApp::of(app) };
        provider_app::update(&self.engine, &self.grant, "our-principal", change).await.unwrap();
    }

    /// What is found of the principal: what is tested, and `good`, `cannot_tell` or the cause of what is bad.
    async fn tested(&self) -> Vec<(CheckKind, String)> {
        let checks = preflight::preflight(&self.engine, &self.grant, "our-principal").await.unwrap().checks;
        let word = |outcome: CheckOutcome| match outcome {
            CheckOutcome::Bad(explanation) => explanation.cause,
            other => other.word().as_str().to_owned(),
        };
        checks.into_iter().map(|check| (check.kind, word(check.outcome))).collect()
    }

    fn advance(&self, seconds: i64) {
        self.clock.0.fetch_add(seconds * 1_000_000, Ordering::SeqCst);
    }
}

fn refused(problem: &Problem, secrets: &[&str]) {
    assert_eq!(problem.code, Code::ProviderRefused, "{}", problem.message);
    let shown = format!("{problem:?}");
    assert!(secrets.iter().all(|secret| !shown.contains(secret)), "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_signs_for_a_queue_and_for_a_bucket() {
    let moto = Moto::start();
    let key = moto.key();
    let queue = |credential: Value| json!({ "type": "sink_aws_sqs", "url": moto.text("queue"), "region": moto.text("region"), "credential": credential });
    let world = World::new(Catalog::builtin().unwrap()).await;
    world.make(queue(key.clone())).await;
    assert_eq!(world.probe().await.unwrap().as_deref(), Some("arn:aws:sqs:us-east-1:123456789012:events"));
    assert_eq!(world.now().await.status, IntegrationStatus::Active);

    let mut wrong = key.clone();
    wrong["secret_access_key"] = "planted-secret-access-key-of-nobody".into();
    world.change(queue(wrong.clone())).await;
    refused(&world.probe().await.unwrap_err(), &["planted-secret-access-key"]);
    // Moto's queues write the word of the error elsewhere than AWS does, so that it is not known whose fault it is; its buckets do not.
    assert!(matches!(world.now().await.status, IntegrationStatus::NeedsAttention { .. }));

    // Paths and digests are signed otherwise for S3.
    let bucket = World::new(Catalog::builtin().unwrap()).await;
    let files = |credential: Value| json!({ "type": "storage_aws_s3", "bucket": moto.text("bucket"), "endpoint": moto.text("url"), "region": moto.text("region"), "credential": credential });
    bucket.make(files(key.clone())).await;
    bucket.probe().await.unwrap();
    bucket.change(files(wrong)).await;
    refused(&bucket.probe().await.unwrap_err(), &["planted-secret-access-key"]);
    assert_eq!(bucket.now().await.status, IntegrationStatus::NeedsAttention { cause: AttentionCause::CredentialRefused });
    bucket.change(files(key.clone())).await;
    bucket.probe().await.unwrap();

    // A key that ends at AWS is told as that.
    world.change(queue(key)).await;
    world.probe().await.unwrap();
    moto.end_key().await;
    refused(&world.probe().await.unwrap_err(), &[]);
    refused(&bucket.probe().await.unwrap_err(), &[]);
    assert_eq!(bucket.now().await.status, IntegrationStatus::NeedsAttention { cause: AttentionCause::CredentialRefused });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_is_assumed_by_the_principal_of_the_organization() {
    let moto = Moto::start();
    let config = |external_id: &str| json!({ "type": "sink_aws_test", "url": moto.text("queue"), "sts": moto.text("url"), "credential": moto.role(external_id) });
    let world = World::new(Catalog::of_manifests(&[("sink_aws_test", QUEUE)]).unwrap()).await;
    world.make(config(moto.text("external_id"))).await;
    assert_eq!(world.probe().await.unwrap_err().code, Code::ProviderAppMissing, "there is no principal yet");

    let (id, secret) = moto.principal();
    world.principal(id, secret).await;
    assert_eq!(world.probe().await.unwrap().as_deref(), Some("arn:aws:sqs:us-east-1:123456789012:events"));

    // A session is used until it ends: what becomes of the trust policy meanwhile does not matter.
    moto.trust("another-external-id").await;
    world.probe().await.unwrap();
    world.advance(16 * 60);
    refused(&world.probe().await.unwrap_err(), &[secret]);
    assert_eq!(world.now().await.status, IntegrationStatus::NeedsAttention { cause: AttentionCause::CredentialRefused });
    moto.trust(moto.text("external_id")).await;
    world.probe().await.unwrap();
    assert_eq!(world.now().await.status, IntegrationStatus::Active);

    world.change(config("wrong-external-id")).await;
    refused(&world.probe().await.unwrap_err(), &[secret]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_key_of_the_principal_is_told_as_the_principals() {
    let moto = Moto::start();
    let world = World::new(Catalog::of_manifests(&[("sink_aws_test", QUEUE)]).unwrap()).await;
    let (id, _) = moto.principal();
    world.principal(id, "planted-secret-of-the-principal").await;
    world.make(json!({ "type": "sink_aws_test", "url": moto.text("queue"), "sts": moto.text("url"), "credential": moto.role(moto.text("external_id")) })).await;
    let problem = world.probe().await.unwrap_err();
    refused(&problem, &["planted-secret-of-the-principal"]);
    assert!(problem.message.contains("our-principal") && problem.context.resources.iter().any(|resource| resource.kind == "provider_app"), "{problem:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_policy_that_is_proposed_lets_the_principal_in_and_nobody_else() {
    let moto = Moto::start();
    let world = World::new(Catalog::of_manifests(&[("sink_aws_test", QUEUE)]).unwrap()).await;
    let settings = json!({ "url": moto.text("queue"), "sts": moto.text("url") }).as_object().unwrap().clone();
    let propose = || provider_app::trust(&world.engine, &world.grant, "sink_aws_test", settings.clone());
    assert_eq!(propose().await.unwrap_err().code, Code::ProviderAppMissing);
    let (id, secret) = moto.principal();
    world.principal(id, secret).await;
    let (one, other) = (propose().await.unwrap(), propose().await.unwrap());
    assert_eq!(one.principal, "arn:aws:iam::123456789012:user/patchbay");
    assert_ne!(one.external_id, other.external_id);
    moto.paste(&one.policy).await;
    let config = |external_id: &str| json!({ "type": "sink_aws_test", "url": moto.text("queue"), "sts": moto.text("url"), "credential": moto.role(external_id) });
    world.make(config(&one.external_id)).await;
    world.probe().await.unwrap();
    world.change(config(&other.external_id)).await;
    refused(&world.probe().await.unwrap_err(), &[secret]);

    let open = one.policy.replace("sts:ExternalId", "sts:SourceIdentity");
    moto.paste(&open).await;
    world.change(config(&other.external_id)).await;
    let problem = world.probe().await.unwrap_err();
    assert!(problem.code == Code::InvalidConfig && problem.message.contains("sts:ExternalId"), "a role that is open to others: {problem:?}");
}

/// Checks of a principal whose provider was reached.
fn reached(client: &str) -> Vec<(CheckKind, String)> {
    vec![(CheckKind::Reached, "good".to_owned()), (CheckKind::Client, client.to_owned())]
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_of_the_principal_is_tested_by_asking_whose_it_is() {
    let moto = Moto::start();
    let world = World::new(Catalog::of_manifests(&[("sink_aws_test", QUEUE)]).unwrap()).await;
    let (id, secret) = moto.principal();
    world.principal(id, secret).await;
    world.make(json!({ "type": "sink_aws_test", "url": moto.text("queue"), "sts": moto.text("url"), "credential": moto.role(moto.text("external_id")) })).await;
    assert_eq!(world.tested().await, reached("good"));

    world.other_principal(id, "planted-secret-of-the-principal").await;
    assert_eq!(world.tested().await, reached("wrong_secret"));
    let shown = format!("{:?}", preflight::checks(&world.engine, &world.grant, "our-principal").await.unwrap());
    assert!(!shown.contains("planted-secret"), "{shown}");
    world.other_principal("AKIAIOSFODNN7EXAMPLE", secret).await;
    assert_eq!(world.tested().await, reached("unknown_client"));

    // A key that is good may do nothing at all: everybody may ask who they are. It ends at AWS, and the night finds it.
    let key = moto.key();
    world.other_principal(key["access_key_id"].as_str().unwrap(), key["secret_access_key"].as_str().unwrap()).await;
    assert_eq!(world.tested().await, reached("good"));
    moto.end_key().await;
    preflight::test_due(&world.engine).await.unwrap();
    world.advance(86_400);
    assert_eq!(preflight::test_due(&world.engine).await.unwrap(), 1);
    let night = preflight::checks(&world.engine, &world.grant, "our-principal").await.unwrap();
    let client = night.checks.iter().find(|check| check.kind == CheckKind::Client).unwrap();
    assert!(matches!(&client.outcome, CheckOutcome::Bad(explanation) if explanation.cause == "unknown_client"), "{client:?}");

    drop(moto);
    assert_eq!(world.tested().await, [(CheckKind::Reached, "outage".to_owned())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_whose_key_assumes_roles_is_in_use() {
    let world = World::new(Catalog::builtin().unwrap()).await;
    world.principal_at("storage_aws_s3", "AKIAIOSFODNN7EXAMPLE", "secret-of-the-principal").await;
    let users = async || provider_app::impact(&world.engine, &world.grant, "our-principal").await.unwrap().users;
    assert_eq!(users().await, []);
    // At another provider of the same vendor, which has no principal of its own.
    let queue =
        |credential: Value| json!({ "type": "sink_aws_sqs", "url": "https://sqs.us-east-1.amazonaws.com/123456789012/events", "region": "us-east-1", "credential": credential });
    let role = json!({ "type": "aws_role", "role_arn": "arn:aws:iam::123456789012:role/customer", "external_id": "external-id-of-the-customer" });
    let made = world.make(queue(role)).await;
    let found = users().await;
    assert_eq!(found.iter().map(|user| user.id.as_str()).collect::<Vec<_>>(), [made.id.to_string()]);
    let problem = provider_app::delete(&world.engine, &world.grant, "our-principal").await.unwrap_err();
    assert!(problem.code == Code::InUse && problem.context.resources.iter().any(|resource| resource.id == made.id.to_string()), "{problem:?}");
    // With a key of the customer's own it needs nobody's principal.
    world.change(queue(json!({ "type": "aws", "access_key_id": "AKIAI44QH8DHBEXAMPLE", "secret_access_key": "secret-of-the-customer" }))).await;
    assert_eq!(users().await, []);
    provider_app::delete(&world.engine, &world.grant, "our-principal").await.unwrap();
}
