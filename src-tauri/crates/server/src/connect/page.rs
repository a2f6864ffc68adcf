//! What every page has: who asks, for whom, and headers that let nothing in and show it in no frame.

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use maud::{DOCTYPE, Markup, html};
use patchbay_engine::connect_link::OpenLink;
use patchbay_model::account::Account;
use patchbay_model::organization::Organization;
use patchbay_model::{Code, Problem};

const STYLE: &str = include_str!("page.css");
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// Who asks, and for whom.
pub(super) struct Brand {
    name: String,
    /// Its picture, where it is one that needs no other server.
    picture: Option<String>,
    customer: String,
}

impl Brand {
    /// That of an organization and one of its customers.
    pub(super) fn of(organization: &Organization, account: &Account) -> Self {
        Self {
            name: organization.fullname.to_string(),
            picture: organization.picture.clone().filter(|picture| picture.starts_with("data:image/")),
            customer: account.fullname.to_string(),
        }
    }

    /// That of a link.
    pub(super) fn of_link(open: &OpenLink) -> Self {
        Self::of(&open.organization, &open.account)
    }

    /// The organization's name.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The customer's name.
    pub(super) fn customer(&self) -> &str {
        &self.customer
    }

    fn letters(&self) -> String {
        self.name.split_whitespace().filter_map(|word| word.chars().next()).filter(|letter| letter.is_alphanumeric()).take(2).flat_map(char::to_uppercase).collect()
    }
}

/// A page with its headers. `main` begins with its heading.
pub(super) fn page(status: u16, title: &str, brand: Option<&Brand>, main: &Markup) -> Response {
    let whole = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="robots" content="noindex";
                title { (title) @if let Some(brand) = brand { " - " (brand.name) } }
                link rel="stylesheet" href="/connect/page.css";
            }
            body {
                @if let Some(brand) = brand {
                    header {
                        @match &brand.picture {
                            Some(picture) => img.logo src=(picture) alt="" width="48" height="48";,
                            None => span.logo.letters aria-hidden="true" { (brand.letters()) },
                        }
                        p { strong { (brand.name) } span { "for " (brand.customer) } }
                    }
                }
                main { (main) }
                footer { p { "Patchbay keeps what you enter encrypted and uses it for this connection alone." } }
            }
        }
    };
    let mut response = Response::new(Body::from(whole.into_string()));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    // The address opens something, or has a code in it.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert("content-security-policy", HeaderValue::from_static(POLICY));
    // Without a referrer the browser says `Origin: null` in our own forms; other sites are still told nothing.
    headers.insert("referrer-policy", HeaderValue::from_static("same-origin"));
    response
}

/// A page that tells of a problem, and of nothing that could be tried here.
pub(super) fn trouble(problem: &Problem, brand: Option<&Brand>) -> Response {
    let (title, next) = match problem.code {
        Code::LinkInvalid => ("This link does not work", "Nothing was connected and nothing was changed."),
        Code::RateLimited => ("Too many tries", "Come back in a minute."),
        Code::PermissionDenied => ("This form was not taken", "Nothing was connected and nothing was changed."),
        Code::StoreBusy | Code::ShuttingDown => ("Not possible at this moment", "Try again in a moment."),
        _ => ("This did not work", "Try again. If it comes back, tell whoever sent you the link what this page says."),
    };
    let shown = if problem.code == Code::Internal { "Something went wrong on our side." } else { problem.message.as_str() };
    let main = html! {
        h1 { (title) }
        p role="alert" { (shown) }
        p.quiet { (next) }
    };
    let mut response = page(problem.code.status(), title, brand, &main);
    if let Some(seconds) = problem.retry_after {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// A page without anybody's name: what came of a step of which it is not known whose it is.
pub(crate) fn plain(status: u16, title: &str, what: &str, next: &str, reference: &str) -> Response {
    let main = html! {
        h1 { (title) }
        p { (what) }
        p { (next) }
        @if !reference.is_empty() { p.quiet { "Reference " (reference) } }
    };
    silent(page(status, title, None, &main))
}

/// A page without a form: whoever it leads to is told nothing of its address.
pub(super) fn silent(mut response: Response) -> Response {
    response.headers_mut().insert("referrer-policy", HeaderValue::from_static("no-referrer"));
    response
}

/// `GET /connect/page.css`
#[expect(clippy::unnecessary_wraps, reason = "every target gives a result")]
pub(crate) fn style() -> Result<Response, Problem> {
    let mut response = Response::new(Body::from(STYLE));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/css; charset=utf-8"));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=3600"));
    Ok(response)
}
