//! Device authorization (RFC 8628): a person enters a code in any browser, and the provider is asked until they have answered.

use std::time::Duration;

use patchbay_model::{Code, Problem, Secret, Timestamp};
use patchbay_providers::manifest::Cause;
use serde_json::Value;
use url::Url;

use super::answer::{Answer, Refusal, bounded, read};
use super::authority::Authority;
use super::call::{Sent, send};
use super::client::OAuthClient;
use super::request::Prepared;
use super::tokens::NewTokens;
use crate::Engine;

/// Longest that a person is waited for, whatever the provider says.
const LONGEST: u64 = 1800;
/// What RFC 8628 section 3.2 says where the answer does not: so many seconds between two questions.
const INTERVAL: u64 = 5;
/// Most seconds between two questions.
const SLOWEST: u64 = 120;
/// Longest code that a person is asked to enter.
const LONGEST_CODE: usize = 64;

/// What a provider gave for a device.
pub(crate) struct DeviceGrant {
    /// By which the provider is asked.
    pub(crate) device_code: Secret,
    /// What the person enters.
    pub(crate) user_code: String,
    /// Where.
    pub(crate) verification_uri: Url,
    /// The same with the code in it.
    pub(crate) complete: Option<Url>,
    /// Until when.
    pub(crate) expires: Timestamp,
    /// Seconds between two questions.
    pub(crate) interval: u32,
}

/// What came of asking for the answer.
pub(crate) enum Polled {
    /// The person agreed.
    Granted(Box<NewTokens>),
    /// Nobody has answered yet.
    Pending,
    /// The same, and the provider wants to be asked less often.
    Slower,
    /// The provider could not be asked, or it is not known whether it was.
    Unknown(Problem),
    /// It is over.
    Refused(Refusal),
    /// It answered something of which nothing can be made, and has done its part.
    Nonsense(u16),
}

/// Asks for a code for a device.
///
/// # Errors
/// Why the provider gave none.
pub(crate) async fn device(engine: &Engine, authority: &Authority, client: &OAuthClient, scopes: &[String]) -> Result<DeviceGrant, Problem> {
    let plain = authority.device()?.scheme() == "http";
    let prepared = Prepared::device_begin(engine.context(), authority, client, scopes)?;
    let mask = prepared.mask();
    let answer = send(engine, prepared, engine.context().new_uuid()).await.answer()?;
    let said: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    if let Some(grant) = granted(&said, plain, engine.now()).filter(|_| answer.status.is_success()) {
        return Ok(grant);
    }
    let name = authority.provider.fullname();
    let status = answer.status.as_u16();
    let text = |name: &str| said.get(name).and_then(Value::as_str).filter(|text| !text.is_empty()).map(bounded);
    Err(mask.problem(match (text("error"), status) {
        (Some(error), _) => {
            let refusal = Refusal { error, description: text("error_description"), status };
            let (_, own) = super::cause(&authority.provider, &refusal);
            let words = refusal.description.map(|words| format!(": {words}")).unwrap_or_default();
            let step = own.unwrap_or("Allow the device flow for the client at the provider, or connect in another way.");
            Problem::new(Code::ProviderRefused, format!("{name} gives no code for a device (`{}`{words}). {step}", refusal.error))
        }
        (None, 429 | 500..) => Problem::new(Code::ProviderUnreachable, format!("{name} is out of order (status {status}). Try again later, or connect in another way.")),
        (None, _) => Problem::new(
            Code::ProviderInvalidAnswer,
            format!("{name} answers the request for a device's code with something that is neither a code nor an error (status {status}). Connect in another way."),
        ),
    }))
}

