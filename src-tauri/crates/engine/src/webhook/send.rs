//! One attempt: the request to a receiver, and what its answer means.

use std::time::{Duration, Instant};

use bytes::Bytes;
use patchbay_model::credential::Credential;
use patchbay_model::webhook::{Attempt, Delivery, OrganizationWebhook};
use patchbay_model::{Entropy, Problem, Secret};
use patchbay_store::Outcome;
use patchbay_vault::webhook_signature;
use reqwest::StatusCode;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use serde_json::Value;
use url::Url;

use crate::Engine;
use crate::http::{HttpAnswer, HttpRequest, Limits, Mask, Repeat, retry_after};

/// How long a receiver has for one attempt, from the look-up of its name to the last byte of its answer.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);
/// Most bytes of an answer; more is taken for a receiver gone wrong.
const LARGEST_ANSWER: usize = 256 * 1024;
/// Bytes of an answer that are kept.
const KEPT: usize = 1024;
/// Waits between attempts; behind the last one a delivery is given up.
const WAITS: [Duration; 7] = [
    Duration::from_secs(10),
    Duration::from_secs(60),
    Duration::from_secs(5 * 60),
    Duration::from_secs(30 * 60),
    Duration::from_secs(2 * 3600),
    Duration::from_secs(6 * 3600),
    Duration::from_secs(12 * 3600),
];

/// The credential that signs, with its secret; or why there is none.
pub(super) type Signing = Result<(Credential, Secret), String>;

/// What is needed to send, read in one go with the claim.
pub(super) struct Parcel {
    /// The delivery as claimed.
    pub(super) delivery: Delivery,
    /// To whom.
    pub(super) webhook: OrganizationWebhook,
    /// The bytes.
    pub(super) payload: String,
    pub(super) signing: Signing,
    /// Whether it is a rehearsal, which is never repeated.
    pub(super) rehearsal: bool,
}

/// What an attempt came to.
struct Answered {
    status: Option<StatusCode>,
    error: Option<String>,
    response: Option<String>,
    asked_to_wait: Option<Duration>,
}

/// Sends a delivery once.
pub(super) async fn attempt(engine: &Engine, parcel: &Parcel) -> (Attempt, Outcome) {
    let began = Instant::now();
    let answered = match request(engine, parcel) {
        Ok(request) => exchange(engine, parcel, &request).await,
        Err(error) => Answered { status: None, error: Some(error), response: None, asked_to_wait: None },
    };
    let now = engine.now();
    let outcome = if answered.error.is_none() {
        Outcome::Delivered
    } else if parcel.rehearsal || answered.status == Some(StatusCode::GONE) {
        Outcome::GivenUp
    } else {
        match wait(parcel.delivery.attempts, answered.asked_to_wait, engine.context().entropy()) {
            Some(wait) => Outcome::Again(now.plus(wait)),
            None => Outcome::GivenUp,
        }
    };
    let attempt = Attempt {
        number: parcel.delivery.attempts,
        created_at: now,
        status: answered.status.map(|status| status.as_u16()),
        error: answered.error,
        response: answered.response,
        duration_ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
    };
    (attempt, outcome)
}

fn request(engine: &Engine, parcel: &Parcel) -> Result<HttpRequest, String> {
    let (credential, secret) = parcel.signing.as_ref().map_err(Clone::clone)?;
    if credential.expires.is_some_and(|expires| expires <= engine.now()) {
        return Err(format!("The secret `{}` has expired, so nothing is signed with it. Enter a new one.", credential.name));
    }
    let url: Url = parcel.webhook.url.parse().map_err(|_| "The URL of the webhook cannot be read. Correct it.".to_owned())?;
    let header = |value: &str| HeaderValue::from_str(value).map_err(|_| "A header cannot be written.".to_owned());
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert("x-synqly-signature", header(&webhook_signature(secret, parcel.payload.as_bytes()))?);
    headers.insert("x-patchbay-delivery", header(&parcel.delivery.id.to_string())?);
    headers.insert("x-patchbay-event", HeaderValue::from_static(parcel.delivery.event.as_str()));
    headers.insert("x-patchbay-attempt", HeaderValue::from(parcel.delivery.attempts));
    headers.insert("x-patchbay-timestamp", HeaderValue::from(engine.now().unix_millis() / 1000));
    if parcel.rehearsal {
        headers.insert("x-patchbay-test", HeaderValue::from_static("true"));
    }
    Ok(HttpRequest { method: reqwest::Method::POST, url, headers, body: Bytes::copy_from_slice(parcel.payload.as_bytes()), template: "organization webhook".into() })
}

