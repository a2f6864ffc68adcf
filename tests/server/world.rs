//! A store in a temporary folder with one account, one integration on the mock provider, and every kind of secret.

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use patchbay_engine::Engine;
use patchbay_engine::installation::{self, Created, StoreUrl};
use patchbay_server::ServeOptions;
use patchbay_vault::{KeyAccess, KeySource, system_context};
use serde_json::{Value, json};
use tower::ServiceExt;

/// The address that browsers are at.
pub(crate) const ORIGIN: &str = "http://localhost:8080";
pub(crate) const PASSWORD: &str = "correct horse battery 7";

pub(crate) struct World {
    pub(crate) router: Router,
    pub(crate) organization: String,
    pub(crate) container: String,
    pub(crate) access: String,
    pub(crate) refresh: String,
    pub(crate) account: String,
    pub(crate) integration: String,
    pub(crate) integration_access: String,
    pub(crate) integration_refresh: String,
    pub(crate) integration_container: String,
    folder: tempfile::TempDir,
}

/// An answer as a program sees it.
pub(crate) struct Seen {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
    pub(crate) what: String,
}

impl Seen {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{}: {error}: {}", self.what, self.text))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    /// Demands this status.
    #[track_caller]
    pub(crate) fn status(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}: {}", self.what, self.text);
        self
    }

    /// Demands a Problem with this status and code, all of its required fields, and nothing but JSON.
    #[track_caller]
    pub(crate) fn problem(self, status: u16, code: &str) -> Value {
        let seen = self.status(status);
        assert_eq!(seen.header("content-type"), "application/problem+json", "{}", seen.what);
        let problem = seen.json();
        assert_eq!(problem["code"], code, "{}: {problem}", seen.what);
        assert_eq!(problem["status"], status, "{}: {problem}", seen.what);
        assert_eq!(problem["type"], format!("urn:patchbay:problem:{code}"));
        assert_eq!(problem["instance"], format!("urn:uuid:{}", seen.header("x-request-id")), "the log and the problem have one id");
        for field in ["message", "title"] {
            assert!(problem[field].as_str().is_some_and(|text| text.len() > 3), "{}: {field} is missing in {problem}", seen.what);
        }
        problem["occurred_at"].as_str().unwrap().parse::<patchbay_model::Timestamp>().unwrap();
        problem
    }

    pub(crate) fn result(self) -> Value {
        assert!((200..300).contains(&self.status), "{}: {} {}", self.what, self.status, self.text);
        self.json()["result"].clone()
    }
}

/// A request in the making.
pub(crate) struct Ask<'a> {
    world: &'a World,
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Option<Vec<u8>>,
}

impl<'a> Ask<'a> {
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn bearer(self, secret: &str) -> Self {
        self.header("authorization", &format!("Bearer {secret}"))
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        self.raw(body.to_string().into_bytes(), "application/json")
    }

    pub(crate) fn raw(mut self, body: impl Into<Vec<u8>>, kind: &str) -> Self {
        let body = body.into();
        self = self.header("content-length", &body.len().to_string()).header("content-type", kind);
        self.body = Some(body);
        self
    }

    pub(crate) async fn response(self) -> axum::response::Response {
        let mut request = Request::builder().method(self.method.as_str()).uri(&self.path);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let request = request.body(self.body.map_or_else(Body::empty, Body::from)).unwrap();
        self.world.router.clone().oneshot(request).await.unwrap()
    }

    pub(crate) async fn send(self) -> Seen {
        let what = format!("{} {}", self.method, self.path);
        let response = self.response().await;
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = axum::body::to_bytes(response.into_body(), 64 << 20).await.unwrap();
        if status == StatusCode::NO_CONTENT {
            assert!(bytes.is_empty(), "{what}: a 204 has no body");
        }
        Seen { status: status.as_u16(), headers, text: String::from_utf8_lossy(&bytes).into_owned(), what }
    }
}

