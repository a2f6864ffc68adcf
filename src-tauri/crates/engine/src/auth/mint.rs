//! Logins that give a token: two-step session logins, installations of GitHub Apps.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use patchbay_model::{Code, Problem, Secret, Timestamp};
use patchbay_providers::ProviderResponse;
use patchbay_providers::manifest::answer::{ExpiryPlace, Keep};
use patchbay_providers::manifest::credential::{Mint, MintExpiry};
use patchbay_providers::manifest::{At, Cause, Slot};
use serde_json::Value;

use super::exchange::Asking;
use super::{MintKey, MintedToken, Unminted};
use crate::Engine;
use crate::call::opened::Opened;
use crate::http::{HttpRequest, Limits, Repeat};
use crate::oauth;

/// Longest token that is taken, and longest value that is kept beside it.
const LONGEST_TOKEN: usize = 64 * 1024;
const LONGEST_KEPT: usize = 4096;
/// How long a token lives of which nobody says it.
const USUAL: Duration = Duration::from_secs(3600);
/// How long the end of a session may take.
const FAREWELL: Duration = Duration::from_secs(4);
/// How many open sessions are remembered.
const REMEMBERED: usize = 4096;

/// Sessions that are open at providers, each with the request that ends it.
#[derive(Default)]
pub(crate) struct Sessions {
    open: Mutex<HashMap<MintKey, HttpRequest>>,
}

impl Sessions {
    /// Remembers a session, and gives the end of the one that it replaces.
    fn opened(&self, key: MintKey, end: HttpRequest) -> Option<HttpRequest> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.len() >= REMEMBERED && !open.contains_key(&key) {
            // They end by themselves.
            open.clear();
        }
        open.insert(key, end)
    }

    /// Ends every session that is open. Those that cannot be ended now end by themselves.
    pub(crate) async fn end_all(&self, engine: &Engine) {
        let open: Vec<HttpRequest> = self.open.lock().unwrap_or_else(PoisonError::into_inner).drain().map(|(_, end)| end).collect();
        let ends: Vec<_> = open
            .into_iter()
            .map(|end| {
                let engine = engine.clone();
                tokio::spawn(async move { bid_farewell(&engine, &end).await })
            })
            .collect();
        for end in ends {
            let _ = end.await;
        }
    }
}

/// Trouble with it is nobody's: a session ends by itself too.
async fn bid_farewell(engine: &Engine, end: &HttpRequest) {
    let limits = Limits { deadline: Instant::now() + FAREWELL, max_bytes: 1 << 20, repeat: Repeat::OnlyUnsent };
    if let Err(failure) = engine.http().send(end, limits, None, None).await {
        tracing::debug!(%failure, "a session at a provider could not be ended; it ends by itself");
    }
}

/// Logs in.
///
/// # Errors
/// The provider's refusal, or why it could not be asked.
pub(super) async fn log_in(asking: &Asking<'_>, mint: &Mint, key: MintKey) -> Result<MintedToken, Unminted> {
    let (engine, provider) = (asking.engine, asking.provider);
    let mut values = asking.values(None);
    if let Some(assertion) = &mint.assertion {
        let secret = match asking.opened {
            Opened::Client(client) => &client.secret,
            Opened::Single(secret) | Opened::Pair { secret, .. } => secret,
            _ => return Err(Problem::internal("an assertion is to be signed with something else than a key").into()),
        };
        let signed = oauth::written(engine.context(), provider.manifest(), assertion, &values, secret)?;
        values.set_secret(Slot::Assertion, signed);
    }
    let base = asking.base();
    // There is nothing yet that could go to the credential's place.
    let request = provider.request(&mint.request, base.as_ref(), &values)?.anonymous();
    let obtained = engine.now();
    let response = asking.send(&request).await?;
    let answer = match mint.token_header {
        // Then the body can be anything.
        Some(_) if response.ok() && mint.request.ok.is_none() => Value::Null,
        _ => provider.answer(&mint.request, &response, "login").map_err(|problem| refused(asking, &response, problem))?,
    };
    let in_header = mint.token_header.as_deref().and_then(|name| response.header(name));
    let token = in_header.or_else(|| mint.token.as_ref().and_then(|at| at.of(&answer)).and_then(Value::as_str)).map(str::trim);
    let token = token.filter(|token| !token.is_empty() && token.len() <= LONGEST_TOKEN && !token.chars().any(char::is_control)).ok_or_else(|| {
        Problem::new(Code::ProviderInvalidAnswer, format!("The answer of {} to the login has no token. Check that the configured address is that of its API.", provider.fullname()))
    })?;
    let mut minted = MintedToken { token: Secret::new(token), more: BTreeMap::new(), kept: BTreeMap::new(), obtained, expires: expires(&mint.expires, &answer, obtained) };
    keep(&mint.keep, &response, &answer, &mut minted);
    if let Some(end) = &mint.end {
        let end = provider.request(end, base.as_ref(), &asking.values(Some(&minted))).and_then(|end| asking.with_token(&end, &minted));
        match end {
            Ok(end) => {
                if let Some(before) = engine.outbound().sessions.opened(key, end) {
                    let engine = engine.clone();
                    tokio::spawn(async move {
                        let _held = engine.hold();
                        bid_farewell(&engine, &before).await;
                    });
                }
            }
            Err(problem) => tracing::warn!(provider = %provider.id(), %problem, "the request that ends a session cannot be made"),
        }
    }
    Ok(minted)
}

/// What a refusal means, and whether it is the credential that was refused.
fn refused(asking: &Asking<'_>, response: &ProviderResponse, mut problem: Problem) -> Unminted {
    let explained = asking.provider.explain_answer(At::Token, response).or_else(|| asking.provider.explain_answer(At::Api, response));
    let status = response.status;
    if let (Some((_, words)), Code::ProviderRefused) = (explained, problem.code) {
        words.clone_into(&mut problem.message);
    }
    let refused = match explained {
        Some((Cause::RateLimited | Cause::Outage | Cause::ClockWrong, _)) => false,
        Some(_) => problem.code == Code::ProviderRefused,
        // An answer that looks good and says that it is not is one too.
        None => matches!(status, 200..=299 | 400 | 401 | 403) && problem.code == Code::ProviderRefused,
    };
    Unminted { problem, refused }
}

fn expires(facts: &MintExpiry, answer: &Value, now: Timestamp) -> Timestamp {
    let told = facts.at.clone().zip(facts.unit).and_then(|(at, unit)| oauth::until(&ExpiryPlace { at, unit }, answer, now));
    told.unwrap_or_else(|| now.plus(facts.seconds.map_or(USUAL, Duration::from_secs)))
}

fn keep(places: &BTreeMap<String, Keep>, response: &ProviderResponse, answer: &Value, minted: &mut MintedToken) {
    for (name, place) in places {
        let in_body = place.at.as_ref().and_then(|at| at.of(answer)).and_then(|value| match value {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        });
        let in_header = || place.header.as_deref().and_then(|name| response.header(name)).map(str::to_owned);
        let found = in_body.or_else(in_header).filter(|text| !text.is_empty() && text.len() <= LONGEST_KEPT && !text.chars().any(char::is_control));
        // Where values are words that stand for something, another word stands for nothing.
        let Some(value) = found.and_then(|value| if place.means.is_empty() { Some(value) } else { place.means.get(&value).cloned() }) else { continue };
        if place.secret {
            minted.more.insert(name.clone(), Secret::new(value));
        } else {
            minted.kept.insert(name.clone(), value);
        }
    }
}