async fn exchange(engine: &Engine, parcel: &Parcel, request: &HttpRequest) -> Answered {
    // The delivery has its own schedule: within an attempt only what certainly never left is sent again.
    let limits = Limits { deadline: Instant::now() + PATIENCE, max_bytes: LARGEST_ANSWER, repeat: Repeat::OnlyUnsent };
    let answer = match engine.http().send(request, limits, None, None).await {
        Ok(answer) => answer,
        Err(failure) => return Answered { status: None, error: Some(failure.to_string()), response: None, asked_to_wait: None },
    };
    let status = answer.status;
    let error = if status.is_success() {
        None
    } else if status.is_redirection() {
        Some(format!("The receiver answered {} and wants the event elsewhere; redirects are not followed. Give the webhook the new URL.", status.as_u16()))
    } else if status == StatusCode::GONE {
        Some("The receiver answered 410: it is gone for good, so that this event is not sent again.".to_owned())
    } else {
        Some(format!("The receiver answered {}.", status.as_u16()))
    };
    let asked_to_wait = retry_after(&answer.headers, engine.now()).filter(|_| matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE));
    Answered { status: Some(status), error, response: kept(&answer, parcel), asked_to_wait }
}

/// The beginning of an answer, readable, without the secret should the receiver know and tell it.
fn kept(answer: &HttpAnswer, parcel: &Parcel) -> Option<String> {
    let beginning = answer.body.get(..KEPT).unwrap_or(&answer.body);
    let mut text: String = String::from_utf8_lossy(beginning).chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect();
    if let Ok((_, secret)) = &parcel.signing {
        let mut mask = Mask::default();
        mask.cover(secret);
        text = mask.text(&text).into_owned();
    }
    (!text.is_empty()).then_some(text)
}

/// How long to wait behind attempt number `attempts`, a tenth more or less so that many deliveries do not come back in step;
/// none when it was the last. A receiver may ask for more, but not for less.
fn wait(attempts: u32, asked: Option<Duration>, entropy: &dyn Entropy) -> Option<Duration> {
    let planned = usize::try_from(attempts).ok().and_then(|attempts| attempts.checked_sub(1)).and_then(|place| WAITS.get(place)).copied()?;
    let mut random = [0; 4];
    entropy.fill(&mut random);
    let share = f64::from(u32::from_be_bytes(random)) / f64::from(u32::MAX);
    let jittered = planned.mul_f64(0.9 + 0.2 * share);
    Some(asked.map_or(jittered, |asked| asked.max(jittered)))
}

/// The secret of a signing credential, out of its plain text (see `crate::sealing`).
pub(super) fn secret_of(plain: &Secret) -> Result<Secret, Problem> {
    // Of the parser's words nothing is passed on: they could quote the value.
    let fields: Value = serde_json::from_str(plain.expose()).map_err(|_| Problem::internal("a sealed credential has another form than Patchbay writes"))?;
    match fields.get("secret").and_then(Value::as_str) {
        Some(secret) if !secret.is_empty() => Ok(Secret::new(secret)),
        _ => Err(Problem::internal("a webhook's credential holds no secret")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed(u8);
    impl Entropy for Fixed {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(self.0);
        }
    }

    #[test]
    fn waits_grow_and_end() {
        for (place, planned) in WAITS.iter().enumerate() {
            let number = u32::try_from(place).unwrap() + 1;
            let (least, most) = (wait(number, None, &Fixed(0)).unwrap(), wait(number, None, &Fixed(255)).unwrap());
            assert!(least >= planned.mul_f64(0.89) && most <= planned.mul_f64(1.11) && least < most, "{number}: {least:?} to {most:?}");
        }
        assert_eq!(wait(8, None, &Fixed(0)), None, "eight attempts are enough");
        assert_eq!(wait(1, Some(Duration::from_secs(600)), &Fixed(0)), Some(Duration::from_secs(600)), "a receiver may ask for more");
        assert!(wait(3, Some(Duration::ZERO), &Fixed(0)).unwrap() >= Duration::from_secs(270), "but not for less");
    }
}
