//! Whether the provider takes redirect URIs and scopes: its authorization endpoint is opened as a browser would, by nobody.

use std::time::Instant;

use patchbay_model::Problem;
use patchbay_model::consent::is_callback;
use patchbay_model::preflight::CheckOutcome;
use patchbay_providers::manifest::revoke::{AuthorizeTest, ErrorMatch};
use patchbay_providers::manifest::{At, Cause};
use reqwest::Method;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION};
use url::Url;

use super::place::{LARGEST, PATIENCE};
use super::token::{of_client, said_otherwise};
use super::{Flight, page, unknown};
use crate::consent::explain::Trouble;
use crate::http::{HttpRequest, Limits, Repeat};
use crate::oauth::{self, Asking, random};

/// How often it is gone where a page of the provider leads.
const MOST_REDIRECTS: u32 = 3;
/// How many redirect URIs of one app are tried.
const MOST_TRIED: usize = 10;

/// Where the request ended.
enum Landed {
    /// It came back to the redirect URI, with an error or without.
    Back(Trouble),
    /// The provider began to ask for a person, or led to somebody who does.
    SignIn(Trouble),
    /// It stayed with an answer of the provider.
    Page(Trouble),
    /// It was pushed beforehand and not taken, by an endpoint that looks at the client as the token endpoint does (RFC 9126 section 2.1).
    Unpushed(Trouble),
}

/// What was found with one redirect URI.
struct Found {
    redirect: CheckOutcome,
    scopes: CheckOutcome,
}

/// What the manifest says of bad answers.
#[derive(Clone, Copy)]
struct Tells<'a> {
    redirect: &'a [ErrorMatch],
    scope: &'a [ErrorMatch],
    client: &'a [ErrorMatch],
}

impl Flight<'_> {
    /// What the authorization endpoint says of every redirect URI, and of the scopes.
    pub(super) async fn authorize(&self) -> (Vec<(String, CheckOutcome)>, CheckOutcome) {
        let uris = &self.app.redirect_uris;
        let tells = match &self.authority.server.preflight.authorize {
            AuthorizeTest::Standard => Tells { redirect: &[], scope: &[], client: &[] },
            AuthorizeTest::Tells { redirect, scope, client } => Tells { redirect, scope, client },
            AuthorizeTest::CannotTell { why } | AuthorizeTest::Skip { why } => return (uris.iter().map(|uri| (uri.clone(), unknown(why))).collect(), unknown(why)),
        };
        let mut rows = Vec::new();
        let mut scopes = unknown("No redirect URI is entered with which the scopes could be asked for.");
        for uri in uris {
            if rows.len() >= MOST_TRIED {
                rows.push((uri.clone(), unknown("Only the first ten redirect URIs of an app are tried.")));
                continue;
            }
            let found = match self.asked_for(uri).await {
                Ok(landed) => self.judged(tells, uri, &landed),
                Err(problem) => Found { redirect: unknown(&problem.message), scopes: unknown(&problem.message) },
            };
            // One answer about the scopes is enough, and one that tells goes before one that does not.
            if matches!(scopes, CheckOutcome::CannotTell { .. }) {
                scopes = found.scopes;
            }
            rows.push((uri.clone(), found.redirect));
        }
        (rows, scopes)
    }

    /// Opens the provider's page with this redirect URI.
    async fn asked_for(&self, redirect_uri: &str) -> Result<Landed, Problem> {
        let (engine, authority) = (self.engine, &self.authority);
        let entropy = engine.context().entropy();
        let (state, verifier) = (random(entropy), authority.pkce.then(|| random(entropy)));
        let asking = Asking { redirect_uri, scopes: &self.scopes, state: &state, verifier: verifier.as_ref() };
        let asked = oauth::authorize(authority, &self.client, &asking)?;
        let own = [authority.authorize().ok(), authority.token().ok()];
        let is_own = |url: &Url| own.iter().flatten().any(|known| known.host() == url.host());
        let mut url = match oauth::pushed(engine, authority, &self.client, asked).await? {
            Ok(url) => url,
            Err(refusal) => {
                return Ok(Landed::Unpushed(Trouble {
                    code: Some(refusal.error).filter(|error| !error.is_empty()),
                    words: refusal.description,
                    status: Some(refusal.status),
                    ..Trouble::default()
                }));
            }
        };
        let registered = Url::parse(redirect_uri).map_err(|_| Problem::internal("a redirect URI that was accepted is no URL"))?;
        let mut redirects = 0;
        loop {
            let headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static("text/html,application/xhtml+xml,*/*;q=0.8"))]);
            let request = HttpRequest { method: Method::GET, url: url.clone(), headers, body: bytes::Bytes::new(), template: "(authorization server)".into() };
            let limits = Limits { deadline: Instant::now() + PATIENCE, max_bytes: LARGEST, repeat: Repeat::Idempotent };
            let answer = engine.http().send(&request, limits, None, None).await?;
            let led = answer.headers.get(LOCATION).filter(|_| answer.status.is_redirection()).and_then(|to| to.to_str().ok()).and_then(|to| url.join(to).ok());
            let Some(to) = led else {
                let content_type = answer.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).and_then(|value| value.split(';').next());
                let status = answer.status.as_u16();
                let trouble = Trouble { status: Some(status), content_type: content_type.map(|value| value.trim().to_owned()), ..error_in(&url, &answer.body) };
                // A page that the provider led to without complaint, and that has none now or misses a cookie, is where a person signs in.
                return Ok(if answer.status.is_success() || redirects > 0 { Landed::SignIn(trouble) } else { Landed::Page(trouble) });
            };
            if is_callback(&registered, &to) {
                return Ok(Landed::Back(error_in(&to, b"")));
            }
            redirects += 1;
            if redirects > MOST_REDIRECTS || !is_own(&to) {
                return Ok(Landed::SignIn(error_in(&to, b"")));
            }
            url = to;
        }
    }

    fn judged(&self, tells: Tells<'_>, uri: &str, landed: &Landed) -> Found {
        let (trouble, places) = match landed {
            Landed::Back(trouble) => (trouble, &[At::Callback, At::Authorize][..]),
            Landed::Unpushed(trouble) => (trouble, &[At::Token, At::Callback][..]),
            Landed::SignIn(trouble) | Landed::Page(trouble) => (trouble, &[At::Authorize, At::Page][..]),
        };
        let meant = tells.cause(trouble).map(|cause| (cause, None));
        // A page where a person signs in may contain any words; only the manifest's rules know which of them matter.
        let told = match landed {
            Landed::SignIn(trouble) if trouble.status.is_none_or(|status| status < 400) && trouble.code.is_none() => self.told(places, trouble),
            _ => self.cause(places, trouble),
        };
        // The manifest's own words for the same cause are better than ours.
        let known = match (meant, told) {
            (Some((cause, _)), Some((same, said))) if cause == same => Some((cause, said)),
            (Some(meant), _) => Some(meant),
            (None, told) => told,
        };
        let bad = |cause, said| self.bad(uri, cause, said, trouble);
        let came_back = matches!(landed, Landed::Back(_));
        match known {
            Some((cause @ (Cause::ScopeUnknown | Cause::ScopeNotAllowed), said)) => Found { redirect: CheckOutcome::Good, scopes: bad(cause, said) },
            Some((cause @ Cause::RedirectMismatch, said)) => {
                Found { redirect: bad(cause, said), scopes: unknown("The provider refuses the redirect URI before it looks at the scopes.") }
            }
            Some((cause, said)) if of_client(cause) => Found { redirect: bad(cause, said), scopes: unknown("The provider refuses the client before it looks at the scopes.") },
            // Without a person there is nobody who could agree: so far everything was taken.
            Some((Cause::PersonRefused | Cause::AdminConsentNeeded | Cause::PersonNotAllowed, _)) if came_back => Found::good(),
            Some((cause @ Cause::PkceRefused, said)) => {
                Found { redirect: if came_back { CheckOutcome::Good } else { unknown(&said_otherwise(trouble)) }, scopes: bad(cause, said) }
            }
            _ => match landed {
                Landed::SignIn(trouble) if trouble.code.is_none() => Found::good(),
                Landed::Back(Trouble { code: None, .. }) => Found::good(),
                Landed::Back(trouble) => Found { redirect: CheckOutcome::Good, scopes: unknown(&said_otherwise(trouble)) },
                Landed::SignIn(trouble) | Landed::Page(trouble) | Landed::Unpushed(trouble) => {
                    Found { redirect: unknown(&said_otherwise(trouble)), scopes: unknown(&said_otherwise(trouble)) }
                }
            },
        }
    }
}

