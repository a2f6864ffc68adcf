//! `GET /connect/start/{ticket}`: where a person sets out on a consent by link. The browser that comes first is bound to it by a
//! cookie, so that nobody else can bring the answer, and is sent to the provider.

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, LOCATION, SET_COOKIE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use patchbay_engine::consent::{self, BrowserNonce};
use patchbay_model::{Code, Problem};
use url::Url;

use crate::app::App;
use crate::callback;
use crate::gate::Head;
use crate::serving::Visit;

/// Sends the person to the provider.
pub(crate) async fn set_out(visit: Visit) -> Result<Response, Problem> {
    let Visit { app, head, stamp, path, .. } = visit;
    if looks_ahead(&head) {
        return Ok(plain(StatusCode::NO_CONTENT));
    }
    app.limiter.admit(head.caller.address, app.engine.now())?;
    let ticket = path.iter().find(|(name, _)| name == "ticket").map(|(_, ticket)| ticket.as_str()).unwrap_or_default();
    let (browser, fresh) = browser(&app, &head);
    let page = match consent::open_leg(&app.engine, ticket, &browser).await {
        Ok(page) => page,
        Err(problem) => {
            if problem.code == Code::LinkInvalid {
                app.limiter.failed(head.caller.address, app.engine.now());
            }
            return Ok(callback::refusal(&problem, stamp));
        }
    };
    let mut response = away(&page)?;
    if fresh {
        give(&app, &head, browser.expose(), &mut response)?;
    }
    Ok(response)
}

/// Whether a program looks an address up before a person follows it: it must not be the browser that a consent is bound to.
pub(crate) fn looks_ahead(head: &Head) -> bool {
    head.method == "HEAD" || head.headers.get("sec-purpose").is_some_and(|purpose| purpose.to_str().is_ok_and(|purpose| purpose.starts_with("prefetch")))
}

/// Sends a browser to a provider's page: by 303, so that nothing of the visit goes along (RFC 9700 section 4.12).
pub(crate) fn away(page: &Url) -> Result<Response, Problem> {
    let mut response = plain(StatusCode::SEE_OTHER);
    let headers = response.headers_mut();
    headers.insert(LOCATION, HeaderValue::from_str(page.as_str()).map_err(|_| Problem::internal("the address of a provider's page does not fit a header"))?);
    headers.insert("referrer-policy", HeaderValue::from_static("no-referrer"));
    Ok(response)
}

/// By what the browser of a visit is known, and whether it has yet to be given that.
pub(crate) fn browser(app: &App, head: &Head) -> (BrowserNonce, bool) {
    known(app, head).map_or_else(|| (BrowserNonce::new(app.engine.context()), true), |browser| (browser, false))
}

/// The same, if it was given something before.
pub(crate) fn known(app: &App, head: &Head) -> Option<BrowserNonce> {
    head.cookie(&cookie_name(app, head.caller.secure)).and_then(BrowserNonce::parse)
}

/// Gives a browser what it is known by from now on. It opens nothing by itself; it tells this browser from others.
pub(crate) fn give(app: &App, head: &Head, nonce: &str, response: &mut Response) -> Result<(), Problem> {
    let secure = if head.caller.secure { "; Secure" } else { "" };
    // Lax, since the provider sends the person back from its own site.
    let cookie = format!("{}={nonce}; Path=/; HttpOnly; SameSite=Lax{secure}", cookie_name(app, head.caller.secure));
    let mut cookie = HeaderValue::from_str(&cookie).map_err(|_| Problem::internal("a browser's secret does not fit a cookie"))?;
    cookie.set_sensitive(true);
    response.headers_mut().append(SET_COOKIE, cookie);
    Ok(())
}

/// As the name of a session's cookie, told apart by port and transport.
fn cookie_name(app: &App, secure: bool) -> String {
    let port = app.public_url.port_or_known_default().unwrap_or_default();
    if secure { format!("__Host-patchbay_connect_{port}") } else { format!("patchbay_connect_{port}") }
}

/// An answer without a body.
pub(crate) fn plain(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
