//! `GET /oauth/callback`: where a provider sends the person back (consent route `link`). The state in the URL is the proof; the
//! page says what came of it and what to do, without a script.

use std::time::Duration;

use axum::response::Response;
use patchbay_engine::consent::{self, hosted};
use patchbay_model::consent::ConnectState;
use patchbay_model::{Code, Problem};
use url::Url;

use crate::answer::Stamp;
use crate::connect::{self, plain as page};
use crate::serving::Visit;
use crate::start;

const PATH: &str = "/oauth/callback";
/// Longest query of a callback; codes and states are far shorter.
const LONGEST: usize = 8192;
/// How long a browser is kept waiting for the outcome.
const PATIENCE: Duration = Duration::from_secs(8);

/// The redirect URI that a provider app registers for the consent route `link`.
pub(crate) fn redirect_uri(public_url: &Url) -> String {
    let mut url = public_url.clone();
    url.set_path(PATH);
    url.to_string()
}

/// The provider's answer has arrived.
pub(crate) async fn arrived(visit: Visit) -> Result<Response, Problem> {
    let Visit { app, head, stamp, .. } = visit;
    let query = head.uri.query().unwrap_or_default();
    if query.is_empty() || query.len() > LONGEST {
        let problem = Problem::new(Code::ConsentUnknown, "This address takes the answers of providers, and none came with this visit.");
        return Ok(page(problem.code.status(), "Nothing to do here", &problem.message, "Close this page. To connect a provider, begin in Patchbay.", ""));
    }
    // The URL as registered, with the provider's parameters: what stands in Host is the caller's claim.
    let url = format!("{}?{query}", redirect_uri(&app.public_url));
    let (browser, fresh) = start::browser(&app, &head);
    // Whoever waits longer is shown the page of the consent meanwhile; what was begun goes on.
    let outcome = tokio::time::timeout(PATIENCE, consent::finish_callback(&app.engine, &url, Some(&browser))).await;
    // Its own page says what came of it, and can be loaded again. It is there for the browser alone that the consent is bound to.
    match hosted::answered(&app.engine, &url, &browser).await {
        Ok(Some(session)) => {
            let mut response = connect::see(session);
            if fresh {
                start::give(&app, &head, browser.expose(), &mut response)?;
            }
            return Ok(response);
        }
        Ok(None) => {}
        Err(problem) => tracing::warn!(code = problem.code.as_str(), request = %stamp.id, "the page of a consent could not be found"),
    }
    let instance = stamp.id.to_string();
    Ok(match outcome {
        Ok(Ok(session)) if session.state == ConnectState::Completed => {
            page(200, "Connected", "The provider has authorized the connection, and Patchbay has tested it.", "You can close this page.", "")
        }
        Ok(Ok(session)) if session.state == ConnectState::Choosing => page(
            200,
            "One more step",
            "The provider gives access to several places. Whoever asked you to connect chooses one of them in Patchbay.",
            "You can close this page. If you began in Patchbay yourself, choose there.",
            "",
        ),
        Ok(Ok(_)) => page(200, "Not connected", "The provider gave no authorization.", "Close this page and begin again in Patchbay.", &instance),
        Ok(Err(problem)) => refusal(&problem, stamp),
        Err(_) => page(200, "Not finished yet", "The provider's answer is still being checked.", "You can close this page. Patchbay shows what comes of it.", &instance),
    })
}

/// The page that says why a step of a consent was refused.
pub(crate) fn refusal(problem: &Problem, stamp: Stamp) -> Response {
    tracing::info!(code = problem.code.as_str(), request = %stamp.id, "a step of a consent was refused: {}", problem.code.title());
    let (title, next) = next_step(problem);
    page(problem.code.status(), title, &problem.message, next, &stamp.id.to_string())
}

fn next_step(problem: &Problem) -> (&'static str, &'static str) {
    match problem.code {
        Code::ConsentDenied => ("Not authorized", "Nothing was connected. If that was not meant, begin again with the link that you were given."),
        Code::ConsentExpired | Code::ConsentUnknown | Code::LinkInvalid => ("This link is no longer valid", "Ask whoever sent you here for a new link."),
        Code::ConsentOtherBrowser => ("Begun in another browser", "Nothing was connected."),
        Code::ConsentReplayed => ("Already finished", "You can close this page."),
        Code::ConsentCallbackMismatch | Code::ConsentIssuerMismatch => ("The answer cannot be trusted", "Nothing was connected. Tell the administrator what this page says."),
        _ => ("Not connected", "Try again. If it comes back, tell the administrator what this page says."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_redirect_uri_is_under_the_public_address() {
        assert_eq!(redirect_uri(&"https://patchbay.example.com".parse().unwrap()), "https://patchbay.example.com/oauth/callback");
    }
}
