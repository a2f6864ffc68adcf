//! The reference model: what the Management API answers, written from product.md (sections 1, 3 and 7) and synqly-wire.md
//! (sections 4 to 7), not from the code. Everything is one vector of rows that is searched from its beginning.
//!
//! A request that is wrong in several ways may be refused for any of them, so a refusal is the list of codes that would do.
//! What the model cannot know (ids, secrets, what a provider said) it adopts from the real answer to a creation.

use patchbay_model::Timestamp;
use serde_json::{Map, Value, json};

use crate::names::{address, derived, fullname, id_of, permission_set, slug};
use crate::tokens::Shown;
use crate::world::{Answer, Call};

/// What lists are made of.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Kind {
    Account,
    Point,
    Integration,
    Credential,
    Member,
    Token,
    App,
    Role,
    Webhook,
}

impl Kind {
    pub(crate) const ALL: [Self; 9] = [Self::Account, Self::Point, Self::Integration, Self::Credential, Self::Member, Self::Token, Self::App, Self::Role, Self::Webhook];

    /// The resource in the names of its operations.
    pub(crate) fn resource(self) -> &'static str {
        ["accounts", "integration_points", "integrations", "credentials", "members", "tokens", "provider_apps", "roles", "organization_webhooks"][self as usize]
    }

    /// Members that a patch may change.
    fn writable(self) -> &'static [&'static str] {
        match self {
            Self::Account => &["name", "fullname", "environment", "labels", "x_patchbay"],
            Self::Point => &["name", "fullname", "description", "environments"],
            Self::Integration => &["name", "fullname", "provider_config", "integration_point_id"],
            Self::Credential => &["name", "fullname", "config", "expires"],
            Self::Member => &["name", "fullname", "nickname", "picture", "state", "token_ttl", "role_binding"],
            Self::Role => &["name", "fullname", "description", "resources", "permission_set"],
            Self::Webhook => &["name", "fullname", "environment", "filters", "url", "credential_id"],
            Self::Token | Self::App => &[],
        }
    }
}

/// An object, live or deleted.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) kind: Kind,
    pub(crate) id: String,
    /// Within what its name is unique: an account, an owner, or the organization.
    pub(crate) parent: String,
    /// What a read shows of it.
    pub(crate) wire: Value,
    /// The deletion that took it.
    pub(crate) gone: Option<String>,
}

impl Row {
    pub(crate) fn text(&self, member: &str) -> &str {
        self.wire[member].as_str().unwrap_or_default()
    }

    /// Whether it is a live one of this kind and parent.
    pub(crate) fn is(&self, kind: Kind, parent: Option<&str>) -> bool {
        self.kind == kind && self.gone.is_none() && parent.is_none_or(|parent| parent == self.parent)
    }
}

struct Deletion {
    id: String,
    at: Timestamp,
    object: (Kind, String),
}

/// Codes of which any will do.
pub(crate) type Refusal = Vec<&'static str>;
pub(crate) type Expected = Result<Value, Refusal>;

pub(crate) struct Model {
    pub(crate) organization: String,
    /// The member who acts.
    pub(crate) actor: String,
    /// The container of the token by which they act, which no command may end.
    pub(crate) spared: Option<String>,
    pub(crate) now: Timestamp,
    pub(crate) rows: Vec<Row>,
    pub(crate) shown: Vec<Shown>,
    deletions: Vec<Deletion>,
}

/// Seconds in which a deletion can be undone.
const UNDO: u64 = 600;
/// The providers that are spoken of here.
const PROVIDERS: [&str; 3] = ["ticketing_mock_ticketing", "ticketing_redmine", "identity_openid"];
const CREDENTIAL_MISSING: &str = "credential_missing";

/// Collects reasons against a request.
#[derive(Default)]
pub(crate) struct Against(Refusal);

impl Against {
    pub(crate) fn unless(&mut self, good: bool, code: &'static str) {
        if !good {
            self.0.push(code);
        }
    }

    /// The value, unless it is wrong.
    pub(crate) fn field<T: Default>(&mut self, value: Option<T>) -> T {
        self.unless(value.is_some(), "invalid_field");
        value.unwrap_or_default()
    }

