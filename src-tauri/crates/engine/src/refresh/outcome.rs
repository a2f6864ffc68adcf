//! What an answer to a refresh means for the tokens that we have.

use patchbay_model::{Code, Problem, Timestamp};
use patchbay_providers::Server;

use crate::oauth::{Answer, NewTokens, Refusal, Sent, read};

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
pub(super) fn of(server: &Server, sent: Sent, now: Timestamp) -> Outcome {
    let answer = match sent {
        Sent::Answered(answer) => answer,
        Sent::Unsent(problem) => return Outcome::Unchanged(problem),
        Sent::Lost(problem) => return Outcome::Lost(problem),
    };
    let status = answer.status.as_u16();
    match read(server, status, &answer.headers, &answer.body, now) {
        Answer::Granted(new) => Outcome::Granted(new),
        Answer::Refused(refusal) if is_dead(&refusal) => Outcome::Dead,
        Answer::Refused(refusal) if refusal.error == "invalid_client" => Outcome::ClientRefused(refused(&refusal)),
        Answer::Refused(refusal) if status < 500 => Outcome::Unchanged(refused(&refusal)),
        _ => {
            let problem = Problem::new(Code::ProviderUnreachable, format!("The provider's token endpoint is out of order (status {status}). Try again later."));
            // These two are said by whatever stands in front of the provider, before it has done anything.
            if matches!(status, 429 | 503) || (300..500).contains(&status) { Outcome::Unchanged(problem) } else { Outcome::Lost(problem) }
        }
    }
}

/// RFC 6749 section 5.2 has `invalid_grant` for this. Some say it in other words, but always speak of the token.
fn is_dead(refusal: &Refusal) -> bool {
    let speaks_of_token = refusal.description.as_deref().is_some_and(|words| {
        let words = words.to_ascii_lowercase();
        words.contains("refresh_token") || words.contains("refresh token")
    });
    match refusal.error.as_str() {
        "invalid_grant" | "invalid_refresh_token" | "token_revoked" | "token_expired" => true,
        "unauthorized_client" | "invalid_request" | "access_denied" => speaks_of_token,
        _ => false,
    }
}

fn refused(refusal: &Refusal) -> Problem {
    let words = refusal.description.as_deref().map(|words| format!(" It says: {words}")).unwrap_or_default();
    let step = match refusal.error.as_str() {
        "invalid_client" | "unauthorized_client" => "Correct client id and client secret of the provider app.",
        "invalid_scope" => "Correct the scopes of the provider app, then connect again.",
        _ => "Try again; if it stays so, connect again.",
    };
    let mut problem = Problem::new(Code::ProviderRefused, format!("The provider does not renew the access (`{}`).{words} {step}", refusal.error));
    problem.context.provider_details.insert("status".to_owned(), refusal.status.into());
    problem
}

#[cfg(test)]
mod tests {
    use reqwest::StatusCode;
    use reqwest::header::HeaderMap;

    use serde_json::json;

    use super::*;
    use crate::http::HttpAnswer;

    fn judged(status: u16, body: &'static str) -> &'static str {
        let answer = HttpAnswer { status: StatusCode::from_u16(status).unwrap(), headers: HeaderMap::new(), body: body.into() };
        match of(&crate::oauth::sample(json!({})), Sent::Answered(answer), "2026-11-22T10:00:00Z".parse().unwrap()) {
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
}