impl Found {
    const fn good() -> Self {
        Self { redirect: CheckOutcome::Good, scopes: CheckOutcome::Good }
    }
}

impl Tells<'_> {
    /// Of what an answer tells.
    fn cause(self, trouble: &Trouble) -> Option<Cause> {
        let holds = |rules: &[ErrorMatch]| {
            rules.iter().any(|rule| {
                // A page has no word of an error of its own: the rule's word is looked for in its text.
                let in_page = rule.code.as_deref().filter(|code| trouble.code.is_none() && trouble.page.as_deref().is_some_and(|page| page.contains(code)));
                let seen = trouble.seen();
                rule.holds(&patchbay_providers::manifest::Seen { code: in_page.or(seen.code), ..seen })
            })
        };
        [(self.client, Cause::UnknownClient), (self.redirect, Cause::RedirectMismatch), (self.scope, Cause::ScopeUnknown)]
            .into_iter()
            .find(|(rules, _)| holds(rules))
            .map(|(_, cause)| cause)
    }
}

/// The error that an address or an answer names, and the text of a page.
fn error_in(url: &Url, body: &[u8]) -> Trouble {
    let of_query = |name: &str| url.query_pairs().find(|(known, _)| known == name).map(|(_, value)| oauth::bounded(&value)).filter(|value| !value.is_empty());
    let json = serde_json::from_slice::<serde_json::Value>(body).ok();
    let of_json = |name: &str| json.as_ref().and_then(|json| json.get(name)).and_then(serde_json::Value::as_str).map(oauth::bounded);
    let page = if json.is_some() { String::new() } else { page::text(body) };
    Trouble {
        code: of_query("error").or_else(|| of_json("error")),
        words: of_query("error_description").or_else(|| of_json("error_description")),
        page: Some(page).filter(|page| !page.is_empty()),
        ..Trouble::default()
    }
}
