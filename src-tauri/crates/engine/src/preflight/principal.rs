//! The key with which roles are assumed: AWS itself says whose it is (`GetCallerIdentity`), which every key may ask.

use chrono::DateTime;
use patchbay_model::consent::ProviderApp;
use patchbay_model::preflight::{AppCheck, CheckKind, CheckOutcome};
use patchbay_model::{Code, Problem, Timestamp};
use patchbay_providers::manifest::revoke::Seen;
use patchbay_providers::manifest::{At, Auth, Cause};
use patchbay_providers::{CredentialOption, Provider, ProviderResponse, sample_config_of};
use patchbay_store::ReadTx;
use serde_json::{Map, Value};

use super::{bad, place, unknown, unreached};
use crate::Engine;
use crate::auth::{AwsKeys, arn_of, ask_identity, error_of};
use crate::consent::explain::{Asked, explanation};
use crate::oauth::OAuthClient;

/// The way by which roles are assumed.
pub(super) fn way(provider: &Provider) -> Option<&CredentialOption> {
    provider.manifest().credential.iter().find(|way| matches!(way.auth, Auth::AwsRole { .. }))
}

/// Region and partition, as an integration has them, else as in the examples.
pub(super) async fn config(tx: &mut ReadTx, provider: &Provider, way: &CredentialOption) -> Result<Map<String, Value>, Problem> {
    let mut config = sample_config_of(provider.manifest(), way);
    let of_role = |config: &Map<String, Value>| {
        config.get("credential").and_then(|credential| credential.get("type")).and_then(Value::as_str).is_some_and(|word| word.strip_suffix("_id").unwrap_or(word) == way.word)
    };
    if let Some(known) = place::configs(tx, provider).await?.into_iter().find(of_role) {
        config.extend(known);
    }
    Ok(config)
}

/// What AWS says of the key of an app.
pub(super) async fn test(engine: &Engine, app: &ProviderApp, provider: &Provider, (way, config): (&CredentialOption, &Map<String, Value>), client: OAuthClient) -> Vec<AppCheck> {
    let now = engine.now();
    let check = |kind, outcome| AppCheck { kind, subject: String::new(), at: now, outcome };
    let asked = Asked { redirect_uri: "", scopes: &[], app };
    let Some(secret) = client.secret else {
        let words = "No secret access key is stored as the client secret, so no role can be assumed. Enter it.";
        return vec![check(CheckKind::Client, bad(explanation(&asked, provider, Cause::WrongSecret, Some(words), None)))];
    };
    let keys = AwsKeys { access_key_id: client.id, secret_access_key: secret, session: None };
    let answer = match ask_identity(engine, provider, way, config, app.id.uuid(), &keys).await {
        Ok(answer) => answer,
        Err(problem) => return vec![check(CheckKind::Reached, unreached(&asked, provider, &problem))],
    };
    if answer.status == 429 || answer.status >= 500 {
        let problem = Problem::new(Code::ProviderUnreachable, format!("AWS's token service is out of order (status {}). Try again later.", answer.status));
        return vec![check(CheckKind::Reached, unreached(&asked, provider, &problem))];
    }
    vec![check(CheckKind::Reached, CheckOutcome::Good), check(CheckKind::Client, judged(&asked, provider, &answer, now))]
}

/// What the answer tells of the key.
fn judged(asked: &Asked<'_>, provider: &Provider, answer: &ProviderResponse, now: Timestamp) -> CheckOutcome {
    if answer.ok() && arn_of(answer).is_some() {
        return CheckOutcome::Good;
    }
    let (code, says) = error_of(answer);
    if code.is_empty() {
        return unknown(&format!("Something answers at the address of AWS's token service, with status {} and nothing that AWS would say.", answer.status));
    }
    let told = |word: &str| provider.explain(At::Api, &Seen { code: Some(word), status: Some(403), ..Seen::default() }).map(|(cause, words)| (cause, words.to_owned()));
    let (cause, words) = match code.as_str() {
        "RequestExpired" | "RequestTimeTooSkewed" => clock(told("RequestTimeTooSkewed"), answer, now),
        // One word for both: only the sentence says that it was the time.
        "SignatureDoesNotMatch" if says.contains("expired") || says.contains("not yet current") => clock(told("RequestTimeTooSkewed"), answer, now),
        "InvalidClientTokenId" | "InvalidAccessKeyId" | "UnrecognizedClientException" => told("InvalidClientTokenId").unwrap_or((Cause::UnknownClient, String::new())),
        "SignatureDoesNotMatch" | "IncompleteSignature" => told("SignatureDoesNotMatch").unwrap_or((Cause::WrongSecret, String::new())),
        other => match told(other) {
            Some(found) => found,
            None => return unknown(&format!("AWS answers with `{}`, which does not tell whether the key is good.", crate::oauth::bounded(other))),
        },
    };
    bad(explanation(asked, provider, cause, Some(words.as_str()).filter(|words| !words.is_empty()), Some(says).filter(|says| !says.is_empty())))
}

/// A clock that is wrong, and by how much: an answer says when it was written.
fn clock(told: Option<(Cause, String)>, answer: &ProviderResponse, now: Timestamp) -> (Cause, String) {
    let words = told.map_or_else(|| "This computer's clock is wrong by more than AWS allows. Correct the clock.".to_owned(), |(_, words)| words);
    let theirs = answer.header("date").and_then(|date| DateTime::parse_from_rfc2822(date).ok()).and_then(|date| Timestamp::from_unix_micros(date.timestamp_micros()));
    let off = theirs.map(|theirs| (now.unix_micros() - theirs.unix_micros()) / 60_000_000).filter(|minutes| *minutes != 0);
    let words = match off {
        Some(minutes) => format!("{words} It is {} minutes {} AWS's.", minutes.abs(), if minutes > 0 { "ahead of" } else { "behind" }),
        None => words,
    };
    (Cause::ClockWrong, words)
}

#[cfg(test)]
mod tests;
