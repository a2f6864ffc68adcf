//! Finishes a consent: the provider's answer is taken once, checked, and exchanged.

use patchbay_model::consent::{ConnectSession, ConnectState, ConsentRoute, is_callback};
use patchbay_model::{Code, ConnectSessionId, Operation, Origin, Problem, Scope};

use super::begin::STATE;
use super::callback::{self, Callback};
use super::exchange::{self, Finished};
use crate::background::surely;
use crate::contention::again;
use crate::{CallerInfo, Engine, ManagementGrant};

/// Finishes a consent with the URL at which the provider's answer arrived.
///
/// # Errors
/// The `consent_...` codes; the session then says the same.
pub async fn finish(engine: &Engine, grant: &ManagementGrant, session: ConnectSessionId, callback_url: &str) -> Result<ConnectSession, Problem> {
    let mut tx = engine.store().read(grant.scope()).await?;
    super::reachable(&mut tx, grant, Operation::ConnectFinish, session).await?;
    drop(tx);
    apart(engine, grant.caller().clone(), callback_url, Some(session)).await
}

/// Finishes a consent whose answer came to the server's own callback address; `callback_url` is that address as the world
/// sees it, with the query that came. Nobody is signed in there: the `state`, which only the person's browser was given,
/// says which consent it is.
///
/// # Errors
/// As [`finish`].
pub async fn finish_callback(engine: &Engine, callback_url: &str) -> Result<ConnectSession, Problem> {
    apart(engine, CallerInfo::local(Origin::Web), callback_url, None).await
}

/// In a task of its own: whoever waits may go away, as browsers do, and a code that was sent must not be lost with them.
async fn apart(engine: &Engine, caller: CallerInfo, callback_url: &str, expected: Option<ConnectSessionId>) -> Result<ConnectSession, Problem> {
    let (engine, callback_url) = (engine.clone(), callback_url.to_owned());
    let task = tokio::spawn(async move {
        let _held = engine.hold();
        whole(&engine, &caller, &callback_url, expected).await
    });
    task.await.map_err(|_| Problem::internal("the consent was interrupted"))?
}

async fn whole(engine: &Engine, caller: &CallerInfo, callback_url: &str, expected: Option<ConnectSessionId>) -> Result<ConnectSession, Problem> {
    let (session, callback) = again!(engine, { take(engine, caller.origin, callback_url, expected).await });
    let scope = Scope::Account(session.organization_id, session.account_id);
    let finished = match checked(&session, callback) {
        Ok(code) => exchange::run(engine, scope, caller, &session, &code).await,
        Err(problem) => Err(problem),
    };
    match finished {
        Ok(Finished { session }) => Ok(session),
        Err(problem) => {
            again!(engine, {
                let mut tx = engine.store().write(scope, caller.origin).await?;
                tx.end_connect_session(session.id, ConnectState::Failed { code: problem.code }, Some(&problem.message), engine.now()).await?;
                tx.commit().await?;
                Ok(())
            });
            Err(problem)
        }
    }
}

