//! A fresh store per test, filled with two organizations that must not see each other.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use patchbay_model::account::Account;
use patchbay_model::audit::AuditEvent;
use patchbay_model::connector::Connector;
use patchbay_model::consent::{ConnectSession, ConnectState, ConsentRoute, ProviderApp};
use patchbay_model::credential::{Credential, CredentialKind, CredentialOwner, Envelope, SealedAt};
use patchbay_model::definition::{Definition, DefinitionStatus};
use patchbay_model::integration::{Integration, IntegrationStatus};
use patchbay_model::member::{Member, MemberState, MemberType};
use patchbay_model::organization::{Organization, OrganizationOptions};
use patchbay_model::permission::RoleName;
use patchbay_model::point::{AllowedProviders, IntegrationPoint, PointEnvironments, PointPolicy};
use patchbay_model::token::{Authority, SecretKind, Slot, TokenContainer, TokenOwner, TokenSecret, TokenType};
use patchbay_model::*;
use patchbay_store::{PostgresAddress, SealedTable, SealedValue, SecretWriteTx, Secrets, Store, StoreHeader, WriteTx};
use uuid::Uuid;

use crate::cluster::{Database, MANAGEMENT_LOGIN, SVC_LOGIN};
use crate::provisioning::prepared;

/// A database on which the suite runs.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Backend {
    Sqlite,
    Postgres,
}

/// All of them.
pub(crate) const BACKENDS: &[Backend] = &[Backend::Sqlite, Backend::Postgres];

/// One attempt in a transaction of its own, which is given up: a server goes on with none in which something was refused.
macro_rules! attempt {
    ($store:expr, $scope:expr, |$tx:ident| $work:expr) => {{
        let mut $tx = $store.write_secrets($scope, patchbay_model::Origin::Api).await.unwrap();
        let outcome = $work.await;
        $tx.rollback().await.unwrap();
        outcome
    }};
}
pub(crate) use attempt;

/// What comes of some work, done again where another transaction came between.
macro_rules! uncontended {
    ($work:block) => {
        loop {
            let outcome: Result<_, patchbay_store::StoreError> = async { $work }.await;
            match outcome {
                Err(patchbay_store::StoreError::Contended) => tokio::task::yield_now().await,
                outcome => break outcome.unwrap(),
            }
        }
    };
}
pub(crate) use uncontended;

/// Runs a test on every backend.
pub(crate) async fn on_every_backend(test: impl AsyncFn(&Place)) {
    for backend in BACKENDS {
        let place = Place::new(*backend).await;
        test(&place).await;
        let findings = place.store.verify_structure().await.unwrap();
        assert_eq!(findings, [], "the store is sound after the test");
    }
}

static NUMBER: AtomicU64 = AtomicU64::new(1);

/// A new id; later ones sort behind.
pub(crate) fn uuid() -> Uuid {
    Uuid::from_u128(0x0198_c0de_0000_7000_8000_0000_0000_0000 + u128::from(NUMBER.fetch_add(1, Ordering::Relaxed)))
}

/// A point in time: so many seconds after the beginning of the test's world.
pub(crate) fn time(seconds: i64) -> Timestamp {
    Timestamp::from_unix_micros(1_790_000_000_000_000 + seconds * 1_000_000).unwrap()
}

pub(crate) fn envelope(text: &str) -> Envelope {
    use base64::Engine as _;
    Envelope { v: 1, key_id: "k1".to_owned(), ct: base64::engine::general_purpose::STANDARD.encode(text) }
}

/// Every sealed value, in small pages.
pub(crate) async fn sealed_values(mut tx: Secrets<'_>) -> Vec<SealedValue> {
    let mut values = Vec::new();
    for table in SealedTable::ALL {
        let mut after = None;
        loop {
            let page = tx.sealed_page(table, after, None, 2).await.unwrap();
            let Some(last) = page.last() else { break };
            assert!(page.len() <= 2);
            after = Some(last.row);
            values.extend(page);
        }
    }
    values
}

pub(crate) fn name(text: &str) -> Name {
    Name::from_stored(text.to_owned())
}

pub(crate) fn fullname(text: &str) -> Fullname {
    Fullname::from_stored(text.to_owned())
}

/// A directory that goes with the test.
pub(crate) struct Directory(pub(crate) PathBuf);

