//! Signed-in browsers: `/session` and `/rpc`. The cookie holds a handle; nothing is kept in web storage.

use axum::http::HeaderValue;
use axum::http::header::{ORIGIN, SET_COOKIE};
use axum::response::Response;
use patchbay_api::rpc;
use patchbay_api::wire::host::{Host, LinkOffer, LookAtLink, SessionInfo, SessionMember, SignIn};
use patchbay_engine::session::NewSession;
use patchbay_engine::{CallerInfo, Grant, ManagementGrant, member, organization, session};
use patchbay_model::{Code, Fullname, Name, Operation, Origin, Problem, Secret, Timestamp};
use serde::Deserialize;
use serde_json::Value;

use crate::app::App;
use crate::gate::{self, Head, Shown};
use crate::rehearsal::Rehearsals;
use crate::serving::{Audited, Outcome, Visit};
use crate::{answer, body, callback};

/// `POST /session`
pub(crate) async fn sign_in(visit: Visit) -> Outcome {
    let caller = visit.head.info(Origin::Web);
    let result = enter(visit, caller.clone()).await;
    Outcome { result, audited: Some(Audited { grant: None, operation: "session.sign_in".to_owned(), caller }) }
}

async fn enter(visit: Visit, caller: CallerInfo) -> Result<Response, Problem> {
    let Visit { app, head, body, .. } = visit;
    // A program that is no browser sends no Origin and has nobody's cookies; signing in is open to it.
    if head.headers.contains_key(ORIGIN) {
        gate::same_origin(&app, &head)?;
    }
    app.limiter.admit(head.caller.address, app.engine.now())?;
    let body = body::read(&head.headers, body, body::MANAGEMENT).await?.ok_or_else(how)?;
    let opened = open(&app, patchbay_api::request::from_value(body)?, caller).await;
    if opened.as_ref().is_err_and(|problem| matches!(problem.code, Code::LogonFailed | Code::TokenInvalid)) {
        app.limiter.failed(head.caller.address, app.engine.now());
    }
    let opened = opened?;
    let info = info(&app, &opened.grant, Some(opened.expires)).await?;
    let mut response = answer::json(200, &info);
    let age = opened.expires.since(app.engine.now()).as_secs();
    set_cookie(&mut response, &app, &head, opened.handle.expose(), age)?;
    Ok(response)
}

fn how() -> Problem {
    Problem::new(Code::InvalidBody, "Sign in with {token}, with {organization, name, secret}, with {setup}, the secret of a set-up link, or with {setup, secret}, that of an invitation or reset and the new password.").at_body("")
}

async fn open(app: &App, how_to: SignIn, caller: CallerInfo) -> Result<NewSession, Problem> {
    match how_to {
        SignIn { setup: Some(link), token: None, name: None, secret: None, .. } => session::redeem_setup_link(&app.engine, link.expose().trim(), caller).await,
        SignIn { setup: Some(link), token: None, name: None, secret: Some(new), .. } => {
            let logon = member::redeem_link(&app.engine, &link, new, caller.clone()).await?;
            with_logon(app, logon, caller).await
        }
        SignIn { token: Some(token), setup: None, name: None, secret: None, .. } => with_token(app, &token, caller).await,
        SignIn { name: Some(name), secret: Some(secret), token: None, setup: None, organization } => {
            let organization = match organization.filter(|text| !text.is_empty()) {
                Some(organization) => organization,
                None => only_organization(app).await?,
            };
            let logon = member::logon(&app.engine, &organization, name.trim(), secret, caller.clone()).await?;
            with_logon(app, logon, caller).await
        }
        _ => Err(how()),
    }
}

async fn with_logon(app: &App, logon: member::Logon, caller: CallerInfo) -> Result<NewSession, Problem> {
    let access = logon.token.primary.and_then(|pair| pair.access.secret).ok_or_else(|| Problem::internal("a logon gave no token"))?;
    with_token(app, &access, caller).await
}

async fn with_token(app: &App, token: &Secret, caller: CallerInfo) -> Result<NewSession, Problem> {
    let grant = app.engine.verify(token.expose().trim(), caller).await?.management()?;
    session::begin(&app.engine, &grant).await
}

/// The organization where the store holds a single one. A store with several does not tell strangers which.
async fn only_organization(app: &App) -> Result<String, Problem> {
    match app.engine.organizations().await?.as_slice() {
        [one] => Ok(one.id.to_string()),
        _ => Err(Problem::field("/organization", "Several organizations are kept here. Give the name of yours.")),
    }
}

/// `POST /session/link`: what a one-time link is for, without using it. Wrong ones count like failed sign-ins.
pub(crate) async fn look_at_link(visit: Visit) -> Result<Response, Problem> {
    let Visit { app, head, body, .. } = visit;
    if head.headers.contains_key(ORIGIN) {
        gate::same_origin(&app, &head)?;
    }
    app.limiter.admit(head.caller.address, app.engine.now())?;
    let body =
        body::read(&head.headers, body, body::MANAGEMENT).await?.ok_or_else(|| Problem::new(Code::InvalidBody, "Send {link}, the secret of a one-time link.").at_body(""))?;
    let LookAtLink { link } = patchbay_api::request::from_value(body)?;
    let offer = member::look_at_link(&app.engine, &link).await;
    if offer.as_ref().is_err_and(|problem| problem.code == Code::TokenInvalid) {
        app.limiter.failed(head.caller.address, app.engine.now());
    }
    Ok(answer::json(200, &LinkOffer::from(offer?)))
}

