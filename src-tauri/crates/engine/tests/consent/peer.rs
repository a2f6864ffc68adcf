//! The authorization server, as a process of its own.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};

use serde_json::{Value, json};

/// A running authorization server. It ends when this is dropped, and when the test program dies.
pub(crate) struct Peer {
    child: Child,
    _alive: ChildStdin,
    pub(crate) issuer: String,
    facts: Value,
    client: reqwest::Client,
}

impl Peer {
    pub(crate) fn start() -> Self {
        Self::start_with("oidc", &[])
    }

    /// One whose answers can be spoiled: `oauth2-mock-server`.
    pub(crate) fn forging() -> Self {
        Self::start_with("forged", &[])
    }

    /// One that takes pushed authorization requests.
    pub(crate) fn start_pushed() -> Self {
        Self::start_with("oidc", &[("PEER_PUSHED", "1")])
    }

    fn start_with(script: &str, environment: &[(&str, &str)]) -> Self {
        let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../tests");
        assert!(
            ["oidc-provider", "oauth2-mock-server"].iter().all(|name| tests.join("node_modules").join(name).exists()),
            "the peers of the tests are not installed: run `npm ci` in {}",
            tests.display()
        );
        let mut child = Command::new("node")
            .arg(tests.join(format!("peers/{script}.mjs")))
            .arg("--stdin")
            .envs(environment.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("node starts");
        let alive = child.stdin.take().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let facts: Value = serde_json::from_str(&line).expect("the peer tells where it listens");
        let _ = rustls::crypto::ring::default_provider().install_default();
        Self { child, _alive: alive, issuer: facts["issuer"].as_str().unwrap().to_owned(), facts, client: reqwest::Client::builder().no_proxy().build().unwrap() }
    }

    pub(crate) fn public_client(&self) -> &str {
        self.facts["client_id"].as_str().unwrap()
    }

    /// Client id and client secret.
    pub(crate) fn confidential_client(&self) -> (&str, &str) {
        let client = &self.facts["confidential"];
        (client["client_id"].as_str().unwrap(), client["client_secret"].as_str().unwrap())
    }

    /// The id of a public client whose requests must be pushed.
    pub(crate) fn pushing_client(&self) -> &str {
        self.facts["pushing"].as_str().unwrap()
    }

    /// The id of a public client for devices.
    pub(crate) fn device_client(&self) -> &str {
        self.facts["device"].as_str().unwrap()
    }

    /// Client id and client secret of a client that speaks for itself.
    pub(crate) fn service_client(&self) -> (&str, &str) {
        let client = &self.facts["service"];
        (client["client_id"].as_str().unwrap(), client["client_secret"].as_str().unwrap())
    }

    /// Client id and private key (ES256) of one that signs what it says.
    pub(crate) fn assertion_client(&self) -> (&str, &str) {
        let client = &self.facts["assertion"];
        (client["client_id"].as_str().unwrap(), client["private_key"].as_str().unwrap())
    }

    /// The id of a public client that may ask for `openid` and `offline_access` alone.
    pub(crate) fn narrow_client(&self) -> &str {
        self.facts["narrow"].as_str().unwrap()
    }

    /// Client id and private key of a client that signs with this algorithm.
    pub(crate) fn signing_client(&self, algorithm: &str) -> (&str, &str) {
        let client = &self.facts["signing"][algorithm];
        (client["client_id"].as_str().unwrap(), client["private_key"].as_str().unwrap())
    }

    pub(crate) fn password(&self) -> &str {
        self.facts["users"][0]["password"].as_str().unwrap()
    }

    pub(crate) async fn set(&self, settings: Value) {
        self.post("settings", settings).await;
    }

    /// Every grant dies at once.
    pub(crate) async fn revoke(&self) {
        self.post("revoke", json!({})).await;
    }

    /// Every token that a client got for itself is good no more.
    pub(crate) async fn forget(&self) {
        self.post("forget", json!({})).await;
    }

    pub(crate) async fn post(&self, what: &str, body: Value) {
        let answer = self.client.post(format!("{}/peer/{what}", self.issuer)).body(body.to_string()).send().await.unwrap();
        assert!(answer.status().is_success(), "{what}: {}", answer.status());
    }

    /// Every code and token that passed.
    pub(crate) async fn issued(&self) -> Vec<String> {
        let text = self.client.get(format!("{}/peer/issued", self.issuer)).send().await.unwrap().text().await.unwrap();
        serde_json::from_str(&text).unwrap()
    }

    /// What the token endpoint answered to refreshes.
    pub(crate) async fn refreshes(&self) -> Vec<Value> {
        self.asked("refresh_token").await
    }

    /// What the token endpoint answered to requests of this grant.
    pub(crate) async fn asked(&self, grant_type: &str) -> Vec<Value> {
        let text = self.client.get(format!("{}/peer/requests", self.issuer)).send().await.unwrap().text().await.unwrap();
        let all: Vec<Value> = serde_json::from_str(&text).unwrap();
        all.into_iter().filter(|request| request["grant_type"] == grant_type).collect()
    }
}

impl Peer {
    /// Ends it: nobody listens any more.
    pub(crate) fn stop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.stop();
    }
}
