//! Drives steps to their end: against documents in memory, or against answers given in advance.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use patchbay_model::connector::ticketing::{TicketingAnswer, TicketingOperation};
use patchbay_model::{Clock, Context, Entropy, Problem, Timestamp};
use patchbay_providers::{AdapterContext, Catalog, LocalAnswer, LocalOp, ProviderRequest, ProviderResponse, Step};
use serde_json::{Map, Value};
use url::Url;

/// A clock that moves on by a second each time it is read, and bytes that count.
pub(crate) struct Fixed(AtomicU64);

impl Clock for Fixed {
    fn now(&self) -> Timestamp {
        let seconds = self.0.fetch_add(1, Ordering::Relaxed);
        Timestamp::from_unix_micros(1_790_000_000_000_000 + i64::try_from(seconds).unwrap() * 1_000_000).unwrap()
    }
}

impl Entropy for Fixed {
    fn fill(&self, bytes: &mut [u8]) {
        let n = self.0.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        bytes.fill(0);
        for (byte, n) in bytes.iter_mut().rev().zip(n.iter().rev()) {
            *byte = *n;
        }
    }
}

pub(crate) fn context(config: Value, base_url: Option<&str>) -> AdapterContext {
    let Value::Object(config) = config else { panic!("a configuration is an object") };
    AdapterContext {
        config,
        base_url: base_url.map(|url| Url::parse(url).unwrap()),
        credential: None,
        kept: BTreeMap::new(),
        located: BTreeMap::new(),
        context: Context::new(Arc::new(Fixed(AtomicU64::new(0))), Arc::new(Fixed(AtomicU64::new(1)))),
    }
}

/// Documents of one integration.
#[derive(Default)]
pub(crate) struct Documents(BTreeMap<(&'static str, String), Value>);

impl Documents {
    fn apply(&mut self, op: LocalOp) -> LocalAnswer {
        match op {
            LocalOp::Get { collection, id } => LocalAnswer::Document(self.0.get(&(collection, id)).cloned()),
            LocalOp::List { collection, after, prefix, limit } => LocalAnswer::Documents(
                self.0
                    .iter()
                    .filter(|((held, id), _)| *held == collection && after.as_ref().is_none_or(|after| id > after) && prefix.as_ref().is_none_or(|prefix| id.starts_with(prefix)))
                    .take(limit as usize)
                    .map(|((_, id), body)| (id.clone(), body.clone()))
                    .collect(),
            ),
            LocalOp::Put { collection, id, body } => {
                self.0.insert((collection, id), body);
                LocalAnswer::Stored
            }
            LocalOp::Remove { collection, id } => LocalAnswer::Removed(self.0.remove(&(collection, id)).is_some()),
        }
    }

    pub(crate) fn run<T>(&mut self, mut step: Step<T>) -> Result<T, Problem> {
        loop {
            step = match step {
                Step::Done(answer) => return Ok(answer),
                Step::Local { op, then } => then(self.apply(op))?,
                Step::Notice { next, .. } => *next,
                Step::Send { request, .. } => panic!("a local provider sends {} {}", request.method.as_str(), request.url),
            };
        }
    }
}

/// Drives an operation against a function that answers requests; gives every request that was sent.
pub(crate) fn exchange<T>(step: Result<Step<T>, Problem>, mut answer: impl FnMut(&ProviderRequest) -> ProviderResponse) -> (Result<T, Problem>, Vec<ProviderRequest>) {
    let mut sent = Vec::new();
    let mut step = match step {
        Ok(step) => step,
        Err(problem) => return (Err(problem), sent),
    };
    loop {
        let next = match step {
            Step::Done(value) => return (Ok(value), sent),
            Step::Local { .. } => panic!("a provider of the network asks for local documents"),
            Step::Notice { next, .. } => Ok(*next),
            Step::Send { request, then } => {
                assert!(sent.len() < 1000, "the operation does not end");
                let response = answer(&request);
                sent.push(*request);
                then(response)
            }
        };
        step = match next {
            Ok(step) => step,
            Err(problem) => return (Err(problem), sent),
        };
    }
}

pub(crate) fn start(provider: &str, operation: TicketingOperation, context: &AdapterContext) -> Result<Step<TicketingAnswer>, Problem> {
    static CATALOG: OnceLock<Catalog> = OnceLock::new();
    CATALOG.get_or_init(|| Catalog::builtin().unwrap()).find(provider).unwrap().ticketing(operation, context)
}

pub(crate) fn answer(status: u16, body: &Value) -> ProviderResponse {
    ProviderResponse { status, headers: vec![("Content-Type".to_owned(), "application/json".to_owned())], body: serde_json::to_vec(body).unwrap() }
}

pub(crate) fn object(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}
