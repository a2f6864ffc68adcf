//! Finishes a consent: the provider's answer is taken once, checked, and exchanged.

use patchbay_model::consent::{ConnectLeg, ConnectSession, ConnectState, ConsentRoute, LegState, is_callback};
use patchbay_model::flight::{StepDetail, StepKind};
use patchbay_model::{Code, ConnectSessionId, Operation, Origin, Problem, Scope, Secret};
use patchbay_providers::manifest::{At, Seen};
use patchbay_providers::{Provider, Server};

use super::begin::STATE;
use super::callback::{self, Callback};
use super::exchange::{self, Finished};
use super::explain;
use super::flight::{self, Trail};
use super::leg::{self, BrowserNonce};
use crate::background::surely;
use crate::contention::again;
use crate::oauth::{Authority, bounded, same_issuer};
use crate::{CallerInfo, Engine, ManagementGrant};

/// Finishes a consent with the URL at which the provider's answer arrived.
///
/// # Errors
/// The `consent_...` codes; the session then says the same.
pub async fn finish(engine: &Engine, grant: &ManagementGrant, session: ConnectSessionId, callback_url: &str) -> Result<ConnectSession, Problem> {
    let mut tx = engine.store().read(grant.scope()).await?;
    super::reachable(&mut tx, grant, Operation::ConnectFinish, session).await?;
    drop(tx);
    apart(engine, grant.caller().clone(), callback_url, By::Member(session)).await
}

/// Finishes whichever consent this URL answers: whoever brings it does not know which, and its `state` says so. One that the caller
/// does not reach is as unknown as one that never was.
///
/// # Errors
/// As [`finish`].
pub async fn answer(engine: &Engine, grant: &ManagementGrant, callback_url: &str) -> Result<ConnectSession, Problem> {
    grant.require(Operation::ConnectAnswer, None)?;
    let (_, callback) = callback::parse(callback_url)?;
    let hash = engine.vault().keyed_hash(STATE, callback.state.as_bytes());
    let mut tx = engine.store().read(Scope::System).await?;
    let session = match tx.connect_leg_by_state(&hash).await? {
        Some(leg) => leg.session_id,
        None => tx.connect_session_by_state(&hash).await?.ok_or_else(unknown)?.id,
    };
    drop(tx);
    let mut tx = engine.store().read(grant.scope()).await?;
    super::reachable(&mut tx, grant, Operation::ConnectAnswer, session).await.map_err(|problem| if problem.code == Code::NotFound { unknown() } else { problem })?;
    drop(tx);
    apart(engine, grant.caller().clone(), callback_url, By::Member(session)).await
}

/// Finishes a consent whose answer came to the server's own callback address; `callback_url` is that address as the world
/// sees it, with the query that came, `browser` what the browser holds that brought it. Nobody is signed in there: the `state`,
/// which only the person's browser was given, says which consent it is.
///
/// # Errors
/// As [`finish`], and `consent_other_browser`.
pub async fn finish_callback(engine: &Engine, callback_url: &str, browser: Option<&BrowserNonce>) -> Result<ConnectSession, Problem> {
    let by = By::Browser(browser.cloned());
    apart(engine, CallerInfo::local(Origin::Web), callback_url, by).await
}

/// Who brings an answer.
enum By {
    /// Whoever may finish this consent, by name.
    Member(ConnectSessionId),
    /// A browser that nobody is signed in with.
    Browser(Option<BrowserNonce>),
}

/// In a task of its own: whoever waits may go away, as browsers do, and a code that was sent must not be lost with them.
async fn apart(engine: &Engine, caller: CallerInfo, callback_url: &str, by: By) -> Result<ConnectSession, Problem> {
    let (engine, callback_url) = (engine.clone(), callback_url.to_owned());
    let task = tokio::spawn(async move {
        let _held = engine.hold();
        whole(&engine, &caller, &callback_url, &by).await
    });
    task.await.map_err(|_| Problem::internal("the consent was interrupted"))?
}

async fn whole(engine: &Engine, caller: &CallerInfo, callback_url: &str, by: &By) -> Result<ConnectSession, Problem> {
    let taken = again!(engine, { take(engine, caller.origin, callback_url, by).await });
    let scope = Scope::Account(taken.session.organization_id, taken.session.account_id);
    let mut trail = Trail::default();
    match exchange::run(engine, scope, caller, &taken, &mut trail).await {
        Ok(Finished { session }) => Ok(session),
        Err(problem) => {
            failed(engine, scope, caller, (&taken.session, taken.leg.as_ref()), &trail, &problem).await?;
            Err(problem)
        }
    }
}