    pub(crate) fn end(self) -> Result<(), Refusal> {
        if self.0.is_empty() { Ok(()) } else { Err(self.0) }
    }
}

impl Model {
    pub(crate) fn new(organization: String, actor: String, spared: Option<String>, now: Timestamp) -> Self {
        Self { organization, actor, spared, now, rows: Vec::new(), shown: Vec::new(), deletions: Vec::new() }
    }

    /// Takes over what was there before the first request.
    pub(crate) fn adopt(&mut self, kind: Kind, mut wire: Value) {
        for pair in ["primary", "secondary"] {
            wire.as_object_mut().map(|wire| wire.remove(pair));
        }
        let (id, parent) = (wire["id"].as_str().unwrap_or_default().to_owned(), wire["owner_id"].as_str().unwrap_or(&self.organization).to_owned());
        self.rows.push(Row { kind, id, parent, wire, gone: None });
    }

    /// Answers a request. The real answer tells what the model cannot know.
    pub(crate) fn answer(&mut self, call: &Call, real: &Answer) -> Expected {
        let (resource, verb) = call.operation.split_once('.').unwrap_or_default();
        if verb == "undo" {
            return self.undo(call.path("deletion_id"));
        }
        let kind = Kind::ALL.into_iter().find(|kind| kind.resource() == resource).ok_or_else(|| vec!["not_found"])?;
        // Of what is nowhere, a body that is wrong besides may be told first.
        let nowhere = || if call.body.is_some() { vec!["not_found", "invalid_field", "invalid_patch", "invalid_config"] } else { vec!["not_found"] };
        let parent = self.parent(kind, call).ok_or_else(nowhere)?;
        match verb {
            "create" | "create_token" | "create_integration_token" => self.create(kind, verb, &parent, call, real.body.get("result").unwrap_or(&Value::Null)),
            _ => {
                let row = self.target(kind, &parent, call).ok_or_else(nowhere)?;
                if self.rows[row].wire["x_patchbay"]["builtin"] == true && verb != "get" {
                    return Err(vec!["invalid_request", "invalid_field", "invalid_patch"]);
                }
                match verb {
                    "get" => Ok(self.view(&self.rows[row])),
                    "update" => self.update(row, call.body()),
                    "patch" => self.patch(row, call.body()),
                    "delete" => self.delete(row, real.deletion.clone()),
                    "pause" | "resume" => self.turn(row, verb == "pause"),
                    _ => self.token(row, verb, call, &real.body["result"]),
                }
            }
        }
    }

    /// The object within which a path names another: the account of an integration, the owner of a credential.
    fn parent(&self, kind: Kind, call: &Call) -> Option<String> {
        let found = match (kind, call.operation) {
            (Kind::Integration, _) | (_, "tokens.create_integration_token") => self.find(Kind::Account, None, call.path("account_id")),
            (Kind::Credential, _) => {
                let owner = call.path("owner_id");
                let integration = id_of(owner).and_then(|id| self.find(Kind::Integration, None, &id));
                self.find(Kind::Account, None, owner).or(integration).or_else(|| self.find(Kind::Point, None, owner)).or_else(|| self.find(Kind::Webhook, None, owner))
            }
            _ => return Some(self.organization.clone()),
        };
        found.map(|row| self.rows[row].id.clone())
    }

    /// The object of a path.
    fn target(&self, kind: Kind, parent: &str, call: &Call) -> Option<usize> {
        let text = call.path(
            ["account_id", "integration_point_id", "integration_id", "credential_id", "member_id", "refresh_token_id", "provider_app_id", "role_id", "webhook_id"][kind as usize],
        );
        match kind {
            // An integration's own credential is reached through its account as well.
            Kind::Credential => self.find(kind, Some(parent), text).or_else(|| {
                let row = id_of(text).and_then(|id| self.find(kind, None, &id))?;
                (self.rows[row].text("account_id") == parent).then_some(row)
            }),
            // Tokens of integrations are named within those; among several of one name none is meant.
            Kind::Token => self.find(kind, Some(parent), text).or_else(|| {
                let mut found = self.rows.iter().enumerate().filter(|(_, row)| row.is(kind, None) && (row.id == text.to_lowercase() || row.text("name") == text.to_lowercase()));
                let (first, row) = found.next()?;
                (row.id == text.to_lowercase() || found.next().is_none()).then_some(first)
            }),
            _ => self.find(kind, Some(parent), text),
        }
    }

