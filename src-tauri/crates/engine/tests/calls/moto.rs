//! AWS as moto plays it, with signatures and policies checked: a judge that is not ours.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};

use serde_json::{Value, json};

/// A running moto. It ends when this is dropped, and when the test program dies.
pub(crate) struct Moto {
    child: Child,
    _alive: ChildStdin,
    facts: Value,
    client: reqwest::Client,
}

impl Moto {
    pub(crate) fn start() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..");
        let python = root.join(".cache/venv/bin/python");
        assert!(python.exists(), "the Python packages of the tests are not installed: run tests/run/setup.sh test in {}", root.display());
        let mut child = Command::new(python)
            .arg(root.join("tests/peers/aws.py"))
            .arg("--stdin")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("python starts");
        let alive = child.stdin.take().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let facts: Value = serde_json::from_str(&line).expect("moto tells where it listens: the packages of tests/peers/requirements.txt are installed");
        let _ = rustls::crypto::ring::default_provider().install_default();
        Self { child, _alive: alive, facts, client: reqwest::Client::builder().no_proxy().build().unwrap() }
    }

    /// A fact by its name.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.facts[name].as_str().unwrap()
    }

    /// The key of the user that may use queue and bucket, as a credential.
    pub(crate) fn key(&self) -> Value {
        let mut key = self.facts["key"].clone();
        key["type"] = "aws".into();
        key
    }

    /// Id and secret of the principal that may assume the role.
    pub(crate) fn principal(&self) -> (&str, &str) {
        let principal = &self.facts["principal"];
        (principal["access_key_id"].as_str().unwrap(), principal["secret_access_key"].as_str().unwrap())
    }

    /// The role with an external id, as a credential.
    pub(crate) fn role(&self, external_id: &str) -> Value {
        json!({ "type": "aws_role", "role_arn": self.text("role"), "external_id": external_id, "duration": "15m" })
    }

    /// Changes the external id that the role's trust policy demands.
    pub(crate) async fn trust(&self, external_id: &str) {
        self.post("trust", json!({ "external_id": external_id })).await;
    }

    /// Makes this the trust policy of the role.
    pub(crate) async fn paste(&self, policy: &str) {
        self.post("trust", json!({ "policy": policy })).await;
    }

    /// Deletes the user's key.
    pub(crate) async fn end_key(&self) {
        self.post("end", json!({})).await;
    }

    async fn post(&self, what: &str, body: Value) {
        let answer = self.client.post(format!("{}/{what}", self.text("control"))).body(body.to_string()).send().await.unwrap();
        assert!(answer.status().is_success(), "{what}: {}", answer.status());
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