/// Finds the consent of a callback and takes the callback, which can be done once.
async fn take(engine: &Engine, origin: Origin, callback_url: &str, expected: Option<ConnectSessionId>) -> Result<(ConnectSession, Callback), Problem> {
    let (url, callback) = callback::parse(callback_url)?;
    let hash = engine.vault().keyed_hash(STATE, callback.state.as_bytes());
    let mut tx = engine.store().read(Scope::System).await?;
    let session = tx
        .connect_session_by_state(&hash)
        .await?
        .filter(|session| expected.is_none_or(|expected| expected == session.id))
        .ok_or_else(|| Problem::new(Code::ConsentUnknown, "This answer belongs to no consent that was begun here. Begin the consent again, and use the newest link only."))?;
    drop(tx);
    if session.state != ConnectState::Begun {
        return Err(over(&session));
    }
    let mut tx = engine.store().write(Scope::Account(session.organization_id, session.account_id), origin).await?;
    let now = surely(engine, &mut tx).await?;
    if session.expires <= now {
        let problem = late();
        tx.end_connect_session(session.id, ConnectState::Failed { code: problem.code }, Some(&problem.message), now).await?;
        tx.commit().await?;
        return Err(problem);
    }
    if !session.redirect_uri.parse().is_ok_and(|sent| is_callback(&sent, &url)) {
        // Not taken: whoever got hold of a state must not be able to end somebody else's consent.
        return Err(Problem::new(
            Code::ConsentCallbackMismatch,
            format!(
                "The answer came to another address than {}, to which the consent was bound. Correct the redirect URI at the provider, then begin again.",
                session.redirect_uri
            ),
        ));
    }
    match tx.begin_exchange(session.id, now).await? {
        Some(session) => {
            tx.commit().await?;
            Ok((session, callback))
        }
        None => {
            let session = tx.connect_session(session.id).await?.unwrap_or(session);
            Err(over(&session))
        }
    }
}

pub(super) fn late() -> Problem {
    Problem::new(Code::ConsentExpired, "The provider's answer came too late. Begin the consent again and finish it within ten minutes.")
}

/// Why a consent that is not under way takes no answer.
fn over(session: &ConnectSession) -> Problem {
    match session.state {
        ConnectState::Failed { code: Code::ConsentExpired } => late(),
        ConnectState::Cancelled => {
            Problem::new(Code::ConsentReplayed, "This consent was cancelled, or a newer one was begun. Begin the consent again, and use the newest link only.")
        }
        _ => Problem::new(Code::ConsentReplayed, "This answer was used before. If the integration is not connected, begin the consent again."),
    }
}

/// The code, when the answer comes from whom it should and holds one.
fn checked(session: &ConnectSession, callback: Callback) -> Result<(Callback, String), Problem> {
    if let Some(error) = &callback.error {
        return Err(refused(session, error, callback.error_description.as_deref()));
    }
    match callback.code.clone().filter(|code| !code.is_empty()) {
        Some(code) => Ok((callback, code)),
        None => Err(Problem::new(
            Code::ProviderInvalidAnswer,
            "The provider's answer holds neither a code nor an error. Begin the consent again; if it stays so, ask whoever runs the provider.",
        )),
    }
}

/// The provider's error (RFC 6749 section 4.1.2.1), with what to do about it.
fn refused(session: &ConnectSession, error: &str, description: Option<&str>) -> Problem {
    let error = crate::oauth::bounded(error);
    let words = description.map(crate::oauth::bounded).filter(|words| !words.is_empty());
    let says = words.as_deref().map(|words| format!(" The provider says: {words}")).unwrap_or_default();
    let step = match error.as_str() {
        "access_denied" => "The person or the provider refused.".to_owned(),
        "invalid_scope" => format!("The provider does not know or does not give one of the scopes ({}). Correct the scopes of the provider app.", session.scopes.join(" ")),
        "unauthorized_client" => "The client may not ask in this way. Allow the authorization code grant for it at the provider.".to_owned(),
        "redirect_uri_mismatch" => format!("Register exactly {} at the provider.", session.redirect_uri),
        "server_error" | "temporarily_unavailable" => "The provider is out of order. Try again later.".to_owned(),
        _ => format!("The provider ended the consent with `{error}`."),
    };
    let mut problem = Problem::new(Code::ConsentDenied, format!("{step}{says} Begin the consent again when that is settled."));
    problem.context.raw_error = Some(words.map_or(error.clone(), |words| format!("{error}: {words}")));
    problem
}

/// Where a change by a consent comes from.
pub(super) fn origin_of(route: ConsentRoute, caller: &CallerInfo) -> Origin {
    match route {
        ConsentRoute::Link => Origin::Web,
        ConsentRoute::Window | ConsentRoute::Browser => caller.origin,
    }
}