/// Reads the answer (RFC 8628 section 3.2). `plain` is whether the server itself does without TLS.
fn granted(said: &Value, plain: bool, now: Timestamp) -> Option<DeviceGrant> {
    let text = |name: &str| said.get(name).and_then(Value::as_str).filter(|text| !text.is_empty() && text.len() <= 4096 && !text.chars().any(char::is_control));
    let number = |name: &str| match said.get(name)? {
        Value::Number(number) => {
            number.as_u64().or_else(|| number.as_f64().filter(|number| *number >= 1.0).and_then(|number| Duration::try_from_secs_f64(number).ok()).map(|whole| whole.as_secs()))
        }
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    // A person opens it, and so may a system: nothing but a web address, and none without TLS where the provider has it.
    let address = |name: &str| text(name).and_then(|text| Url::parse(text).ok()).filter(|url| url.has_host() && (url.scheme() == "https" || (plain && url.scheme() == "http")));
    let user_code = text("user_code").filter(|code| code.chars().count() <= LONGEST_CODE)?.to_owned();
    let seconds = number("expires_in").filter(|seconds| *seconds > 0).unwrap_or(LONGEST).min(LONGEST);
    Some(DeviceGrant {
        device_code: Secret::new(text("device_code")?),
        user_code,
        // Google called it so before there was a standard.
        verification_uri: address("verification_uri").or_else(|| address("verification_url"))?,
        complete: address("verification_uri_complete"),
        expires: now.plus(Duration::from_secs(seconds)),
        interval: u32::try_from(number("interval").unwrap_or(INTERVAL).clamp(1, SLOWEST)).unwrap_or(5),
    })
}

/// Asks whether the person has answered.
///
/// # Errors
/// When no request could be made.
pub(crate) async fn poll(engine: &Engine, authority: &Authority, client: &OAuthClient, device_code: &Secret) -> Result<Polled, Problem> {
    let prepared = Prepared::device_poll(engine.context(), authority, client, device_code)?;
    let mask = prepared.mask();
    let answer = match send(engine, prepared, engine.context().new_uuid()).await {
        Sent::Answered(answer) => answer,
        Sent::Unsent(problem) | Sent::Lost(problem) => return Ok(Polled::Unknown(problem)),
    };
    let status = answer.status.as_u16();
    Ok(match read(&authority.server, status, &answer.headers, &answer.body, engine.now()) {
        Answer::Granted(new) => Polled::Granted(new),
        Answer::Refused(refusal) => match refusal.error.as_str() {
            "authorization_pending" => Polled::Pending,
            "slow_down" => Polled::Slower,
            error if matches!(super::cause(&authority.provider, &refusal).0, Cause::Outage | Cause::RateLimited) => {
                Polled::Unknown(Problem::new(Code::ProviderUnreachable, format!("{} is out of order (`{error}`).", authority.provider.fullname())))
            }
            _ => Polled::Refused(Refusal { description: refusal.description.map(|words| mask.text(&words).into_owned()), ..refusal }),
        },
        Answer::Nonsense if status == 429 || status >= 500 => {
            Polled::Unknown(Problem::new(Code::ProviderUnreachable, format!("{} is out of order (status {status}).", authority.provider.fullname())))
        }
        Answer::Nonsense => Polled::Nonsense(status),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_answer_for_a_device_is_read_leniently_and_leads_nowhere_bad() {
        let now: Timestamp = "2026-11-22T10:00:00Z".parse().unwrap();
        let whole = json!({
            "device_code": "dc", "user_code": "WDJB-MJHT", "verification_uri": "https://a.test/device", "verification_uri_complete": "https://a.test/device?user_code=WDJB-MJHT",
            "expires_in": "600", "interval": 7,
        });
        let read = granted(&whole, false, now).unwrap();
        assert_eq!((read.device_code.expose(), read.user_code.as_str(), read.interval, read.expires), ("dc", "WDJB-MJHT", 7, now.plus(Duration::from_secs(600))));
        assert_eq!(read.complete.unwrap().as_str(), "https://a.test/device?user_code=WDJB-MJHT");
        let old = json!({ "device_code": "dc", "user_code": "u", "verification_url": "https://a.test/device", "expires_in": 99_999_999, "interval": 0 });
        let read = granted(&old, false, now).unwrap();
        assert_eq!((read.verification_uri.as_str(), read.interval, read.expires), ("https://a.test/device", 1, now.plus(Duration::from_secs(1800))));
        for (name, bad) in [
            ("verification_uri", json!("javascript:alert(1)")),
            ("verification_uri", json!("http://a.test/device")),
            ("verification_uri", json!("file:///etc/passwd")),
            ("user_code", json!("x".repeat(65))),
            ("user_code", json!("a\u{0}b")),
            ("device_code", json!("")),
            ("device_code", json!(["dc"])),
        ] {
            let mut other = whole.clone();
            other[name] = bad.clone();
            assert!(granted(&other, false, now).is_none(), "{name}: {bad}");
        }
        let mut plain = whole;
        plain["verification_uri"] = json!("http://127.0.0.1:1/device");
        assert!(granted(&plain, true, now).is_some(), "a provider without TLS has pages without TLS");
    }
}
