//! `GET /connect/start/{ticket}`: where a person sets out on a consent by link. The browser that comes first is bound to it by a
//! cookie, so that nobody else can bring the answer, and is sent to the provider.

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, LOCATION, SET_COOKIE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use patchbay_engine::consent::{self, BrowserNonce};
use patchbay_model::{Code, Problem};

use crate::app::App;
use crate::callback;
use crate::gate::Head;
use crate::serving::Visit;

/// Sends the person to the provider.
pub(crate) async fn set_out(visit: Visit) -> Result<Response, Problem> {
    let Visit { app, head, stamp, path, .. } = visit;
    // Programs that look a link up before a person follows it must not be the browser that it is bound to.
    if head.method == "HEAD" || head.headers.get("sec-purpose").is_some_and(|purpose| purpose.to_str().is_ok_and(|purpose| purpose.starts_with("prefetch"))) {
        return Ok(plain(StatusCode::NO_CONTENT));
    }
    app.limiter.admit(head.caller.address, app.engine.now())?;
    let ticket = path.iter().find(|(name, _)| name == "ticket").map(|(_, ticket)| ticket.as_str()).unwrap_or_default();
    let (browser, fresh) = match browser(&app, &head) {
        Some(browser) => (browser, false),
        None => (BrowserNonce::new(app.engine.context()), true),
    };
    let page = match consent::open_leg(&app.engine, ticket, &browser).await {
        Ok(page) => page,
        Err(problem) => {
            if problem.code == Code::LinkInvalid {
                app.limiter.failed(head.caller.address, app.engine.now());
            }
            return Ok(callback::refusal(&problem, stamp));
        }
    };
    // 303, so that nothing of the visit goes along (RFC 9700 section 4.12).
    let mut response = plain(StatusCode::SEE_OTHER);
    let headers = response.headers_mut();
    headers.insert(LOCATION, HeaderValue::from_str(page.as_str()).map_err(|_| Problem::internal("the address of a provider's page does not fit a header"))?);
    headers.insert("referrer-policy", HeaderValue::from_static("no-referrer"));
    if fresh {
        let secure = if head.caller.secure { "; Secure" } else { "" };
        // Lax, since the provider sends the person back from its own site.
        let cookie = format!("{}={}; Path=/; HttpOnly; SameSite=Lax{secure}", cookie_name(&app, head.caller.secure), browser.expose());
        let mut cookie = HeaderValue::from_str(&cookie).map_err(|_| Problem::internal("a browser's secret does not fit a cookie"))?;
        cookie.set_sensitive(true);
        headers.append(SET_COOKIE, cookie);
    }
    Ok(response)
}

/// By what the browser of a visit is known, if it was given something before.
pub(crate) fn browser(app: &App, head: &Head) -> Option<BrowserNonce> {
    head.cookie(&cookie_name(app, head.caller.secure)).and_then(BrowserNonce::parse)
}

/// As the name of a session's cookie, told apart by port and transport.
fn cookie_name(app: &App, secure: bool) -> String {
    let port = app.public_url.port_or_known_default().unwrap_or_default();
    if secure { format!("__Host-patchbay_connect_{port}") } else { format!("patchbay_connect_{port}") }
}

fn plain(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
