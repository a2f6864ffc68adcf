//! What an answer to a refresh means for the tokens that we have.

use patchbay_model::{Code, Problem, Timestamp};
use patchbay_providers::manifest::Cause;
use patchbay_providers::{Provider, Server};

use crate::oauth::{Answer, NewTokens, Refusal, Sent, cause, read};

/// What came of a request.
pub(super) enum Outcome {
    /// New tokens.
    Granted(Box<NewTokens>),
    /// The refresh token is dead.
    Dead,
    /// The provider does not take the client; the tokens may be as good as ever.
    ClientRefused(Problem),
    /// The provider certainly changed nothing.
    Unchanged(Problem),
    /// The provider may have given new tokens that we did not get.
    Lost(Problem),
}

/// Judges an answer, or its absence.
pub(super) fn of(provider: &Provider, server: &Server, sent: Sent, now: Timestamp) -> Outcome {
    let answer = match sent {
        Sent::Answered(answer) => answer,
        Sent::Unsent(problem) => return Outcome::Unchanged(problem),
        Sent::Lost(problem) => return Outcome::Lost(problem),
    };
    let status = answer.status.as_u16();
    match read(server, status, &answer.headers, &answer.body, now) {
        Answer::Granted(new) => Outcome::Granted(new),
        Answer::Refused(refusal) => refused(provider, &refusal),
        Answer::Nonsense => {
            let problem = Problem::new(Code::ProviderUnreachable, format!("The provider's token endpoint is out of order (status {status}). Try again later."));
            // These two are said by whatever stands in front of the provider, before it has done anything.
            if matches!(status, 429 | 503) || (300..500).contains(&status) { Outcome::Unchanged(problem) } else { Outcome::Lost(problem) }
        }
    }
}

/// What a refusal leaves of the tokens, by what the manifest says of it.
fn refused(provider: &Provider, refusal: &Refusal) -> Outcome {
    let (cause, own) = cause(provider, refusal);
    match cause {
        Cause::TokenSpent | Cause::GrantEnded => return Outcome::Dead,
        // Whatever lies behind it: RFC 6749 section 5.2 has this word for a token that is of no more use.
        Cause::Unknown | Cause::PersonRefused | Cause::PersonNotAllowed | Cause::AdminConsentNeeded | Cause::UnknownClient
            if refusal.error == "invalid_grant" || speaks_of_token(refusal) =>
        {
            return Outcome::Dead;
        }
        _ => {}
    }
    let says = refusal.description.as_deref().map(|words| format!(" It says: {words}")).unwrap_or_default();
    let step = own.unwrap_or(match cause {
        Cause::WrongSecret | Cause::UnknownClient => "Correct client id and client secret of the provider app.",
        Cause::ScopeUnknown | Cause::ScopeNotAllowed => "Correct the scopes of the provider app, then connect again.",
        _ => "Try again; if it stays so, connect again.",
    });
    let mut problem = Problem::new(Code::ProviderRefused, format!("The provider does not renew the access (`{}`).{says} {step}", refusal.error));
    problem.context.provider_details.insert("status".to_owned(), refusal.status.into());
    match cause {
        Cause::WrongSecret => Outcome::ClientRefused(problem),
        // It may have done its work all the same.
        _ if refusal.status >= 500 => Outcome::Lost(problem),
        _ => Outcome::Unchanged(problem),
    }
}

/// Some say it in other words, but always speak of the token.
fn speaks_of_token(refusal: &Refusal) -> bool {
    let words = refusal.description.as_deref().unwrap_or_default().to_ascii_lowercase();
    matches!(refusal.error.as_str(), "unauthorized_client" | "invalid_request" | "access_denied") && (words.contains("refresh_token") || words.contains("refresh token"))
}

#[cfg(test)]
mod tests {
    use reqwest::StatusCode;
    use reqwest::header::HeaderMap;

    use patchbay_providers::Catalog;
    use serde_json::json;

    use super::*;
    use crate::http::HttpAnswer;

    fn judged(status: u16, body: &'static str) -> &'static str {
        judged_at("identity_openid", status, body)
    }

    fn judged_at(provider: &str, status: u16, body: &'static str) -> &'static str {
        let catalog = Catalog::builtin().unwrap();
        let provider = catalog.find(provider).unwrap();
        let answer = HttpAnswer { status: StatusCode::from_u16(status).unwrap(), headers: HeaderMap::new(), body: body.into() };
        match of(provider, &crate::oauth::sample(json!({})), Sent::Answered(answer), "2026-11-22T10:00:00Z".parse().unwrap()) {
            Outcome::Granted(_) => "granted",
            Outcome::Dead => "dead",
            Outcome::ClientRefused(_) => "client refused",
            Outcome::Unchanged(_) => "unchanged",
            Outcome::Lost(_) => "lost",
        }
    }

    #[test]
    fn answers_are_judged_by_what_may_have_happened() {
        assert_eq!(judged(200, r#"{"access_token":"a"}"#), "granted");
        assert_eq!(judged(400, r#"{"error":"invalid_grant"}"#), "dead");
        assert_eq!(judged(403, r#"{"error":"unauthorized_client","error_description":"refresh_token is invalid"}"#), "dead");
        assert_eq!(judged(401, r#"{"error":"invalid_client"}"#), "client refused");
        assert_eq!(judged(400, r#"{"error":"invalid_scope"}"#), "unchanged");
        assert_eq!(judged(503, "come back later"), "unchanged");
        assert_eq!(judged(404, "<html>"), "unchanged");
        assert_eq!(judged(500, "oops"), "lost");
        assert_eq!(judged(200, "<html>"), "lost");
        assert_eq!(judged(500, r#"{"error":"server_error"}"#), "lost");
    }
    #[test]
    fn a_manifest_knows_the_words_of_its_provider() {
        assert_eq!(judged(400, r#"{"error":"bad_verification_code"}"#), "unchanged", "nobody else's word");
        assert_eq!(judged_at("ticketing_github", 200, r#"{"error":"bad_refresh_token"}"#), "dead");
        assert_eq!(judged_at("chat_slack", 200, r#"{"ok":false,"error":"token_revoked"}"#), "dead");
    }
}
