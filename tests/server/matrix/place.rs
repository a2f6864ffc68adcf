//! Where the matrix plays: an organization with an own and another account, a second organization in the same store, and
//! an object of every kind in each of them.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};

use super::table::SETS;
use crate::world::{PASSWORD, Seen, World, text};

/// A kind of object that operations work on.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Kind {
    /// None: lists, and what is made.
    Nothing,
    /// The caller's own session of a logon.
    Session,
    Account,
    Integration,
    /// An integration that a person authorizes.
    Consent,
    /// A consent under way.
    Connect,
    /// A link by which a customer connects.
    Link,
    /// Access that was taken back, and that a person has to end.
    Revocation,
    /// A credential that integrations of an account share.
    Credential,
    /// The container of an integration's tokens.
    IntegrationToken,
    /// A container of the organization, over one account.
    OrganizationToken,
    /// A deletion of an integration that can be undone.
    Deletion,
    /// A change of an integration in the audit log.
    Change,
    /// A person of an account.
    EndUser,
    Point,
    Member,
    Role,
    App,
    Webhook,
    Delivery,
    /// A version of a provider, which belongs to no organization.
    Definition,
    /// A manifest of the organization's own.
    Manifest,
}

/// A manifest of a provider that nobody else has.
pub(super) fn manifest(word: &str) -> String {
    let id = format!("custom_{}", word.replace('-', "_"));
    include_str!("../../../src-tauri/crates/providers/tests/fixtures/manifest/custom_acme.toml").replacen("custom_acme", &id, 1)
}

impl Kind {
    const ALL: [Self; 22] = [
        Self::Nothing,
        Self::Session,
        Self::Account,
        Self::Integration,
        Self::Consent,
        Self::Connect,
        Self::Link,
        Self::Revocation,
        Self::Credential,
        Self::IntegrationToken,
        Self::OrganizationToken,
        Self::Deletion,
        Self::Change,
        Self::EndUser,
        Self::Point,
        Self::Member,
        Self::Role,
        Self::App,
        Self::Webhook,
        Self::Delivery,
        Self::Definition,
        Self::Manifest,
    ];

    /// Whether a path or body names something that others may not reach.
    pub(super) fn has_object(self) -> bool {
        !matches!(self, Self::Nothing | Self::Session | Self::Definition)
    }

    /// Whether it belongs to an account.
    pub(super) fn in_account(self) -> bool {
        matches!(
            self,
            Self::Account
                | Self::Integration
                | Self::Consent
                | Self::Connect
                | Self::Link
                | Self::Revocation
                | Self::Credential
                | Self::IntegrationToken
                | Self::OrganizationToken
                | Self::Deletion
                | Self::Change
                | Self::EndUser
        )
    }
}