/// Ends a consent with a problem: with what happened on the way to it, and with what the provider said explained.
///
/// # Errors
/// Those of the store.
pub(super) async fn failed(
    engine: &Engine,
    scope: Scope,
    caller: &CallerInfo,
    (session, leg): (&ConnectSession, Option<&ConnectLeg>),
    trail: &Trail,
    problem: &Problem,
) -> Result<(), Problem> {
    again!(engine, {
        let mut tx = engine.store().write(scope, caller.origin).await?;
        let now = engine.now();
        if tx.end_connect_session(session.id, ConnectState::Failed { code: problem.code }, Some(&problem.message), now).await? {
            if let Some((at, trouble)) = &trail.trouble {
                explain::write(engine, &mut tx, session, *at, trouble).await?;
            }
            let mut steps = trail.steps.clone();
            steps.push(flight::step(StepKind::Ended, leg, now, flight::failed(problem)));
            flight::write(&mut tx, session, steps).await?;
        }
        tx.commit().await?;
        Ok(())
    });
    Ok(())
}

/// An answer that was taken, which can be done once.
pub(super) struct Taken {
    pub(super) session: ConnectSession,
    /// The leg that it came by; none for a consent that an older Patchbay began.
    pub(super) leg: Option<ConnectLeg>,
    pub(super) callback: Callback,
}

/// Finds the leg of a callback and takes it, in this order: its form, its `state`, whether the consent is under way, its time,
/// the exact address, the browser. Only what passes all of them ends the consent, by whichever end: whoever got hold of a
/// `state` alone must not be able to end somebody else's. Issuer, error and code are looked at then.
async fn take(engine: &Engine, origin: Origin, callback_url: &str, by: &By) -> Result<Taken, Problem> {
    let (url, callback) = callback::parse(callback_url)?;
    let hash = engine.vault().keyed_hash(STATE, callback.state.as_bytes());
    let mut tx = engine.store().read(Scope::System).await?;
    let leg = tx.connect_leg_by_state(&hash).await?;
    let (session, tenant) = match &leg {
        Some(leg) => (leg.session_id, Scope::Account(leg.organization_id, leg.account_id)),
        None => {
            let session = tx.connect_session_by_state(&hash).await?.ok_or_else(unknown)?;
            (session.id, Scope::Account(session.organization_id, session.account_id))
        }
    };
    drop(tx);
    if matches!(by, By::Member(expected) if *expected != session) {
        return Err(unknown());
    }
    let mut tx = engine.store().write(tenant, origin).await?;
    let session = tx.connect_session(session).await?.ok_or_else(unknown)?;
    if session.state != ConnectState::Begun || leg.as_ref().is_some_and(|leg| leg.state != LegState::Opened) {
        return Err(over(&session));
    }
    let now = surely(engine, &mut tx).await?;
    if session.expires <= now {
        let problem = late();
        tx.end_connect_session(session.id, ConnectState::Failed { code: problem.code }, Some(&problem.message), now).await?;
        flight::write(&mut tx, &session, vec![flight::step(StepKind::Ended, leg.as_ref(), now, flight::failed(&problem))]).await?;
        tx.commit().await?;
        return Err(problem);
    }
    if leg.as_ref().is_some_and(|leg| leg.expires <= now) {
        return Err(late());
    }
    let sent = leg.as_ref().map_or(&session.redirect_uri, |leg| &leg.redirect_uri);
    let came = |code| StepDetail { code, ..flight::at(&url, Some(&Secret::new(callback.state.as_str()))) };
    if !sent.parse().is_ok_and(|sent| is_callback(&sent, &url)) {
        let problem = Problem::new(
            Code::ConsentCallbackMismatch,
            format!("The answer came to another address than {sent}, to which the consent was bound. Correct the redirect URI at the provider, then begin again."),
        );
        drop(tx);
        flight::note(engine, &session, origin, flight::step(StepKind::Callback, leg.as_ref(), now, came(Some(problem.code)))).await;
        return Err(problem);
    }
    // A member who finishes a consent by name is known; a browser at the callback address is known by what it was given.
    if let (Some(leg), By::Browser(browser)) = (leg.as_ref().filter(|leg| leg.browser_hash.is_some()), by)
        && !browser.as_ref().is_some_and(|browser| browser.holds(engine, leg))
    {
        drop(tx);
        let problem = leg::other_browser();
        flight::note(engine, &session, origin, flight::step(StepKind::Callback, Some(leg), now, came(Some(problem.code)))).await;
        return Err(problem);
    }
    // What nobody was bound to is its who brought the answer: the outcome is shown there and nowhere else.
    if let (Some(leg), By::Browser(Some(browser))) = (leg.as_ref().filter(|leg| leg.browser_hash.is_none()), by) {
        tx.bind_connect_legs(leg.session_id, &browser.hash(engine)).await?;
    }
    if let Some(leg) = &leg
        && !tx.answer_connect_leg(leg, now).await?
    {
        return Err(over(&session));
    }
    match tx.begin_exchange(session.id, leg.as_ref(), now).await? {
        Some(session) => {
            flight::write(&mut tx, &session, vec![flight::step(StepKind::Callback, leg.as_ref(), now, came(None))]).await?;
            tx.commit().await?;
            Ok(Taken { session, leg, callback })
        }
        None => {
            let session = tx.connect_session(session.id).await?.unwrap_or(session);
            Err(over(&session))
        }
    }
}

fn unknown() -> Problem {
    Problem::new(Code::ConsentUnknown, "This answer belongs to no consent that was begun here. Begin the consent again, and use the newest link only.")
}

