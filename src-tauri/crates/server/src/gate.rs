//! Who is asking. Bearer tokens open `/v1`, a cookie's session opens the web interface's routes, and neither opens the
//! other's (product.md section 3), but for `/rpc` and `/events`: they take an organization access token too, from another
//! Patchbay for which this one is the store.

use std::borrow::Cow;

use axum::http::header::{AUTHORIZATION, COOKIE, ORIGIN, USER_AGENT};
use axum::http::{HeaderMap, Uri};
use patchbay_engine::{CallerInfo, Grant, ManagementGrant, session};
use patchbay_model::problem::Location;
use patchbay_model::token::SecretKind;
use patchbay_model::{Code, Origin, Problem, Secret};

use crate::app::App;
use crate::peer::Caller;

/// Longest header that is looked at as a token or cookie; ours are far shorter.
const LONGEST: usize = 512;

/// A request's head, as far as rules look at it.
#[derive(Clone)]
pub(crate) struct Head {
    pub(crate) method: String,
    pub(crate) uri: Uri,
    pub(crate) headers: HeaderMap,
    pub(crate) caller: Caller,
}

impl Head {
    /// The caller for the audit log.
    pub(crate) fn info(&self, origin: Origin) -> CallerInfo {
        CallerInfo {
            origin,
            remote_addr: self.caller.address.to_string(),
            user_agent: self.headers.get(USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default().chars().take(200).collect(),
            method: self.method.clone(),
            path: self.shown_path().chars().take(500).collect(),
            body: None,
        }
    }

    /// The path as logs may have it: what follows in the address of a public link opens something, and a secret may have been
    /// put where an id belongs.
    pub(crate) fn shown_path(&self) -> Cow<'_, str> {
        let path = self.uri.path();
        if path.starts_with("/connect/") {
            return "/connect/...".into();
        }
        if path.starts_with("/calendar/") {
            return "/calendar/...".into();
        }
        if !SecretKind::is_in(path) {
            return path.into();
        }
        path.split('/').map(|part| if SecretKind::is_in(part) { "..." } else { part }).collect::<Vec<_>>().join("/").into()
    }

    fn bearer(&self) -> Result<Option<&str>, Problem> {
        let mut values = self.headers.get_all(AUTHORIZATION).iter();
        let Some(value) = values.next() else { return Ok(None) };
        let unreadable = || Problem::new(Code::TokenInvalid, "The Authorization header must be `Bearer` and one token. Correct it.").at(Location::Header, "authorization");
        if values.next().is_some() || value.len() > LONGEST {
            return Err(unreadable());
        }
        let (scheme, token) = value.to_str().ok().and_then(|text| text.trim().split_once(' ')).ok_or_else(unreadable)?;
        let token = token.trim();
        if scheme.eq_ignore_ascii_case("bearer") && !token.is_empty() { Ok(Some(token)) } else { Err(unreadable()) }
    }

    pub(crate) fn cookie(&self, name: &str) -> Option<&str> {
        self.headers
            .get_all(COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|text| text.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .find(|(key, value)| *key == name && !value.is_empty() && value.len() <= LONGEST)
            .map(|(_, value)| value)
    }
}

/// The grant of a bearer token, of whatever kind.
pub(crate) async fn bearer(app: &App, head: &Head, info: CallerInfo) -> Result<Grant, Problem> {
    let Some(token) = head.bearer()? else {
        return Err(Problem::new(Code::TokenMissing, "No token was sent. Send `Authorization: Bearer` and a token.").at(Location::Header, "authorization"));
    };
    app.engine.verify(token, info).await
}

/// Name of the session's cookie. The port is in it, since browsers share cookies between the ports of a host.
pub(crate) fn cookie_name(app: &App, secure: bool) -> String {
    let port = app.public_url.port_or_known_default().unwrap_or_default();
    if secure { format!("__Host-patchbay_session_{port}") } else { format!("patchbay_session_{port}") }
}

/// The handle in the session's cookie.
pub(crate) fn handle(app: &App, head: &Head) -> Option<Secret> {
    head.cookie(&cookie_name(app, head.caller.secure)).map(Secret::new)
}

/// The grant of a signed-in browser. Tokens are refused here by kind, so that a token cannot be tried where a session belongs.
pub(crate) async fn signed_in(app: &App, head: &Head, info: CallerInfo) -> Result<ManagementGrant, Problem> {
    if let Some(value) = head.headers.get(AUTHORIZATION)
        && value.to_str().is_ok_and(|text| text.trim().get(..6).is_some_and(|scheme| scheme.eq_ignore_ascii_case("bearer")))
    {
        return Err(Problem::new(
            Code::WrongTokenKind,
            format!("{} does not take tokens. Sign in at /session and send its cookie; programs use the routes under /v1.", head.uri.path()),
        )
        .at(Location::Header, "authorization"));
    }
    let Some(handle) = handle(app, head) else {
        return Err(Problem::new(Code::TokenMissing, "Nobody is signed in in this browser. Sign in first."));
    };
    session::resume(&app.engine, handle.expose(), info).await
}

/// How a caller of `/rpc` or `/events` showed who it is; kept by those that ask again, since tokens and sessions end.
pub(crate) enum Shown {
    /// The handle of a signed-in browser.
    Session(Secret),
    /// An organization access token.
    Token(Secret),
}

impl Shown {
    /// What a request shows: its token, else its cookie. A browser behind a proxy with passwords of its own sends another
    /// kind of authorization along with the cookie.
    pub(crate) fn of(app: &App, head: &Head) -> Result<Self, Problem> {
        match (head.bearer(), handle(app, head)) {
            (Ok(Some(token)), _) => Ok(Self::Token(Secret::new(token))),
            (_, Some(handle)) => Ok(Self::Session(handle)),
            (Err(problem), None) => Err(problem),
            (Ok(None), None) => Err(Problem::new(
                Code::TokenMissing,
                "Nobody is signed in in this browser, and no token was sent. Sign in first, or send `Authorization: Bearer` and an organization access token.",
            )
            .at(Location::Header, "authorization")),
        }
    }

