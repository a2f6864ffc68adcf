//! Answers that no honest provider gives: nothing may panic, hang or grow without bound.
//!
//! Each round is made of a seed, which a failure prints; `PATCHBAY_SEED=n` runs that round alone, `PATCHBAY_ROUNDS=n` more of
//! them.

use std::panic::{AssertUnwindSafe, catch_unwind};

use patchbay_model::connector::ticketing::TicketingOperation as Op;
use patchbay_providers::{AdapterContext, Catalog, ProviderRequest, ProviderResponse};
use serde_json::{Value, json};

use crate::drive::{context, exchange, start};
use crate::{jira, redmine};

/// A small generator (xorshift64*), so that a round can be had again.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.next() % n as u64).unwrap()
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    /// Something that should not stand there.
    fn nonsense(&mut self) -> Value {
        match self.below(14) {
            0 => Value::Null,
            1 => json!(true),
            2 => json!(-1),
            3 => json!(u64::MAX),
            4 => json!(1e308),
            5 => json!(""),
            6 => json!("\u{0}\u{202e}\u{feff}\n\"\\"),
            7 => json!("../../x?y#z"),
            8 => json!("x".repeat(70_000)),
            9 => json!([]),
            10 => json!({}),
            11 => json!([[[[{ "id": [null] }]]]]),
            12 => json!({ "id": { "name": [] }, "type": 5, "content": "x" }),
            _ => json!("9999-12-31T23:59:60.999999999+99:99"),
        }
    }

    /// Changes a value here and there.
    fn spoil(&mut self, value: &mut Value) {
        if self.one_in(12) {
            *value = self.nonsense();
            return;
        }
        match value {
            Value::Array(list) => {
                if self.one_in(8) && !list.is_empty() {
                    let copy = list[self.below(list.len())].clone();
                    for _ in 0..self.below(50) {
                        list.push(copy.clone());
                    }
                }
                list.iter_mut().for_each(|value| self.spoil(value));
            }
            Value::Object(members) => {
                let names: Vec<String> = members.keys().cloned().collect();
                for name in names {
                    match self.below(30) {
                        0 => {
                            members.remove(&name);
                        }
                        1 => {
                            let nonsense = self.nonsense();
                            members.insert(name, nonsense);
                        }
                        _ => self.spoil(&mut members[&name]),
                    }
                }
            }
            _ => {}
        }
    }

    fn answer(&mut self, honest: ProviderResponse) -> ProviderResponse {
        let mut answer = honest;
        if self.one_in(3) {
            return answer;
        }
        if let Ok(mut body) = serde_json::from_slice::<Value>(&answer.body) {
            self.spoil(&mut body);
            answer.body = serde_json::to_vec(&body).unwrap();
        }
        if self.one_in(10) {
            answer.status = [200, 201, 204, 301, 400, 401, 403, 404, 409, 418, 422, 429, 500, 503, 599, 0][self.below(16)];
        }
        if self.one_in(10) {
            // Bytes that are no JSON, or no text.
            for _ in 0..=self.below(20) {
                if !answer.body.is_empty() {
                    let at = self.below(answer.body.len());
                    answer.body[at] = u8::try_from(self.below(256)).unwrap();
                }
            }
        }
        if self.one_in(20) {
            let keep = self.below(answer.body.len() + 1);
            answer.body.truncate(keep);
        }
        if self.one_in(20) {
            answer.headers.push(("Retry-After".into(), ["-1", "99999999999999999999", "Wed, 21 Oct 2026 07:28:00 GMT", "\u{fffd}"][self.below(4)].into()));
        }
        answer
    }
}

fn rounds(default: u64) -> Vec<u64> {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    match number("PATCHBAY_SEED") {
        Some(seed) => vec![seed],
        None => (1..=number("PATCHBAY_ROUNDS").unwrap_or(default)).collect(),
    }
}

fn storm(provider: &str, site: &AdapterContext, operations: &[Op], honest: fn(&ProviderRequest) -> ProviderResponse) {
    for seed in rounds(120) {
        let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        for operation in operations {
            let result = catch_unwind(AssertUnwindSafe(|| {
                let (result, sent) = exchange(start(provider, operation.clone(), site), |request| {
                    // A spoiled answer may lead to requests that the honest site does not know.
                    let known = catch_unwind(AssertUnwindSafe(|| honest(request))).unwrap_or(ProviderResponse { status: 404, headers: vec![], body: vec![] });
                    random.answer(known)
                });
                for request in &sent {
                    let (url, base) = (request.url.as_str(), site.base_url.as_ref().unwrap().as_str());
                    assert!(url.starts_with(base), "{url} is not below {base}");
                }
                if let Err(problem) = result {
                    assert!(problem.message.len() < 8_000, "a problem of {} bytes", problem.message.len());
                }
            }));
            assert!(result.is_ok(), "seed {seed}: {operation:?} fails on a hostile answer; run again with PATCHBAY_SEED={seed}");
        }
    }
}

#[test]
fn jira_bears_hostile_answers() {
    storm("ticketing_jira", &jira::site(), &jira::everything(), jira::recorded);
}

#[test]
fn redmine_bears_hostile_answers() {
    storm("ticketing_redmine", &redmine::site(), &redmine::everything(), redmine::recorded);
}

#[test]
fn openid_bears_hostile_answers() {
    let catalog = Catalog::builtin().unwrap();
    let provider = catalog.find("identity_openid").unwrap();
    let site = context(json!({ "issuer": "https://login.example.com" }), Some("https://login.example.com"));
    for seed in rounds(500) {
        let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        let (_, sent) = exchange(provider.probe(&site), |request| random.answer(crate::openid::honest(request)));
        for request in sent {
            assert_eq!(request.url.scheme(), "https", "seed {seed}: a credential would go in clear");
        }
    }
}