impl World {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = StoreUrl::Sqlite(folder.path().join("store.db"));
        let keys = KeyAccess::from(KeySource::File(folder.path().join("key")));
        let (engine, created) = installation::create(&store, &keys, "Acme", system_context()).await.unwrap();
        Self::of(engine, created, folder).await
    }

    /// The same on an engine that was opened elsewhere.
    pub(crate) async fn of(engine: Engine, created: Created, folder: tempfile::TempDir) -> Self {
        let pair = created.token.primary.unwrap();
        let options = ServeOptions { public_url: Some(ORIGIN.parse().unwrap()), ..ServeOptions::local("127.0.0.1:8080".parse().unwrap()) };
        let mut world = Self {
            router: patchbay_server::router(engine, &options),
            organization: created.organization.id.to_string(),
            container: created.token.container.id.to_string(),
            access: pair.access.secret.unwrap().expose().to_owned(),
            refresh: pair.refresh.unwrap().secret.unwrap().expose().to_owned(),
            account: String::new(),
            integration: String::new(),
            integration_access: String::new(),
            integration_refresh: String::new(),
            integration_container: String::new(),
            folder,
        };
        let made = world.api("POST", "/v1/accounts", Some(&json!({"name": "alpha"}))).await.status(201).result();
        world.account = text(&made["account"]["id"]);
        let made = world.mock("tickets").await;
        world.integration = text(&made["integration"]["id"]);
        world.integration_container = text(&made["integration"]["refresh_token_id"]);
        world.integration_access = text(&made["token"]["access"]["secret"]);
        world.integration_refresh = text(&made["token"]["refresh"]["secret"]);
        world
    }

    /// Adds an organization to the store and gives its administrator's token.
    pub(crate) async fn second_organization(&self, name: &str) -> String {
        let store = StoreUrl::Sqlite(self.folder.path().join("store.db"));
        let keys = KeyAccess::from(KeySource::File(self.folder.path().join("key")));
        let (engine, created) = installation::create(&store, &keys, name, system_context()).await.unwrap();
        engine.shutdown().await;
        created.token.primary.unwrap().access.secret.unwrap().expose().to_owned()
    }

    /// Makes an integration on the mock provider.
    pub(crate) async fn mock(&self, name: &str) -> Value {
        let body = json!({"name": name, "provider_config": {"type": "ticketing_mock_ticketing"}});
        self.api("POST", &format!("/v1/integrations/{}", self.account), Some(&body)).await.status(201).result()
    }

    pub(crate) fn ask(&self, method: &str, path: &str) -> Ask<'_> {
        Ask { world: self, method: method.to_owned(), path: path.to_owned(), headers: Vec::new(), body: None }
    }

    /// A request with the administrator's token.
    pub(crate) async fn api(&self, method: &str, path: &str, body: Option<&Value>) -> Seen {
        let ask = self.ask(method, path).bearer(&self.access);
        match body {
            Some(body) => ask.json(body),
            None => ask,
        }
        .send()
        .await
    }

    /// Signs a browser in and gives its cookie.
    pub(crate) async fn sign_in(&self, how: &Value) -> String {
        let seen = self.ask("POST", "/session").header("origin", ORIGIN).json(how).send().await.status(200);
        seen.header("set-cookie").split(';').next().unwrap().to_owned()
    }

    pub(crate) async fn rpc(&self, cookie: &str, command: &str, params: Value) -> Seen {
        self.ask("POST", "/rpc").header("cookie", cookie).header("origin", ORIGIN).json(&json!({"command": command, "params": params})).send().await
    }

    /// An organization token with this permission set.
    pub(crate) async fn token(&self, permission_set: &str) -> String {
        let body = json!({"permission_set": permission_set, "resources": {"accounts": {"ids": ["*"]}}, "token_ttl": "1h"});
        text(&self.api("POST", "/v1/tokens", Some(&body)).await.status(201).result()["primary"]["access"]["secret"])
    }

    /// A path of the table with its parameters filled: with what exists where it is known, else with a made-up id.
    pub(crate) fn fill(&self, path: &str) -> String {
        const NOBODY: &str = "0198c0de-0000-7000-8000-000000000000";
        path.split('/')
            .map(|segment| match segment {
                "{organization_id}" => &self.organization,
                "{account_id}" | "{owner_id}" => &self.account,
                "{integration_id}" => &self.integration,
                "{provider_id}" => "ticketing_mock_ticketing",
                "{*rest}" => "users",
                other if other.starts_with('{') => NOBODY,
                other => other,
            })
            .collect::<Vec<_>>()
            .join("/")
    }
}

#[track_caller]
pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}