impl Directory {
    pub(crate) fn new() -> Self {
        let path = std::env::temp_dir().join(format!("patchbay-store-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed)));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.0.join("store.patchbay")
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// One organization with one of everything per account.
pub(crate) struct Tenant {
    pub(crate) organization: Organization,
    pub(crate) member: Member,
    pub(crate) point: IntegrationPoint,
    pub(crate) app: ProviderApp,
    pub(crate) accounts: Vec<Customer>,
}

impl Tenant {
    pub(crate) fn scope(&self) -> Scope {
        Scope::Organization(self.organization.id)
    }

    pub(crate) fn within(&self, account: usize) -> Scope {
        Scope::Account(self.organization.id, self.accounts[account].account.id)
    }
}

/// One account with one of everything.
pub(crate) struct Customer {
    pub(crate) account: Account,
    pub(crate) integration: Integration,
    pub(crate) credential: Credential,
    pub(crate) shared: Credential,
    pub(crate) token: TokenContainer,
    pub(crate) session: ConnectSession,
    pub(crate) audit: AuditEvent,
}

pub(crate) struct Place {
    pub(crate) directory: Directory,
    /// Where the store is on a server.
    pub(crate) database: Option<Database>,
    pub(crate) store: Store,
    pub(crate) definition: Definition,
    pub(crate) ours: Tenant,
    pub(crate) theirs: Tenant,
}

pub(crate) async fn empty_store(directory: &Directory) -> Store {
    let store = Store::create(&directory.file()).await.unwrap();
    complete(&store).await;
    store
}

/// A store on a server that nobody has filled, in the arrangement that separates the logins.
pub(crate) async fn empty_server_store(database: &Database) -> Store {
    let store = connected(database).await;
    complete(&store).await;
    store
}

async fn connected(database: &Database) -> Store {
    let second = database.url(SVC_LOGIN).parse().unwrap();
    let address = PostgresAddress::of(&database.url(MANAGEMENT_LOGIN).parse::<PostgresUrl>().unwrap().with_second_login(Some(second))).unwrap();
    let store = Store::connect(&address).await.unwrap();
    store.unlock_database_keys(&[("suite".to_owned(), Secret::new("the key of the suite"))]);
    store
}

async fn complete(store: &Store) {
    let mut tx = store.write(Scope::System, Origin::Cli).await.unwrap();
    tx.insert_header(&StoreHeader { id: uuid(), key_header: serde_json::json!({"version": 1}), created_at: time(0) }).await.unwrap();
    tx.commit().await.unwrap();
}

impl Place {
    pub(crate) async fn new(backend: Backend) -> Self {
        let directory = Directory::new();
        let database = match backend {
            Backend::Sqlite => None,
            Backend::Postgres => Some(prepared()),
        };
        let store = match &database {
            None => empty_store(&directory).await,
            Some(database) => empty_server_store(database).await,
        };
        let definition = definition();
        let mut tx = store.write(Scope::System, Origin::Cli).await.unwrap();
        tx.insert_definition(&definition).await.unwrap();
        tx.commit().await.unwrap();
        let ours = tenant(&store, &definition, "ours", &["one", "two"]).await;
        let theirs = tenant(&store, &definition, "theirs", &["one"]).await;
        Self { directory, database, store, definition, ours, theirs }
    }

    /// A second handle on the same store, as another process would have it.
    pub(crate) async fn second_handle(&self) -> Store {
        match &self.database {
            None => Store::open(&self.directory.file()).await.unwrap(),
            Some(database) => connected(database).await,
        }
    }

    pub(crate) async fn write(&self) -> SecretWriteTx {
        self.store.write_secrets(self.ours.scope(), Origin::Api).await.unwrap()
    }
}

pub(crate) fn provider() -> ProviderId {
    ProviderId::parse("ticketing_mock_ticketing").unwrap()
}

pub(crate) fn definition() -> Definition {
    Definition {
        id: DefinitionId::from_uuid(uuid()),
        provider: provider(),
        connector: Connector::Ticketing,
        version: "1".to_owned(),
        auth_type: "api_key".to_owned(),
        docs_url: "https://example.com".to_owned(),
        organization: None,
        manifest: None,
        config_schema: serde_json::json!({}),
        credentials_schema: serde_json::json!({}),
        status: DefinitionStatus::Active,
        created_at: time(0),
        updated_at: time(0),
    }
}

pub(crate) fn organization(text: &str) -> Organization {
    Organization {
        id: OrganizationId::from_uuid(uuid()),
        name: name(text),
        fullname: fullname(text),
        refresh_token_id: TokenId::from_uuid(uuid()),
        contact: None,
        reply_to: None,
        picture: None,
        options: OrganizationOptions::default(),
        sample: false,
        created_at: time(0),
        updated_at: time(0),
    }
}

pub(crate) fn member(organization: OrganizationId, text: &str) -> Member {
    Member {
        id: MemberId::from_uuid(uuid()),
        organization_id: organization,
        name: name(text),
        fullname: fullname(text),
        nickname: None,
        picture: None,
        member_type: MemberType::Personal,
        state: MemberState::Enabled,
        role_binding: vec![RoleName::root_administrator()],
        ttl: None,
        token_ttl: Duration::from_secs(3600),
        expires: None,
        pin_expires: None,
        failed_logons: 0,
        locked_until: None,
        has_password: false,
        last_logon: None,
        created_at: time(0),
        updated_at: time(0),
    }
}

pub(crate) fn account(organization: OrganizationId, text: &str) -> Account {
    Account {
        id: AccountId::from_uuid(uuid()),
        organization_id: organization,
        name: name(text),
        fullname: fullname(&format!("{text}, Ltd.")),
        environment: Environment::Test,
        labels: Vec::new(),
        external_id: text.to_owned(),
        created_at: time(0),
        updated_at: time(0),
    }
}

pub(crate) fn point(organization: OrganizationId, text: &str) -> IntegrationPoint {
    IntegrationPoint {
        id: IntegrationPointId::from_uuid(uuid()),
        organization_id: organization,
        name: name(text),
        fullname: fullname(text),
        description: None,
        connector: Connector::Ticketing,
        environments: PointEnvironments { test: Some(AllowedProviders::All), prod: None },
        policy: PointPolicy::default(),
        created_at: time(0),
        updated_at: time(0),
    }
}

pub(crate) fn integration(account: &Account, definition: &Definition, text: &str) -> Integration {
    Integration {
        id: IntegrationId::from_uuid(uuid()),
        organization_id: account.organization_id,
        account_id: account.id,
        name: name(text),
        fullname: fullname(text),
        definition: definition.id,
        provider: definition.provider.clone(),
        connector: definition.connector,
        integration_point_id: None,
        config: serde_json::json!({"type": definition.provider.as_str()}),
        webhook_config: None,
        status: IntegrationStatus::Active,
        status_since: time(0),
        refresh_token_id: TokenId::from_uuid(uuid()),
        last_used_at: None,
        last_connected_at: None,
        created_at: time(0),
        updated_at: time(0),
    }
}

pub(crate) fn credential(organization: OrganizationId, owner: CredentialOwner, sealed_at: SealedAt, text: &str) -> Credential {
    Credential {
        id: CredentialId::from_uuid(uuid()),
        organization_id: organization,
        owner,
        name: name(text),
        fullname: fullname(text),
        kind: CredentialKind::Token,
        public_config: serde_json::Map::new(),
        sealed_at,
        expires: None,
        managed: true,
        secret_set_at: Some(time(0)),
        created_at: time(0),
        updated_at: time(0),
    }
}

pub(crate) fn token(organization: OrganizationId, owner: TokenOwner, member: MemberId, text: &str) -> TokenContainer {
    TokenContainer {
        id: TokenId::from_uuid(uuid()),
        organization_id: organization,
        owner,
        member_id: member,
        name: name(text),
        fullname: fullname(text),
        token_type: TokenType::Adhoc,
        authority: Authority::Roles(vec![RoleName::root_administrator()]),
        access_ttl: Duration::from_secs(600),
        refresh_ttl: Some(Duration::from_secs(86_400)),
        expires: time(86_400),
        created_at: time(0),
        updated_at: time(0),
    }
}

pub(crate) fn secret(kind: SecretKind) -> TokenSecret {
    TokenSecret { kind, slot: Slot::Primary, expires: time(600) }
}

/// A hash that stands for the secret of this container and kind.
pub(crate) fn hash(id: impl std::fmt::Display, kind: &str) -> Vec<u8> {
    format!("{kind} of {id}").into_bytes()
}

pub(crate) fn session(integration: &Integration, app: ProviderAppId, member: MemberId) -> ConnectSession {
    ConnectSession {
        id: ConnectSessionId::from_uuid(uuid()),
        organization_id: integration.organization_id,
        account_id: integration.account_id,
        integration_id: integration.id,
        provider_app_id: Some(app),
        member_id: member,
        end_user_id: None,
        route: ConsentRoute::Browser,
        redirect_uri: "http://127.0.0.1:4711/oauth/callback".to_owned(),
        issuer: Some("https://issuer.example".to_owned()),
        scopes: vec!["openid".to_owned()],
        state: ConnectState::Begun,
        message: None,
        explanation: None,
        places: Vec::new(),
        expires: time(600),
        created_at: time(0),
        updated_at: time(0),
    }
}

pub(crate) fn audit(organization: OrganizationId, account: Option<AccountId>, seconds: i64) -> AuditEvent {
    AuditEvent {
        id: AuditId::from_uuid(uuid()),
        organization_id: organization,
        created_at: time(seconds),
        origin: Origin::Api,
        audit_type: "API".to_owned(),
        operation: "accounts.create".to_owned(),
        method: "POST".to_owned(),
        path: "/v1/accounts".to_owned(),
        status: 201,
        code: String::new(),
        remote_addr: "127.0.0.1".to_owned(),
        user_agent: "suite".to_owned(),
        member_id: None,
        account_id: account,
        environment: account.map(|_| Environment::Test),
        integration_id: None,
        body: Some(serde_json::json!({"name": "x"})),
        response: None,
        object: None,
        before: None,
        after: None,
        deletion: None,
        secret_replaced: false,
        undo_of: None,
        undone_by: None,
    }
}

async fn tenant(store: &Store, definition: &Definition, text: &str, accounts: &[&str]) -> Tenant {
    let organization = organization(text);
    let id = organization.id;
    let mut tx = store.write(Scope::Organization(id), Origin::Api).await.unwrap();
    tx.insert_organization(&organization).await.unwrap();
    let member = member(id, &format!("ada@{text}.example"));
    tx.insert_member(&member).await.unwrap();
    let point = point(id, "ticketing");
    tx.insert_point(&point).await.unwrap();
    let client_secret = SharedCredentialId::from_uuid(uuid());
    tx.insert_sealed_shared(client_secret, None, &envelope("client secret"), time(0)).await.unwrap();
    let app = ProviderApp {
        id: ProviderAppId::from_uuid(uuid()),
        organization_id: id,
        name: name("app"),
        fullname: fullname("App"),
        provider: provider(),
        issuer: None,
        client_id: "client".to_owned(),
        client_secret: Some(client_secret),
        redirect_uris: vec!["http://127.0.0.1/oauth/callback".to_owned()],
        scopes: Vec::new(),
        secret_expires: None,
        created_at: time(0),
        updated_at: time(0),
    };
    tx.insert_provider_app(&app).await.unwrap();
    let mut customers = Vec::new();
    for text in accounts {
        customers.push(customer(&mut tx, definition, id, &member, &point, &app, text).await);
    }
    tx.commit().await.unwrap();
    Tenant { organization, member, point, app, accounts: customers }
}

async fn customer(tx: &mut WriteTx, definition: &Definition, organization: OrganizationId, member: &Member, point: &IntegrationPoint, app: &ProviderApp, text: &str) -> Customer {
    let account = account(organization, text);
    tx.insert_account(&account).await.unwrap();
    let shared_id = SharedCredentialId::from_uuid(uuid());
    tx.insert_sealed_shared(shared_id, Some(account.id), &envelope(&format!("shared of {text}")), time(0)).await.unwrap();
    let shared = credential(organization, CredentialOwner::Account(account.id), SealedAt::Shared(shared_id), "shared");
    tx.insert_credential(&shared).await.unwrap();
    let mut integration = integration(&account, definition, "tickets");
    integration.integration_point_id = Some(point.id);
    integration.config = serde_json::json!({"type": definition.provider.as_str(), "credential": {"type": "token_id", "value": shared.id}});
    tx.insert_integration(&integration).await.unwrap();
    tx.set_sealed_integration(integration.id, Some(&envelope(&format!("own of {text}")))).await.unwrap();
    let own = credential(organization, CredentialOwner::Integration(account.id, integration.id), SealedAt::Integration(integration.id), "own");
    tx.insert_credential(&own).await.unwrap();
    let token = token(organization, TokenOwner::Integration(account.id, integration.id), member.id, "default");
    tx.insert_token(&token).await.unwrap();
    tx.insert_token_secrets(token.id, &[(hash(token.id, "access").to_vec(), secret(SecretKind::IntegrationAccess))]).await.unwrap();
    tx.insert_token_secrets(token.id, &[(hash(token.id, "refresh").to_vec(), secret(SecretKind::Refresh))]).await.unwrap();
    let session = session(&integration, app.id, member.id);
    tx.insert_connect_session(&session, &hash(session.id, "state"), Some(&envelope("verifier"))).await.unwrap();
    let audit = audit(organization, Some(account.id), 1);
    tx.insert_audit(&audit).await.unwrap();
    tx.put_document(account.id, integration.id, "tickets", "1", &serde_json::json!({"of": text})).await.unwrap();
    Customer { account, integration, credential: own, shared, token, session, audit }
}