/// `GET /session`
pub(crate) async fn who(visit: Visit) -> Result<Response, Problem> {
    let Visit { app, head, .. } = visit;
    let grant = gate::signed_in(&app, &head, head.info(Origin::Web)).await?;
    Ok(answer::json(200, &info(&app, &grant, None).await?))
}

/// `DELETE /session`
pub(crate) async fn sign_out(visit: Visit) -> Result<Response, Problem> {
    let Visit { app, head, .. } = visit;
    gate::same_origin(&app, &head)?;
    gate::signed_in(&app, &head, head.info(Origin::Web)).await?;
    if let Some(handle) = gate::handle(&app, &head) {
        session::end(&app.engine, handle.expose()).await?;
    }
    let mut response = answer::json(200, &serde_json::json!({ "result": {} }));
    set_cookie(&mut response, &app, &head, "", 0)?;
    Ok(response)
}

fn set_cookie(response: &mut Response, app: &App, head: &Head, value: &str, age: u64) -> Result<(), Problem> {
    let secure = if head.caller.secure { "; Secure" } else { "" };
    let cookie = format!("{}={value}; Path=/; HttpOnly; SameSite=Strict; Max-Age={age}{secure}", gate::cookie_name(app, head.caller.secure));
    let mut cookie = HeaderValue::from_str(&cookie).map_err(|_| Problem::internal("a session's handle does not fit a cookie"))?;
    cookie.set_sensitive(true);
    response.headers_mut().insert(SET_COOKIE, cookie);
    Ok(())
}

/// Body of `/rpc`.
#[derive(Deserialize)]
struct Command {
    command: String,
    #[serde(default)]
    params: Value,
}

/// `POST /rpc`
pub(crate) async fn rpc(visit: Visit) -> Outcome {
    let shown = Shown::of(&visit.app, &visit.head);
    let origin = shown.as_ref().map_or(Origin::Web, Shown::origin);
    let mut audited = Audited { grant: None, operation: "rpc".to_owned(), caller: visit.head.info(origin) };
    let result = match shown {
        Ok(shown) => run(visit, &shown, &mut audited).await,
        Err(problem) => Err(problem),
    };
    Outcome { result, audited: Some(audited) }
}

async fn run(visit: Visit, shown: &Shown, audited: &mut Audited) -> Result<Response, Problem> {
    let Visit { app, head, body, .. } = visit;
    // A browser sends its cookie along with what another site's page asks for; a token it does not.
    if let Shown::Session(_) = shown {
        gate::same_origin(&app, &head)?;
    }
    let grant = shown.grant(&app, audited.caller.clone()).await?;
    audited.grant = Some(Grant::Management(grant.clone()));
    let body = body::read(&head.headers, body, body::CONNECTOR).await?.unwrap_or_default();
    let Command { command, params } = patchbay_api::request::from_value(body)?;
    audited.caller.method = "RPC".to_owned();
    audited.caller.path = command.chars().take(80).collect();
    if command == "session.info" {
        return Ok(answer::json(200, &info(&app, &grant, None).await?));
    }
    if Rehearsals::handles(&command) {
        audited.operation.clone_from(&command);
        // Whoever may look at what a provider would do may try it.
        grant.require(Operation::ManifestsCheck, None)?;
        let catalog = app.engine.catalog_for(&grant).await?;
        let owner = format!("{}/{}", grant.organization(), grant.member());
        return Ok(answer::json(200, &app.rehearsals.run(&owner, &catalog, &command, params).await?));
    }
    audited.operation = rpc::operation(&command)?.id().to_owned();
    // The image of an organization has no place in the log.
    audited.caller.body = params.get("body").filter(|_| audited.operation != Operation::ConfigurationFill.id()).cloned();
    let result = rpc::dispatch(&app.engine, &grant.with_caller(audited.caller.clone()), &command, params).await?;
    Ok(answer::json(200, &result))
}

async fn info(app: &App, grant: &ManagementGrant, expires: Option<Timestamp>) -> Result<SessionInfo, Problem> {
    let organization = organization::get(&app.engine, grant).await?;
    let id = grant.member();
    let member = match member::get(&app.engine, grant, &id.to_string()).await {
        Ok(member) => SessionMember { id, name: member.name, fullname: member.fullname },
        // A narrow token may not look members up; its holder is then known by the id alone.
        Err(problem) if matches!(problem.code, Code::PermissionDenied | Code::NotFound) => {
            SessionMember { id, name: Name::from_stored(id.to_string()), fullname: Fullname::from_stored("Token".to_owned()) }
        }
        Err(problem) => return Err(problem),
    };
    Ok(SessionInfo {
        host: Host::Web,
        store: app.store.clone(),
        sample: organization.sample,
        organization: organization.into(),
        member,
        permission_set: grant.permission_set(),
        read_only: app.engine.read_only(),
        public_url: Some(app.public_url.origin().ascii_serialization()),
        link_redirect_uri: Some(callback::redirect_uri(&app.public_url)),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        token_id: grant.container(),
        expires,
    })
}