    /// The live object of an id or name; an id wins, and neither minds case.
    pub(crate) fn find(&self, kind: Kind, parent: Option<&str>, text: &str) -> Option<usize> {
        let by_id = id_of(text).and_then(|id| self.rows.iter().position(|row| row.is(kind, parent) && row.id == id));
        by_id.or_else(|| self.rows.iter().position(|row| row.is(kind, parent) && row.text("name") == text.to_lowercase()))
    }

    /// What a read shows: the row, and what is counted.
    pub(crate) fn view(&self, row: &Row) -> Value {
        let mut wire = row.wire.clone();
        if row.kind == Kind::Account {
            wire["x_patchbay"]["integrations"] = json!(self.rows.iter().filter(|child| child.is(Kind::Integration, Some(&row.id))).count());
        }
        if row.kind == Kind::Role {
            wire["x_patchbay"] = json!({ "builtin": row.wire["x_patchbay"]["builtin"] == true, "members": self.bound(row.text("name")).count() });
        }
        wire
    }

    /// The members that have a role.
    fn bound(&self, role: &str) -> impl Iterator<Item = &Row> {
        let role = json!(role);
        self.rows.iter().filter(move |row| row.is(Kind::Member, None) && row.wire["role_binding"].as_array().is_some_and(|roles| roles.contains(&role)))
    }

    fn create(&mut self, kind: Kind, verb: &str, parent: &str, call: &Call, made: &Value) -> Expected {
        let body = call.body();
        if verb == "create_integration_token" {
            let integration = self.find(Kind::Integration, Some(parent), call.path("integration_id")).ok_or_else(|| vec!["not_found"])?;
            let owner = self.rows[integration].id.clone();
            let id = made["permissions"]["id"].as_str().unwrap_or_default();
            let wire = self.container(&owner, "integration", &body["name"], &Value::Null, "adhoc", id)?;
            self.issue(wire, &owner, &json!({ "access": made }));
            return Ok(json!({ "permissions": { "resource_id": owner, "resource_type": "integration", "parent_id": parent, "member_id": self.actor } }));
        }
        let whole = match kind {
            Kind::Account => &made["account"],
            Kind::Integration => &made["integration"],
            Kind::Member => &made["member"],
            _ => made,
        };
        let id = whole["id"].as_str().unwrap_or_default();
        let mut wire = if kind == Kind::Token {
            if !permission_set(&body["permission_set"]) {
                return Err(vec!["invalid_field"]);
            }
            self.container(parent, "organization", &body["name"], &body["fullname"], "adhoc", id)?
        } else {
            self.become_of(kind, parent, body, None, id)?
        };
        if kind == Kind::Token {
            self.issue(wire.clone(), parent, &made["primary"]);
            return Ok(wire);
        }
        if kind == Kind::Webhook {
            // Its secret is a credential that it owns.
            let credential = whole["credential_id"].as_str().unwrap_or_default().to_owned();
            wire["credential_id"] = json!(credential);
            let secret = json!({
                "id": credential, "name": "signing-secret", "fullname": "Signing secret", "organization_webhook_id": id, "owner_type": "organization_webhook", "managed": "Managed",
                "config": { "type": "secret" }, "created_at": self.now, "updated_at": self.now
            });
            self.rows.push(Row { kind: Kind::Credential, id: credential, parent: id.to_owned(), wire: secret, gone: None });
        }
        if kind == Kind::Integration {
            wire["refresh_token_id"] = whole["refresh_token_id"].clone();
            let own = made["credentials_created"][0].clone();
            if let Some(credential) = own["id"].as_str() {
                wire["provider_config"]["credential"] = json!({ "type": "token_id", "value": credential });
                self.rows.push(Row { kind: Kind::Credential, id: credential.to_owned(), parent: id.to_owned(), wire: own, gone: None });
            }
            if wire["provider_type"] != "ticketing_mock_ticketing" {
                // Whether a provider answers is no matter of management.
                wire["x_patchbay"] = json!({ "status": whole["x_patchbay"]["status"], "cause": whole["x_patchbay"]["cause"] });
            }
            let token = self.container(
                id,
                "integration",
                &json!("default"),
                &json!(format!("First token of {}", wire["name"].as_str().unwrap_or_default())),
                "default",
                whole["refresh_token_id"].as_str().unwrap_or_default(),
            )?;
            self.issue(token, id, &made["token"]);
        }
        self.rows.push(Row { kind, id: id.to_owned(), parent: parent.to_owned(), wire: wire.clone(), gone: None });
        let row = self.rows.last().map(|row| self.view(row)).unwrap_or_default();
        Ok(match kind {
            Kind::Account => json!({ "account": row }),
            Kind::Integration => json!({ "integration": row }),
            Kind::Member => json!({ "member": row }),
            _ => row,
        })
    }