    /// Where changes of this caller come from: a window in a browser, or a program.
    pub(crate) fn origin(&self) -> Origin {
        match self {
            Self::Session(_) => Origin::Web,
            Self::Token(_) => Origin::Api,
        }
    }

    /// What it is good for now.
    pub(crate) async fn grant(&self, app: &App, info: CallerInfo) -> Result<ManagementGrant, Problem> {
        match self {
            Self::Session(handle) => session::resume(&app.engine, handle.expose(), info).await,
            Self::Token(token) => app.engine.verify(token.expose(), info).await?.management(),
        }
    }
}

/// Refuses a write that another site's page could have caused: browsers say in `Origin` which page asks.
pub(crate) fn same_origin(app: &App, head: &Head) -> Result<(), Problem> {
    let refuse = |what: &str| Err(Problem::new(Code::PermissionDenied, format!("{what} Open Patchbay at its own address and try again there.")).at(Location::Header, "origin"));
    let Some(origin) = head.headers.get(ORIGIN).and_then(|value| value.to_str().ok()) else {
        return refuse("The request does not say which page it comes from.");
    };
    let own = app.public_url.origin().ascii_serialization();
    let addressed = head.caller.origin(&head.headers, head.uri.authority().map(axum::http::uri::Authority::as_str));
    if origin.eq_ignore_ascii_case(&own) || addressed.is_some_and(|addressed| same(origin, &addressed)) { Ok(()) } else { refuse("The request comes from a page of another site.") }
}

/// Whether two origins are the same, a default port written or not.
fn same(one: &str, other: &str) -> bool {
    match (url::Url::parse(one), url::Url::parse(other)) {
        (Ok(one), Ok(other)) => one.origin().is_tuple() && one.origin() == other.origin(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(headers: &[(&'static str, &str)]) -> Head {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        let caller = Caller::of(crate::Peer::default(), &map, &[]);
        Head { method: "GET".into(), uri: Uri::from_static("/rpc"), headers: map, caller }
    }

    #[test]
    fn one_well_formed_bearer_is_read() {
        assert_eq!(head(&[("authorization", "bearer  abc ")]).bearer().unwrap(), Some("abc"));
        assert_eq!(head(&[]).bearer().unwrap(), None);
        for bad in [&[("authorization", "Basic abc")][..], &[("authorization", "Bearer")], &[("authorization", "Bearer a"), ("authorization", "Bearer b")]] {
            assert_eq!(head(bad).bearer().unwrap_err().code, Code::TokenInvalid);
        }
        assert!(head(&[("authorization", &format!("Bearer {}", "x".repeat(LONGEST)))]).bearer().is_err());
    }

    #[test]
    fn a_secret_in_a_path_is_not_shown() {
        let secret = format!("pbc_{}", "a".repeat(49));
        let shown = |path: &str| Head { uri: path.parse().unwrap(), ..head(&[]) }.shown_path().into_owned();
        assert_eq!(shown(&format!("/v1/x/connect-links/{secret}/more")), "/v1/x/connect-links/.../more");
        assert_eq!(shown(&format!("/connect/{secret}")), "/connect/...");
        assert_eq!(shown("/v1/accounts/pbc_globex"), "/v1/accounts/pbc_globex");
    }

    #[test]
    fn cookies_are_found_by_their_whole_name() {
        let head = head(&[("cookie", "xpatchbay_session_80=no; patchbay_session_80=yes"), ("cookie", "other=1")]);
        assert_eq!(head.cookie("patchbay_session_80"), Some("yes"));
        assert_eq!(head.cookie("other"), Some("1"));
        assert_eq!(head.cookie("patchbay_session"), None);
    }

    #[test]
    fn origins_compare_by_scheme_host_and_port() {
        assert!(same("http://a", "http://A:80"));
        assert!(!same("http://a", "https://a"));
        assert!(!same("http://a:81", "http://a"));
        assert!(!same("null", "null"));
    }
}
