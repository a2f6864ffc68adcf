//! A client that speaks by hand, so that nothing of the engine's is between the test and the wire.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use base64::Engine as _;
use patchbay_model::{Clock, Context, ProviderId, Timestamp};
use patchbay_providers::Catalog;
use patchbay_simulator::{SimAnswer, SimReply, SimRequest, Simulator};
use patchbay_vault::OsEntropy;
use serde_json::Value;
use sha2::{Digest, Sha256};
use url::Url;

/// A clock that stands still until it is moved.
pub(crate) struct Hands(AtomicI64);

impl Clock for Hands {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix_micros(self.0.load(Ordering::SeqCst)).unwrap()
    }
}

pub(crate) struct World {
    pub(crate) simulator: Simulator,
    clock: Arc<Hands>,
}

pub(crate) const REDIRECT: &str = "https://patchbay.sim.invalid/oauth/callback";
pub(crate) const VERIFIER: &str = "a-verifier-that-is-long-enough-for-rfc-7636-1234";

impl World {
    pub(crate) fn new(catalog: &Catalog) -> Self {
        let clock = Arc::new(Hands(AtomicI64::new(1_790_000_000_000_000)));
        Self { simulator: Simulator::new(catalog, Context::new(clock.clone(), Arc::new(OsEntropy))), clock }
    }

    pub(crate) fn advance(&self, seconds: i64) {
        self.clock.0.fetch_add(seconds * 1_000_000, Ordering::SeqCst);
    }

    pub(crate) fn ask(&self, request: &SimRequest) -> SimAnswer {
        match self.simulator.answer(request) {
            SimReply::Answer(answer) => answer,
            other => panic!("{other:?}"),
        }
    }

    /// A form with client id and secret in it.
    pub(crate) fn post(&self, provider: &str, url: &str, fields: &[(&str, &str)]) -> SimAnswer {
        let setup = self.simulator.setup(&id(provider)).unwrap();
        let mut all = fields.to_vec();
        all.extend([("client_id", setup.client_id.as_str()), ("client_secret", setup.client_secret.as_str())]);
        self.ask(&SimRequest::to("POST", &Url::parse(url).unwrap()).form(&all))
    }

    /// The same as JSON.
    pub(crate) fn post_json(&self, provider: &str, url: &str, fields: &[(&str, &str)]) -> SimAnswer {
        self.ask(&self.json(provider, url, fields))
    }

    /// A request with client id and secret in JSON.
    pub(crate) fn json(&self, provider: &str, url: &str, fields: &[(&str, &str)]) -> SimRequest {
        let setup = self.simulator.setup(&id(provider)).unwrap();
        let mut all: serde_json::Map<String, Value> = fields.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value))).collect();
        all.insert("client_id".to_owned(), setup.client_id.into());
        all.insert("client_secret".to_owned(), setup.client_secret.into());
        let mut request = SimRequest::to("POST", &Url::parse(url).unwrap()).with("content-type", "application/json");
        request.body = Value::Object(all).to_string().into_bytes();
        request
    }

    pub(crate) fn bearer(&self, url: &str, token: &str) -> SimAnswer {
        self.ask(&SimRequest::to("GET", &Url::parse(url).unwrap()).with("authorization", &format!("Bearer {token}")).with("accept", "application/json"))
    }
}

pub(crate) fn id(provider: &str) -> ProviderId {
    ProviderId::parse(provider).unwrap()
}

/// An authorization request.
pub(crate) fn authorize(world: &World, provider: &str, address: &str, params: &[(&str, &str)]) -> Url {
    let client = world.simulator.setup(&id(provider)).unwrap().client_id;
    let mut url = Url::parse(address).unwrap();
    url.query_pairs_mut()
        .append_pair("client_id", &client)
        .append_pair("response_type", "code")
        .append_pair("redirect_uri", REDIRECT)
        .append_pair("state", "s1")
        .extend_pairs(params);
    url
}

pub(crate) fn challenge() -> String {
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER.as_bytes()))
}

pub(crate) fn param(url: &Url, name: &str) -> Option<String> {
    url.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
}

pub(crate) fn text(value: &Value, pointer: &str) -> String {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("there is no {pointer} in {value}")).to_owned()
}