/// Ids for the parameters of a path.
#[derive(Clone, Debug, Default)]
pub(super) struct Params(HashMap<&'static str, String>);

impl Params {
    #[track_caller]
    fn with(mut self, name: &'static str, value: &Value) -> Self {
        self.0.insert(name, text(value));
        self
    }

    pub(super) fn get(&self, name: &str) -> &str {
        &self.0[name]
    }

    /// The same parameters, of nothing.
    pub(super) fn absent(&self) -> Self {
        Self(self.0.keys().map(|name| (*name, uuid::Uuid::from_u128(0x0198_c0de_0000_7000_8000_0000_0000_0000).to_string())).collect())
    }

    /// A path of the table with its parameters filled.
    pub(super) fn fill(&self, path: &str) -> String {
        let value = |name: &str| match name {
            "provider_id" => "ticketing_mock_ticketing".to_owned(),
            "permissionset_id" => "viewer".to_owned(),
            name => self.0.get(name).unwrap_or_else(|| panic!("{path}: the sample's kind has no {name}")).clone(),
        };
        let segments = path.split('/').map(|segment| match segment.strip_prefix('{').and_then(|segment| segment.strip_suffix('}')) {
            Some(name) => value(name),
            None => segment.to_owned(),
        });
        segments.collect::<Vec<_>>().join("/")
    }
}

/// The whole scene.
pub(super) struct Realm {
    pub(super) world: World,
    /// The administrator's token of the other organization.
    pub(super) rival: String,
    pub(super) own: HashMap<Kind, Params>,
    pub(super) other: HashMap<Kind, Params>,
    pub(super) foreign: HashMap<Kind, Params>,
    tokens: HashMap<(&'static str, bool), String>,
    sessions: HashMap<(&'static str, bool), String>,
    number: AtomicU32,
}

impl Realm {
    pub(super) async fn new() -> Self {
        let world = World::new().await;
        let rival = world.second_organization("Rival").await;
        let mut realm =
            Self { world, rival, own: HashMap::new(), other: HashMap::new(), foreign: HashMap::new(), tokens: HashMap::new(), sessions: HashMap::new(), number: AtomicU32::new(0) };
        let ours = realm.world.access.clone();
        let rivals = realm.rival.clone();
        for bearer in [&ours, &rivals] {
            let app = json!({"name": "app", "provider": "ticketing_jira", "client_id": "c", "redirect_uris": ["http://127.0.0.1/oauth/callback"]});
            realm.post(bearer, "/v1/x/provider-apps", &app).await;
        }
        for kind in Kind::ALL {
            let own = realm.make(&ours, "own", kind).await;
            let other = realm.make(&ours, "other", kind).await;
            let foreign = realm.make(&rivals, "foreign", kind).await;
            realm.own.insert(kind, own);
            realm.other.insert(kind, other);
            realm.foreign.insert(kind, foreign);
        }
        for set in SETS {
            for narrow in [false, true] {
                let resources = if narrow { json!({"accounts": {"ids": ["*"], "labels": ["own"]}}) } else { json!({"accounts": {"ids": ["*"]}}) };
                let made = realm.post(&ours, "/v1/tokens", &json!({"permission_set": set, "resources": resources})).await;
                realm.tokens.insert((set, narrow), text(&made["primary"]["access"]["secret"]));
                // A member with a role like that, signed in.
                let role = text(&realm.post(&ours, "/v1/roles", &json!({"name": realm.words("role"), "permission_set": set, "resources": resources})).await["name"]);
                let name = format!("{}@example.com", realm.words("person"));
                realm.post(&ours, "/v1/members", &json!({"name": name, "secret": PASSWORD, "role_binding": [role]})).await;
                let logon = format!("/v1/auth/logon/{}", realm.world.organization);
                let seen = realm.world.ask("POST", &logon).json(&json!({"name": name, "secret": PASSWORD})).send().await.result();
                realm.sessions.insert((set, narrow), text(&seen["token"]["access"]["secret"]));
            }
        }
        realm
    }

    /// The secret of a caller: a minted token, or that of a member who signed in.
    pub(super) fn bearer(&self, set: &'static str, narrow: bool, session: bool) -> String {
        if session { self.sessions[&(set, narrow)].clone() } else { self.tokens[&(set, narrow)].clone() }
    }

    /// A word that is used once.
    pub(super) fn words(&self, stem: &str) -> String {
        format!("{stem}-{}", self.number.fetch_add(1, Ordering::Relaxed))
    }

    /// Another object of a kind within everybody's reach.
    pub(super) async fn fresh(&self, kind: Kind) -> Params {
        if kind.has_object() { self.make(&self.world.access, "own", kind).await } else { self.own[&kind].clone() }
    }

    /// Nothing of another organization, and for a narrowed caller nothing of another account, may stand in an answer.
    pub(super) fn nothing_foreign(&self, seen: &Seen, narrow: bool, what: &str) {
        let accounts = |place: &HashMap<Kind, Params>| place.values().filter_map(|params| params.0.get("account_id").cloned()).collect::<Vec<_>>();
        let mut unseen = accounts(&self.foreign);
        if narrow {
            unseen.extend(accounts(&self.other));
        }
        for id in unseen {
            assert!(!seen.text.contains(&id), "an account out of reach stands in the answer: {what}");
        }
    }

    async fn post(&self, bearer: &str, path: &str, body: &Value) -> Value {
        let seen = self.world.ask("POST", path).bearer(bearer).json(body).send().await;
        if seen.status == 204 { Value::Null } else { seen.result() }
    }

    async fn account(&self, bearer: &str, label: &str) -> Params {
        let made = self.post(bearer, "/v1/accounts", &json!({"name": self.words(label), "labels": [label]})).await;
        Params::default().with("account_id", &made["account"]["id"]).with("owner_id", &made["account"]["id"])
    }

    async fn integration(&self, bearer: &str, label: &str, config: Value) -> Params {
        let account = self.account(bearer, label).await;
        let path = format!("/v1/integrations/{}", account.get("account_id"));
        let made = self.post(bearer, &path, &json!({"name": self.words("i"), "provider_config": config})).await;
        account.with("integration_id", &made["integration"]["id"]).with("refresh_token_id", &made["integration"]["refresh_token_id"])
    }

    async fn make(&self, bearer: &str, label: &str, kind: Kind) -> Params {
        let mock = || json!({"type": "ticketing_mock_ticketing"});
        let consent = || json!({"type": "ticketing_jira", "url": "https://acme.atlassian.net", "credential": {"type": "o_auth_user"}});
        match kind {
            Kind::Nothing | Kind::Session => Params::default(),
            Kind::Account => self.account(bearer, label).await,
            Kind::Integration => self.integration(bearer, label, mock()).await,
            Kind::Consent => self.integration(bearer, label, consent()).await,
            Kind::Connect => {
                let integration = self.integration(bearer, label, consent()).await;
                let made = self.post(bearer, "/v1/x/connect-sessions", &json!({"integration_id": integration.get("integration_id"), "route": "window"})).await;
                integration.with("connect_session_id", &made["id"])
            }
            Kind::Link => {
                let account = self.account(bearer, label).await;
                let made = self.post(bearer, "/v1/x/connect-links", &json!({"account_id": account.get("account_id"), "provider": "ticketing_mock_ticketing"})).await;
                account.with("connect_link_id", &made["id"])
            }
            Kind::Revocation => {
                // Nobody is there; a key was entered all the same, and Redmine has nothing that would end it.
                let config =
                    json!({"type": "ticketing_redmine", "url": "https://127.0.0.1:1", "credential": {"type": "token", "secret": "0123456789abcdef0123456789abcdef01234567"}});
                let integration = self.integration(bearer, label, config).await;
                let path = format!("/v1/x/integrations/{}/{}/disconnect", integration.get("account_id"), integration.get("integration_id"));
                let made = self.post(bearer, &path, &json!({})).await;
                integration.with("revocation_id", &made["revocation"]["id"])
            }
            Kind::Credential => {
                let account = self.account(bearer, label).await;
                let path = format!("/v1/credentials/{}", account.get("account_id"));
                let made = self.post(bearer, &path, &json!({"name": self.words("c"), "config": {"type": "token", "secret": "s"}})).await;
                account.with("credential_id", &made["id"])
            }
            Kind::IntegrationToken => {
                let integration = self.integration(bearer, label, mock()).await;
                let owner = Value::from(integration.get("integration_id"));
                integration.with("owner_id", &owner)
            }
            Kind::OrganizationToken => {
                let body = json!({"name": self.words("t"), "permission_set": "connect-ui", "resources": {"accounts": {"labels": [label]}}});
                let made = self.post(bearer, "/v1/tokens", &body).await;
                Params::default().with("refresh_token_id", &made["id"]).with("owner_id", &made["owner_id"])
            }
            Kind::Deletion => {
                let integration = self.integration(bearer, label, mock()).await;
                let path = format!("/v1/integrations/{}/{}", integration.get("account_id"), integration.get("integration_id"));
                let seen = self.world.ask("DELETE", &path).bearer(bearer).send().await.status(204);
                integration.with("deletion_id", &Value::from(seen.header("x-patchbay-deletion")))
            }
            Kind::Change => {
                let integration = self.integration(bearer, label, mock()).await;
                let path = format!("/v1/integrations/{}/{}", integration.get("account_id"), integration.get("integration_id"));
                let patch = json!([{"op": "replace", "path": "/fullname", "value": self.words("Before")}]);
                self.world.ask("PATCH", &path).bearer(bearer).json(&patch).send().await.status(200);
                let log = format!("/v1/audit/organizations?order=created_at%5Bdesc%5D&limit=1&filter=integration_id%5Beq%5D{}", integration.get("integration_id"));
                let rows = self.world.ask("GET", &log).bearer(bearer).send().await.result();
                integration.with("audit_id", &rows[0]["x_patchbay"]["id"])
            }
            Kind::EndUser => {
                let account = self.account(bearer, label).await;
                let made = self.post(bearer, &format!("/v1/x/accounts/{}/end-users", account.get("account_id")), &json!({"name": self.words("u")})).await;
                account.with("end_user_id", &made["id"])
            }
            Kind::Point => {
                let made = self.post(bearer, "/v1/integration-points", &json!({"name": self.words("p"), "connector": "ticketing", "environments": {"prod": ["*"]}})).await;
                Params::default().with("integration_point_id", &made["id"])
            }
            Kind::Member => {
                let made = self.post(bearer, "/v1/members", &json!({"name": format!("{}@example.com", self.words("m"))})).await;
                Params::default().with("member_id", &made["member"]["id"])
            }
            Kind::Role => {
                let made = self.post(bearer, "/v1/roles", &json!({"name": self.words("r"), "permission_set": "viewer"})).await;
                Params::default().with("role_id", &made["id"])
            }
            Kind::App => {
                let made = self.post(bearer, "/v1/x/provider-apps", &json!({"name": self.words("a"), "provider": "identity_openid", "client_id": "c"})).await;
                Params::default().with("provider_app_id", &made["id"])
            }
            Kind::Definition => {
                let listed = self.world.ask("GET", "/v1/x/definitions?limit=1").bearer(bearer).send().await.result();
                Params::default().with("definition_id", &listed[0]["id"])
            }
            Kind::Manifest => {
                let made = self.post(bearer, "/v1/x/catalog/manifests", &json!({"manifest": manifest(&self.words("x"))})).await;
                Params::default().with("manifest_id", &made["id"])
            }
            Kind::Webhook => self.webhook(bearer).await,
            Kind::Delivery => {
                let webhook = self.webhook(bearer).await;
                self.account(bearer, label).await;
                let path = format!("/v1/x/organization/webhooks/{}/deliveries", webhook.get("webhook_id"));
                let listed = self.world.ask("GET", &path).bearer(bearer).send().await.result();
                webhook.with("delivery_id", &listed[0]["id"])
            }
        }
    }

    async fn webhook(&self, bearer: &str) -> Params {
        let body = json!({"name": self.words("w"), "filters": ["all"], "url": "https://hooks.example.com/x", "secret": {"value": "sixteen characters and more"}});
        let made = self.post(bearer, "/v1/organization/webhooks", &body).await;
        Params::default().with("webhook_id", &made["id"])
    }
}