pub(super) fn late() -> Problem {
    Problem::new(Code::ConsentExpired, "The provider's answer came too late. Begin the consent again and finish it within ten minutes.")
}

/// Why a consent that is not under way takes no answer.
pub(super) fn over(session: &ConnectSession) -> Problem {
    match session.state {
        ConnectState::Failed { code: Code::ConsentExpired } => late(),
        ConnectState::Cancelled => {
            Problem::new(Code::ConsentReplayed, "This consent was cancelled, or a newer one was begun. Begin the consent again, and use the newest link only.")
        }
        _ => Problem::new(Code::ConsentReplayed, "This answer was used before. If the integration is not connected, begin the consent again."),
    }
}

/// RFC 9207 section 2.4: an answer of another issuer than the one that was asked is a mix-up attack, be it an error or a code.
/// Without the authority, which cannot be asked just now, only an issuer that is named is compared.
pub(super) fn check_issuer(session: &ConnectSession, authority: Option<&Authority>, callback: &Callback) -> Result<(), Problem> {
    if let Some(authority) = authority {
        same_authority(session, authority)?;
        if !authority.iss_checked {
            return Ok(());
        }
    }
    match (&callback.issuer, &session.issuer) {
        (Some(came), Some(expected)) if came == expected => Ok(()),
        (Some(_), _) => Err(mixed_up("The answer comes from another issuer than the one that was asked.")),
        (None, _) if authority.is_some_and(|authority| authority.iss_required) => {
            Err(mixed_up("The answer does not say which issuer it comes from, although this issuer always does."))
        }
        (None, _) => Ok(()),
    }
}

/// That the consent still goes to the issuer at which it began.
pub(super) fn same_authority(session: &ConnectSession, authority: &Authority) -> Result<(), Problem> {
    match (&session.issuer, &authority.issuer) {
        (Some(begun), Some(now)) if !same_issuer(begun, now) => Err(mixed_up("The integration was given another issuer while the consent was under way.")),
        _ => Ok(()),
    }
}

fn mixed_up(what: &str) -> Problem {
    Problem::new(Code::ConsentIssuerMismatch, format!("{what} The code was not used. Begin the consent again; if it comes back, somebody may be tampering with it."))
}

/// The code of an answer, when it holds one.
///
/// # Errors
/// The provider's own, and `provider_invalid_answer` when there is neither.
pub(super) fn code<'a>(session: &ConnectSession, provider: &Provider, server: &Server, callback: &'a Callback) -> Result<&'a str, Problem> {
    if let Some(error) = &callback.error {
        return Err(refused(session, provider, error, callback.error_description.as_deref()));
    }
    let facts = &server.callback;
    if let Some(code) = callback.said(&facts.code)? {
        return Ok(code);
    }
    let approved = match &facts.without_code {
        Some(name) => callback.said(name)?,
        None => None,
    };
    Err(match approved {
        // An administrator has agreed for all, which gives nobody access yet.
        Some(to) => Problem::new(Code::ConsentDenied, format!("The app is approved now for `{}`, which alone gives no access. Begin the consent again.", bounded(to))),
        None => Problem::new(
            Code::ProviderInvalidAnswer,
            "The provider's answer holds neither a code nor an error. Begin the consent again; if it stays so, ask whoever runs the provider.",
        ),
    })
}

/// The provider's error (RFC 6749 section 4.1.2.1), with what to do about it.
pub(super) fn refused(session: &ConnectSession, provider: &Provider, error: &str, description: Option<&str>) -> Problem {
    let error = bounded(error);
    let words = description.map(bounded).filter(|words| !words.is_empty());
    let says = words.as_deref().map(|words| format!(" The provider says: `{words}`.")).unwrap_or_default();
    let seen = Seen { code: Some(&error), words: words.as_deref(), ..Seen::default() };
    let own = provider.explain(At::Callback, &seen).map(|(_, own)| own.to_owned());
    let step = own.unwrap_or_else(|| match error.as_str() {
        "access_denied" => "The person or the provider refused.".to_owned(),
        "invalid_scope" => format!("The provider does not know or does not give one of the scopes ({}). Correct the scopes of the provider app.", session.scopes.join(" ")),
        "unauthorized_client" => "The client may not ask in this way. Allow the authorization code grant for it at the provider.".to_owned(),
        "redirect_uri_mismatch" => format!("Register exactly {} at the provider.", session.redirect_uri),
        "server_error" | "temporarily_unavailable" => "The provider is out of order. Try again later.".to_owned(),
        _ => format!("The provider ended the consent with `{error}`."),
    });
    let mut problem = Problem::new(Code::ConsentDenied, format!("{step}{says} Begin the consent again when that is settled."));
    problem.context.raw_error = Some(words.map_or(error.clone(), |words| format!("{error}: {words}")));
    problem
}

/// Where a change by a consent comes from.
pub(super) fn origin_of(route: ConsentRoute, caller: &CallerInfo) -> Origin {
    match route {
        ConsentRoute::Link => Origin::Web,
        ConsentRoute::Window | ConsentRoute::Browser | ConsentRoute::Paste | ConsentRoute::Device => caller.origin,
    }
}
