//! What a refusal of a token endpoint means: as the provider's manifest says, else as RFC 6749 section 5.2 does.

use patchbay_providers::Provider;
use patchbay_providers::manifest::{At, Cause, Seen};

use super::answer::Refusal;

/// What a refusal means, and the manifest's words on what to do, where it has some.
pub(crate) fn cause<'a>(provider: &'a Provider, refusal: &Refusal) -> (Cause, Option<&'a str>) {
    let seen = Seen { code: Some(&refusal.error), words: refusal.description.as_deref(), status: Some(refusal.status), ..Seen::default() };
    match provider.explain(At::Token, &seen) {
        Some((cause, words)) => (cause, Some(words)),
        None => (generic(&refusal.error), None),
    }
}

fn generic(error: &str) -> Cause {
    match error {
        "invalid_client" => Cause::WrongSecret,
        "unauthorized_client" => Cause::UnknownClient,
        "invalid_grant" | "invalid_refresh_token" | "token_revoked" | "token_expired" | "bad_refresh_token" => Cause::GrantEnded,
        "invalid_scope" => Cause::ScopeNotAllowed,
        "access_denied" => Cause::PersonRefused,
        "redirect_uri_mismatch" => Cause::RedirectMismatch,
        "slow_down" | "rate_limit_exceeded" => Cause::RateLimited,
        "server_error" | "temporarily_unavailable" => Cause::Outage,
        _ => Cause::Unknown,
    }
}
