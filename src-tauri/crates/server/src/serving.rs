//! The router: finds the entry of a request, runs it, and answers with headers that hold for every answer.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{RawPathParams, Request};
use axum::http::header::{ALLOW, CONNECTION};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, Version};
use axum::response::Response;
use axum::routing::any;
use patchbay_api::wire::host::StoreInfo;
use patchbay_engine::{CallerInfo, Engine, Grant, audit};
use patchbay_model::problem::Location;
use patchbay_model::{Code, Origin, Problem};
use tokio::sync::watch;
use url::Url;

use crate::answer::{self, Stamp};
use crate::app::App;
use crate::gate::Head;
use crate::options::{Cidr, ServeOptions};
use crate::peer::{Caller, Peer};
use crate::routes::{self, Entry, Host, Target};
use crate::{callback, connect, connector, events, feed, management, missing, probes, session, start, ui};

/// Headers of every answer. The policy lets the interface load from here alone and run no inline code; nobody may frame it.
const HEADERS: [(&str, &str); 6] = [
    ("content-security-policy", "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
];
/// Sent over TLS only (RFC 6797 section 7.2).
const HSTS: (&str, &str) = ("strict-transport-security", "max-age=31536000");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// A request on its way.
pub(crate) struct Visit {
    pub(crate) app: App,
    pub(crate) head: Head,
    pub(crate) stamp: Stamp,
    pub(crate) path: Vec<(String, String)>,
    pub(crate) body: Body,
}

/// What came of a request: the answer, and what the audit log needs to know of a refusal.
pub(crate) struct Outcome {
    pub(crate) result: Result<Response, Problem>,
    /// The operation, where one was refused that the audit log should hold.
    pub(crate) audited: Option<Audited>,
}

/// A request as the audit log keeps it.
pub(crate) struct Audited {
    pub(crate) grant: Option<Grant>,
    pub(crate) operation: String,
    pub(crate) caller: CallerInfo,
}

impl From<Result<Response, Problem>> for Outcome {
    fn from(result: Result<Response, Problem>) -> Self {
        Self { result, audited: None }
    }
}

/// The router of a server on these options; for tests, which send requests without a connection.
pub fn router(engine: Engine, options: &ServeOptions) -> Router {
    let public_url = options.public_url.clone().or_else(|| Url::parse(&format!("http://{}", options.listen)).ok());
    let (_, ending) = watch::channel(false);
    build(app(engine, options, public_url.unwrap_or_else(fallback_url), options.trusted_proxies.clone(), ending))
}

pub(crate) fn app(engine: Engine, options: &ServeOptions, public_url: Url, trusted: Vec<Cidr>, ending: watch::Receiver<bool>) -> App {
    App::new(engine, public_url, trusted, StoreInfo { label: options.store_label.clone(), kind: options.store_kind, url: None, mark: None, offline_since: None }, ending)
}

#[expect(clippy::unwrap_used, reason = "a constant that a test parses")]
fn fallback_url() -> Url {
    Url::parse("http://127.0.0.1").unwrap()
}

pub(crate) fn build(app: App) -> Router {
    let mut paths: BTreeMap<&'static str, Vec<Entry>> = BTreeMap::new();
    for entry in routes::entries() {
        paths.entry(entry.path).or_default().push(entry);
    }
    let mut router = Router::new();
    for (path, entries) in paths {
        let (app, entries) = (app.clone(), Arc::<[Entry]>::from(entries));
        router = router.route(
            path,
            any(move |params: Result<RawPathParams, RawPathParamsRejection>, request: Request| {
                let (app, entries) = (app.clone(), Arc::clone(&entries));
                async move { Box::pin(serve(app, Some((path, &entries)), params.ok(), request)).await }
            }),
        );
    }
    router.fallback(any(move |request: Request| {
        let app = app.clone();
        async move { Box::pin(serve(app, None, None, request)).await }
    }))
}

async fn serve(app: App, route: Option<(&'static str, &[Entry])>, params: Option<RawPathParams>, request: Request) -> Response {
    let started = tokio::time::Instant::now();
    let stamp = Stamp { at: app.engine.now(), id: app.engine.context().new_uuid() };
    let (parts, body) = request.into_parts();
    let head = head(&app, &parts);
    let (caller, method) = (head.caller, head.method.clone());
    let shown = route.map_or("(none)", |(path, _)| path);
    let mut response = if caller.secure || caller.plain_allowed {
        found(&app, route, params, head, stamp, &parts, body).await
    } else {
        let problem = Problem::new(Code::PermissionDenied, "Plain HTTP is not taken from other machines, because tokens would cross the network in clear. Use HTTPS.");
        unserved(&app, &head, &problem).await;
        answer::problem(&problem, stamp)
    };
    let headers = response.headers_mut();
    for (name, value) in HEADERS.into_iter().chain(caller.secure.then_some(HSTS)) {
        headers.entry(HeaderName::from_static(name)).or_insert(HeaderValue::from_static(value));
    }
    if let Ok(id) = HeaderValue::from_str(&stamp.id.to_string()) {
        headers.insert(REQUEST_ID, id);
    }
    // HTTP/2 says the same by a frame of its own when its connection ends.
    if app.leaves() && parts.version <= Version::HTTP_11 {
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
    }
    let took = started.elapsed();
    tracing::info!(%method, route = shown, status = response.status().as_u16(), ms = took.as_millis(), remote = %caller.address, request = %stamp.id, "{method} {shown} {} in {} ms", response.status().as_u16(), took.as_millis());
    response
}

fn head(app: &App, parts: &Parts) -> Head {
    let peer = parts.extensions.get::<Peer>().copied().unwrap_or_default();
    let caller = Caller::of(peer, &parts.headers, &app.trusted_proxies);
    Head { method: parts.method.as_str().chars().take(20).collect(), uri: parts.uri.clone(), headers: parts.headers.clone(), caller }
}

async fn found(app: &App, route: Option<(&'static str, &[Entry])>, params: Option<RawPathParams>, head: Head, stamp: Stamp, parts: &Parts, body: Body) -> Response {
    let Some((path, entries)) = route else {
        let response = ui::answer(&head, stamp);
        // What browsers and search engines ask for by themselves, an icon or robots.txt, is no call.
        let called = head.uri.path().starts_with("/v1/") || !matches!(head.method.as_str(), "GET" | "HEAD");
        if called && response.status().is_client_error() {
            unserved(app, &head, &Problem::not_found("page or route", head.shown_path())).await;
        }
        return response;
    };
    let allowed = || {
        let mut methods: Vec<&str> = entries.iter().map(|entry| entry.method).collect();
        if methods.contains(&"GET") {
            methods.push("HEAD");
        }
        methods.push("OPTIONS");
        methods.join(", ")
    };
    if parts.method == Method::OPTIONS {
        return options(&allowed());
    }
    let wanted = if parts.method == Method::HEAD { "GET" } else { parts.method.as_str() };
    let Some(entry) = entries.iter().find(|entry| entry.method == wanted) else {
        unserved(app, &head, &Problem::new(Code::MethodNotAllowed, format!("{path} does not take {}.", head.method))).await;
        return answer::method_not_allowed(&head.method, path, &allowed(), stamp);
    };
    let Some(params) = params else {
        let problem = Problem::new(Code::InvalidRequest, "The path cannot be read: after percent-decoding it must be UTF-8.").at(Location::Path, "path");
        unserved(app, &head, &problem).await;
        return answer::problem(&problem, stamp);
    };
    let path = params.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let visit = Visit { app: app.clone(), head, stamp, path, body };
    let outcome = run(entry, visit).await;
    match outcome.result {
        Ok(response) => response,
        Err(problem) => {
            report(&problem, stamp);
            if let Some(audited) = outcome.audited {
                audit::refused(&app.engine, audited.grant.as_ref(), &audited.operation, &audited.caller, &problem).await;
            }
            answer::problem(&problem, stamp)
        }
    }
}

/// Notes a request in the audit log that no entry of the table answers. Nobody looked at its token.
async fn unserved(app: &App, head: &Head, problem: &Problem) {
    audit::refused(&app.engine, None, "http.unserved", &head.info(Origin::Api), problem).await;
}

/// A route of the server itself, whose refusals the audit log should hold under this name. Asking who is signed in, signed in
/// as nobody, is what every new window does, and no refusal.
fn noted(operation: &str, caller: CallerInfo, result: Result<Response, Problem>) -> Outcome {
    let usual = operation == "session.who" && matches!(&result, Err(problem) if problem.code == Code::TokenMissing);
    let audited = (!usual).then(|| Audited { grant: None, operation: operation.to_owned(), caller });
    Outcome { result, audited }
}

async fn run(entry: &Entry, visit: Visit) -> Outcome {
    let caller = visit.head.info(Origin::Web);
    match entry.target {
        Target::Management(route) => Box::pin(management::run(route, visit)).await,
        Target::Missing(missing) => missing::refuse(missing, visit).await,
        Target::Ticketing(route) => Box::pin(connector::ticketing(route, visit)).await,
        Target::NotOffered(connector) => connector::not_offered(connector, visit).await,
        Target::Host(host) => match host {
            Host::SignIn => session::sign_in(visit).await,
            Host::LookAtLink => noted("session.look_at_link", caller, session::look_at_link(visit).await),
            Host::Who => noted("session.who", caller, session::who(visit).await),
            Host::SignOut => noted("session.sign_out", caller, session::sign_out(visit).await),
            Host::Rpc => session::rpc(visit).await,
            Host::Events => noted("events.listen", caller, events::listen(visit).await),
            Host::Healthy => probes::healthy().into(),
            Host::Ready => probes::ready(&visit.app).await.into(),
            Host::Version => probes::version().into(),
            Host::Callback => noted("connect.callback", caller, callback::arrived(visit).await),
            Host::ConnectChoose => noted("connect_links.open", caller, connect::choose(visit).await),
            Host::ConnectEnter => noted("connect_links.open", caller, connect::enter(visit).await),
            Host::ConnectFill => noted("connect_links.use", caller, Box::pin(connect::fill(visit)).await),
            Host::ConnectStyle => connect::style().into(),
            Host::ConnectStart => noted("connect.start", caller, start::set_out(visit).await),
            Host::SessionShow => noted("connect.look", caller, Box::pin(connect::show_session(visit)).await),
            Host::SessionGo => noted("connect.start", caller, connect::go(visit).await),
            Host::SessionSwitch => noted("connect.switch", caller, Box::pin(connect::switch(visit)).await),
            Host::SessionStop => noted("connect.cancel", caller, Box::pin(connect::stop(visit)).await),
            Host::SessionChoose => noted("connect.choose", caller, Box::pin(connect::choose_place(visit)).await),
            Host::SessionAgain => noted("connect.begin", caller, Box::pin(connect::again(visit)).await),
            Host::ReceiptShow => noted("receipts.open", caller, connect::show_receipt(visit).await),
            Host::ReceiptWithdraw => noted("receipts.withdraw", caller, Box::pin(connect::withdraw(visit)).await),
            Host::Calendar => noted("deadlines.feed", caller, feed::calendar(visit).await),
        },
    }
}

fn options(allowed: &str) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    if let Ok(allowed) = HeaderValue::from_str(allowed) {
        response.headers_mut().insert(ALLOW, allowed);
    }
    response
}

/// Faults of ours are worth a look; what callers do wrong is in the audit log.
fn report(problem: &Problem, stamp: Stamp) {
    let code = problem.code.as_str();
    if matches!(problem.code, Code::Internal | Code::SealBroken | Code::StoreDamaged) {
        tracing::error!(code, request = %stamp.id, "{}", problem.message);
    } else {
        tracing::debug!(code, request = %stamp.id, "{}", problem.code.title());
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_fallback_address_is_one() {
        assert_eq!(super::fallback_url().as_str(), "http://127.0.0.1/");
    }
}
