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

    /// One that takes client secrets in the form alone.
    pub(crate) fn start_posting() -> Self {
        Self::start_with("oidc", &[("PEER_POST", "1")])
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
        self.told("requests").await.into_iter().filter(|request| request["grant_type"] == grant_type).collect()
    }

    /// What it answered at its endpoint for `revocation` or `introspection`, its judge aside.
    pub(crate) async fn asked_at(&self, endpoint: &str) -> Vec<Value> {
        let judge = &self.facts["judge"]["client_id"];
        self.told("asked").await.into_iter().filter(|request| request["endpoint"] == endpoint && request["client_id"] != *judge).collect()
    }

    async fn told(&self, what: &str) -> Vec<Value> {
        let text = self.client.get(format!("{}/peer/{what}", self.issuer)).send().await.unwrap().text().await.unwrap();
        serde_json::from_str(&text).unwrap()
    }
}

/// Tokens that the provider gave, for whoever wants its own word on them.
pub(crate) struct Given {
    pub(crate) access: String,
    pub(crate) refresh: String,
}

/// What the provider itself says of a set of tokens.
#[derive(PartialEq, Eq, Debug)]
pub(crate) struct Word {
    /// Introspection says that the access token is active.
    pub(crate) access: bool,
    /// The same of the refresh token.
    pub(crate) refresh: bool,
    /// The status with which userinfo answers the access token.
    pub(crate) userinfo: u16,
}

/// All of it works, and nothing of it.
pub(crate) const ALIVE: Word = Word { access: true, refresh: true, userinfo: 200 };
pub(crate) const DEAD: Word = Word { access: false, refresh: false, userinfo: 401 };

/// The provider as a judge: asked by a client of the tests, past everything of ours.
impl Peer {
    /// The set that it gave last.
    pub(crate) async fn newest(&self) -> Given {
        let last = self.told("granted").await.pop().expect("somebody has agreed");
        let text = |name: &str| last[name].as_str().unwrap().to_owned();
        Given { access: text("access_token"), refresh: text("refresh_token") }
    }

    /// What it says of these tokens.
    pub(crate) async fn word(&self, given: &Given) -> Word {
        let judge = &self.facts["judge"];
        let mut active = Vec::new();
        for token in [&given.access, &given.refresh] {
            let said = self.form("/token/introspection", judge["client_id"].as_str().unwrap(), judge["client_secret"].as_str(), &[("token", token)]).await;
            active.push(said["active"].as_bool().unwrap_or_else(|| panic!("the judge is not told: {said}")));
        }
        let userinfo = self.client.get(format!("{}/me", self.issuer)).bearer_auth(&given.access).send().await.unwrap().status().as_u16();
        Word { access: active[0], refresh: active[1], userinfo }
    }

    /// What it answers to whoever wants new tokens for a refresh token: the error, or none.
    pub(crate) async fn refreshed(&self, given: &Given, (client_id, client_secret): (&str, Option<&str>)) -> Option<String> {
        let said = self.form("/token", client_id, client_secret, &[("grant_type", "refresh_token"), ("refresh_token", &given.refresh)]).await;
        said["error"].as_str().map(str::to_owned)
    }

    /// A form of a client, with its secret where this provider takes it.
    async fn form(&self, path: &str, client_id: &str, client_secret: Option<&str>, pairs: &[(&str, &str)]) -> Value {
        let request = self.client.post(format!("{}{path}", self.issuer));
        let in_form = self.facts["by_secret"] == "client_secret_post";
        let mut form = pairs.to_vec();
        let request = match client_secret {
            Some(secret) if !in_form => request.basic_auth(client_id, Some(secret)),
            secret => {
                form.push(("client_id", client_id));
                form.extend(secret.map(|secret| ("client_secret", secret)));
                request
            }
        };
        let text = request.form(&form).send().await.unwrap().text().await.unwrap();
        serde_json::from_str(&text).unwrap_or_else(|_| panic!("{path} answers {text}"))
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