    /// What an object becomes by a whole body: a new one, or `before` changed.
    fn become_of(&self, kind: Kind, parent: &str, body: &Value, before: Option<&Row>, id: &str) -> Expected {
        let mut against = Against::default();
        let mut wire = before.map_or_else(|| json!({ "id": id, "created_at": self.now }), |row| row.wire.clone());
        wire["updated_at"] = json!(self.now);
        let expected = &body["x_patchbay"]["expected_updated_at"];
        against.unless(expected.is_null() || before.is_none_or(|row| row.wire["updated_at"] == *expected), "update_conflict");
        // Names: each derived from the other, else from the id; a change without a name keeps it.
        // Empty text is as good as none, but in the whole body of what must have both.
        let demanded = before.is_some() && !matches!(kind, Kind::Point | Kind::Integration | Kind::Role);
        let given = |member: &str| body[member].as_str().filter(|text| !text.is_empty() || demanded);
        let full = given("fullname").map(|text| against.field(fullname(text)));
        let read = |text: &str| if kind == Kind::Member && wire["type"].as_str().or(body["type"].as_str()) != Some("service") { address(text) } else { slug(text) };
        let name = match (given("name"), before) {
            (Some(name), Some(before)) if name == before.text("name") => name.to_owned(),
            (None, Some(before)) => before.text("name").to_owned(),
            (Some(name), _) => against.field(read(name)),
            (None, None) if kind == Kind::Member => against.field(None),
            (None, None) => full.as_deref().and_then(derived).unwrap_or_else(|| id.to_owned()),
        };
        let taken =
            |member: &str, value: &str| self.rows.iter().any(|row| row.is(kind, Some(parent)) && row.id != id && member.split('/').fold(&row.wire, |at, part| &at[part]) == value);
        against.unless(!taken("name", &name), "name_taken");
        match (full, before) {
            (Some(full), _) => wire["fullname"] = json!(full),
            (None, None) => wire["fullname"] = json!(name),
            (None, Some(_)) => against.unless(matches!(kind, Kind::Integration | Kind::Point | Kind::Role), "invalid_field"),
        }
        wire["name"] = json!(name);
        let fresh = before.is_none();
        match kind {
            Kind::Account => {
                let environment = body["environment"].as_str().or(fresh.then_some("prod"));
                let environment = against.field(environment.filter(|word| ["test", "prod"].contains(word)));
                let mut labels: Vec<&str> = body["labels"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
                let good = |label: &&str| (1..=48).contains(&label.len()) && label.chars().all(|c| c.is_ascii_alphanumeric() || "_-:.".contains(c));
                against.unless(labels.iter().all(good), "invalid_field");
                labels.sort_unstable();
                labels.dedup();
                let external = &body["x_patchbay"]["external_id"];
                let external = if external.is_null() { before.map_or(&wire["name"], |row| &row.wire["x_patchbay"]["external_id"]) } else { external };
                against.unless(external.as_str().is_some_and(|text| !text.is_empty() && text.trim() == text), "invalid_field");
                against.unless(!taken("x_patchbay/external_id", external.as_str().unwrap_or_default()), "name_taken");
                let governed = self
                    .rows
                    .iter()
                    .filter(|row| row.is(Kind::Integration, Some(id)))
                    .all(|row| self.allowed(row.text("integration_point_id"), environment, row.text("provider_type")));
                against.unless(governed || before.is_some_and(|row| row.text("environment") == environment), "provider_not_allowed");
                (wire["environment"], wire["labels"], wire["x_patchbay"]) = (json!(environment), json!(labels), json!({ "external_id": external }));
                wire["organization_id"] = json!(self.organization);
            }
            Kind::Point => {
                against.unless(fresh || body["connector"] == wire["connector"], "invalid_field");
                let connector = body["connector"].as_str().unwrap_or_default();
                let known = |provider: &Value| provider == "*" || PROVIDERS.iter().any(|known| provider == known && known.starts_with(connector));
                let lists: Vec<&Value> = body["environments"].as_object().into_iter().flat_map(Map::values).collect();
                against.unless(lists.iter().all(|list| list.as_array().is_some_and(|list| list.iter().all(known))), "invalid_field");
                (wire["connector"], wire["environments"], wire["description"]) = (body["connector"].clone(), body["environments"].clone(), body["description"].clone());
            }
            Kind::Integration => self.configure(&mut wire, body, before, parent, &mut against),
            Kind::Credential => {
                let owner = self.rows.iter().find(|row| row.id == parent).map_or(Kind::Account, |row| row.kind);
                against.unless(!(fresh && owner == Kind::Integration), "invalid_field");
                let config = &body["config"];
                let needs: Option<&[&str]> = match config["type"].as_str().unwrap_or_default() {
                    "token" | "secret" => Some(&["secret"]),
                    "basic" => Some(&["username", "secret"]),
                    _ => None,
                };
                if fresh {
                    against.unless(needs.is_some_and(|needs| needs.iter().all(|field| config[*field].as_str().is_some_and(|text| !text.is_empty()))), "invalid_field");
                    wire["config"] = json!({ "type": config["type"] });
                    (wire["managed"], wire["owner_type"]) = (json!("Unmanaged"), json!(if owner == Kind::Point { "integration_point" } else { "account" }));
                    wire[if owner == Kind::Point { "integration_point_id" } else { "account_id" }] = json!(parent);
                } else {
                    against.unless(config.is_null() || config["type"] == wire["config"]["type"], "invalid_field");
                }
                let expires = body["expires"].as_str().and_then(|text| text.parse::<Timestamp>().ok());
                let kept = before.is_some_and(|row| row.wire["expires"] == json!(expires));
                against.unless(kept || expires.is_none_or(|expires| expires > self.now), "invalid_field");
                wire["expires"] = json!(expires);
            }
            Kind::Member => {
                let mut roles: Vec<&str> = Vec::new();
                for role in body["role_binding"].as_array().into_iter().flatten().filter_map(Value::as_str) {
                    against.unless(self.rows.iter().any(|row| row.is(Kind::Role, None) && row.text("name") == role), "invalid_field");
                    if !roles.contains(&role) {
                        roles.push(role);
                    }
                }
                let unsaid = !fresh && body["role_binding"].is_null();
                let roles = if unsaid {
                    wire["role_binding"].clone()
                } else if roles.is_empty() {
                    json!(["member"])
                } else {
                    json!(roles)
                };
                let root = |roles: &Value| roles.as_array().is_some_and(|roles| roles.contains(&json!("root_administrator")));
                // Nobody made here has a password, so the actor stays the only root administrator who can sign in.
                against.unless(id != self.actor || root(&roles), "in_use");
                wire["role_binding"] = roles;
                for member in ["nickname", "picture"] {
                    wire[member] = body[member].clone();
                }
                if fresh {
                    (wire["state"], wire["type"]) = (json!("invited"), body["type"].as_str().map_or(json!("personal"), Value::from));
                }
            }
            Kind::App => {
                against.unless(!fresh || body["provider"] == "identity_openid", "invalid_field");
                against.unless(body["client_id"].as_str().is_some_and(|id| !id.is_empty()), "invalid_field");
                let safe = |uri: &Value| uri.as_str().is_some_and(|uri| uri.starts_with("https://") || uri.starts_with("http://127.0.0.1"));
                against.unless(body["redirect_uris"].as_array().into_iter().flatten().all(safe), "invalid_field");
                for member in ["issuer", "client_id", "redirect_uris", "scopes"] {
                    wire[member] = body[member].clone();
                }
                if fresh {
                    wire["provider"] = body["provider"].clone();
                }
            }
            Kind::Webhook => {
                let environment = body["environment"].as_str().or(fresh.then_some("prod")).or(wire["environment"].as_str());
                let environment = against.field(environment.filter(|word| ["test", "prod"].contains(word)).map(str::to_owned));
                against.unless(body["filters"].as_array().is_some_and(|filters| !filters.is_empty()), "invalid_field");
                against.unless(body["url"].as_str().is_some_and(|url| url.starts_with("https://")), "invalid_field");
                (wire["environment"], wire["filters"], wire["url"]) = (json!(environment), body["filters"].clone(), body["url"].clone());
            }
            Kind::Role => {
                against.unless(permission_set(&body["permission_set"]), "invalid_field");
                for member in ["description", "permission_set"] {
                    wire[member] = body[member].clone();
                }
            }
            Kind::Token => {}
        }
        against.end().map(|()| wire)
    }

    /// An integration's provider, credential and point.
    fn configure(&self, wire: &mut Value, body: &Value, before: Option<&Row>, account: &str, against: &mut Against) {
        let config = &body["provider_config"];
        let provider = config["type"].as_str().unwrap_or_default();
        against.unless(before.is_none_or(|row| row.text("provider_type") == provider), "invalid_field");
        let credential = &config["credential"];
        let good = match (provider, credential["type"].as_str()) {
            ("ticketing_mock_ticketing", None) => credential.is_null(),
            ("ticketing_redmine", Some("token")) => credential["secret"].is_string(),
            ("ticketing_redmine", Some("token_id")) => {
                let value = credential["value"].as_str().unwrap_or_default();
                let by_name = self.find(Kind::Credential, Some(account), value);
                id_of(value).map_or(by_name, |id| self.find(Kind::Credential, None, &id)).is_some_and(|found| {
                    let found = &self.rows[found];
                    let within = [account, body["integration_point_id"].as_str().unwrap_or_default(), wire["id"].as_str().unwrap_or_default()].contains(&found.parent.as_str());
                    wire["provider_config"] = json!({ "type": provider, "url": config["url"], "credential": { "type": "token_id", "value": found.id } });
                    within && found.wire["config"]["type"] == "token"
                })
            }
            _ => false,
        };
        against.unless(good, "invalid_config");
        if wire["provider_config"].is_null() {
            wire["provider_config"] = config.clone();
        }
        let mut point = Value::Null;
        if let Some(text) = body["integration_point_id"].as_str().filter(|text| !text.is_empty()) {
            match self.find(Kind::Point, None, text) {
                None => against.unless(false, "invalid_field"),
                Some(row) => {
                    let row = &self.rows[row];
                    against.unless(row.text("connector") == "ticketing" || !PROVIDERS.contains(&provider), "invalid_field");
                    let environment = self.find(Kind::Account, None, account).map_or("", |row| self.rows[row].text("environment"));
                    against.unless(self.allowed(&row.id, environment, provider), "provider_not_allowed");
                    point = json!(row.id);
                }
            }
        }
        wire["integration_point_id"] = point;
        (wire["account_id"], wire["provider_type"], wire["category"]) = (json!(account), json!(provider), json!("ticketing"));
        if before.is_none() {
            wire["x_patchbay"] = json!({ "status": "active", "cause": null });
        }
    }

    /// Whether a point, where there is one, allows a provider: an environment that is left out or empty allows none.
    fn allowed(&self, point: &str, environment: &str, provider: &str) -> bool {
        let Some(row) = self.find(Kind::Point, None, point) else { return true };
        self.rows[row].wire["environments"][environment].as_array().is_some_and(|list| list.contains(&json!("*")) || list.contains(&json!(provider)))
    }

    fn update(&mut self, row: usize, body: &Value) -> Expected {
        let before = self.rows[row].clone();
        let wire = self.become_of(before.kind, &before.parent, body, Some(&before), &before.id)?;
        if before.kind == Kind::Role {
            // Members have it under its new name, those that may come back too.
            for roles in self.rows.iter_mut().filter(|row| row.kind == Kind::Member).filter_map(|row| row.wire["role_binding"].as_array_mut()) {
                roles.iter_mut().filter(|role| **role == before.wire["name"]).for_each(|role| *role = wire["name"].clone());
            }
        }
        self.rows[row].wire = wire;
        Ok(self.view(&self.rows[row]))
    }

    /// RFC 6902 over what a read shows, then the same as a change by the whole object.
    fn patch(&mut self, row: usize, operations: &Value) -> Expected {
        let before = self.rows[row].clone();
        for operation in operations.as_array().into_iter().flatten().filter(|_| before.kind == Kind::Credential) {
            let path = operation["path"].as_str().unwrap_or_default();
            if !["add", "remove", "replace"].contains(&operation["op"].as_str().unwrap_or_default()) || !["/name", "/fullname", "/expires"].contains(&path) {
                return Err(vec!["invalid_patch"]);
            }
        }
        let patch: json_patch::Patch = serde_json::from_value(operations.clone()).map_err(|_| vec!["invalid_patch"])?;
        let shown = shown_only(&before.wire);
        let mut after = shown.clone();
        json_patch::patch(&mut after, &patch).map_err(|_| vec!["invalid_patch"])?;
        let object = after.as_object().ok_or_else(|| vec!["invalid_patch"])?;
        let members = object.keys().chain(shown.as_object().into_iter().flat_map(Map::keys));
        if members.into_iter().any(|member| shown[member.as_str()] != after[member.as_str()] && !before.kind.writable().contains(&member.as_str())) {
            return Err(vec!["invalid_patch"]);
        }
        self.update(row, &after)
    }

    /// Takes an object with what is its own; what it takes can come back together.
    fn delete(&mut self, row: usize, deletion: Option<String>) -> Expected {
        let (kind, id) = (self.rows[row].kind, self.rows[row].id.clone());
        let used = kind == Kind::Point && self.rows.iter().any(|row| row.is(Kind::Integration, None) && row.text("integration_point_id") == id);
        // A webhook signs with its secret, so that goes with it alone.
        let signs = kind == Kind::Credential && self.rows.iter().any(|row| row.is(Kind::Webhook, None) && row.text("credential_id") == id);
        let bound = signs || kind == Kind::Role && self.bound(self.rows[row].text("name")).next().is_some();
        if used || bound || (kind == Kind::Member && id == self.actor) {
            return Err(vec!["in_use"]);
        }
        let mut taken = vec![id.clone()];
        // Parents stand before their children: an account's integrations are taken before the tokens of those.
        for child in [Kind::Integration, Kind::Credential, Kind::Token] {
            let own = self.rows.iter().filter(|row| {
                let of_member = kind == Kind::Member && child == Kind::Token && row.text("member_id") == id && row.text("owner_type") == "organization";
                row.is(child, None) && (taken.contains(&row.parent) || of_member)
            });
            let own: Vec<String> = own.map(|row| row.id.clone()).collect();
            taken.extend(own);
        }
        let deletion = deletion.unwrap_or_else(|| "for good".to_owned());
        for row in self.rows.iter_mut().filter(|row| row.gone.is_none() && taken.contains(&row.id)) {
            row.gone = Some(deletion.clone());
        }
        if kind == Kind::Token {
            self.end(&id, |_| true);
        } else {
            self.deletions.push(Deletion { id: deletion, at: self.now, object: (kind, id.clone()) });
        }
        if kind == Kind::Credential {
            self.missing(&id, true);
        }
        Ok(Value::Null)
    }

    /// Brings back all that one deletion took, or nothing.
    fn undo(&mut self, id: &str) -> Expected {
        let Some(number) = self.deletions.iter().position(|deletion| deletion.id == id) else { return Err(vec!["not_found"]) };
        let (at, (kind, object)) = (self.deletions[number].at, self.deletions[number].object.clone());
        if at.plus(std::time::Duration::from_secs(UNDO)) < self.now {
            return Err(vec!["update_conflict", "not_found"]);
        }
        let back = |row: &Row| row.gone.as_deref() == Some(id);
        let gone = |parent: &str| self.rows.iter().any(|row| row.id == parent && row.gone.is_some() && !back(row));
        let same = |a: &Value, b: &Value| !a.is_null() && a == b;
        let refused = self.rows.iter().filter(|row| back(row)).any(|row| {
            let orphan = [&row.parent, row.text("account_id"), row.text("integration_point_id"), row.text("member_id")].into_iter().any(gone);
            let taken = self.rows.iter().any(|other| {
                let external = |row: &Row| row.wire["x_patchbay"]["external_id"].clone();
                other.is(row.kind, Some(&row.parent)) && (same(&other.wire["name"], &row.wire["name"]) || same(&external(other), &external(row)))
            });
            // A role of that name which was made since then is another one.
            let role = |name: &Value| {
                self.rows.iter().any(|role| role.is(Kind::Role, None) && role.wire["name"] == *name && role.wire["created_at"].as_str() <= Some(at.to_string().as_str()))
            };
            let roles = row.wire["role_binding"].as_array().is_none_or(|roles| roles.iter().all(role));
            orphan || taken || !roles
        });
        if refused {
            return Err(vec!["update_conflict"]);
        }
        for row in self.rows.iter_mut().filter(|row| row.gone.as_deref() == Some(id)) {
            row.gone = None;
        }
        self.deletions.remove(number);
        if kind == Kind::Credential {
            self.missing(&object, false);
        }
        Ok(Value::Null)
    }

    /// Integrations whose configuration refers to a credential say so while it is gone.
    fn missing(&mut self, credential: &str, is: bool) {
        for row in self.rows.iter_mut().filter(|row| row.kind == Kind::Integration && row.wire["provider_config"]["credential"]["value"] == credential) {
            let (status, cause) = (row.wire["x_patchbay"]["status"].as_str().unwrap_or_default(), &row.wire["x_patchbay"]["cause"]);
            let to = match (is, status) {
                (true, "active" | "needs_attention") => json!({ "status": "needs_attention", "cause": CREDENTIAL_MISSING }),
                (false, "needs_attention") if cause == CREDENTIAL_MISSING => json!({ "status": "active", "cause": null }),
                _ => continue,
            };
            row.wire["x_patchbay"] = to;
            row.wire["updated_at"] = json!(self.now);
        }
    }

    fn turn(&mut self, row: usize, pause: bool) -> Expected {
        let credential = self.rows[row].wire["provider_config"]["credential"]["value"].as_str().unwrap_or_default().to_owned();
        let lost = !credential.is_empty() && self.find(Kind::Credential, None, &credential).is_none();
        let (now, wire) = (self.now, &mut self.rows[row].wire);
        let to = match (pause, wire["x_patchbay"]["status"].as_str()) {
            (true, Some("active" | "needs_attention")) => json!({ "status": "paused", "cause": null }),
            (false, Some("paused")) if lost => json!({ "status": "needs_attention", "cause": CREDENTIAL_MISSING }),
            (false, Some("paused")) => json!({ "status": "active", "cause": null }),
            _ => return Ok(wire.clone()),
        };
        (wire["x_patchbay"], wire["updated_at"]) = (to, json!(now));
        Ok(wire.clone())
    }

    /// A deletion, the last ones first; something else where there are fewer.
    pub(crate) fn deletion(&self, back: usize) -> String {
        self.deletions.iter().rev().nth(back).map_or_else(|| "0198c0de-0000-7000-8000-000000000000".to_owned(), |deletion| deletion.id.clone())
    }
}

/// Without members that are null: a read leaves those out.
fn shown_only(wire: &Value) -> Value {
    let Value::Object(members) = wire else { return wire.clone() };
    Value::Object(members.iter().filter(|(_, value)| !value.is_null()).map(|(name, value)| (name.clone(), shown_only(value))).collect())
}
