//! A consent as the person sees it who makes it: on the server's own pages, signed in nowhere, in the browser that it is bound to. What such
//! a browser may see is its own consent and nothing beside it; what it may do is what the link allows by which it came.

use std::sync::Arc;
use std::time::Duration;

use patchbay_model::account::Account;
use patchbay_model::consent::{ConnectLeg, ConnectSession, ConnectState, ConsentRoute, DevicePrompt, LegState, MOST_LEGS, Place};
use patchbay_model::flight::StepKind;
use patchbay_model::organization::Organization;
use patchbay_model::{Code, ConnectSessionId, Problem, Scope, Secret, Timestamp};
use patchbay_providers::{Provider, Server};
use patchbay_store::ReadTx;
use serde_json::Value;
use url::Url;

use super::begin::{STATE, awaited, word};
use super::leg::{self, BrowserNonce};
use super::{Platform, SwitchConsent, callback, device, finish};
use crate::background::surely;
use crate::connect_link::{self, OpenLink};
use crate::contention::again;
use crate::oauth::authority;
use crate::receipt::{self, Granted, in_words, server_of};
use crate::{CallerInfo, Engine, definition, reach};

/// How long the page of a consent that is over can be looked at.
const SHOWN: Duration = Duration::from_secs(86_400);

/// The ways that the server's own pages can lead on, the better one first.
pub(crate) const WAYS: [ConsentRoute; 2] = [ConsentRoute::Link, ConsentRoute::Device];

/// A consent, as its browser may see it.
pub struct HostedConsent {
    /// The consent.
    pub session: ConnectSession,
    /// Who asks.
    pub organization: Organization,
    /// For which customer.
    pub account: Account,
    /// The provider, by its name for people.
    pub provider: String,
    /// How far it is.
    pub stage: Stage,
    /// Where the last page leads back to.
    pub return_url: Option<String>,
    /// What is asked for, with what it means.
    pub asks: Vec<Granted>,
    /// Other ways on which the person can go on.
    pub ways: Vec<ConsentRoute>,
    /// Whether it was begun by a link.
    pub by_link: bool,
    /// Whether that link can still do something: stop it, turn it, begin it anew.
    pub link_lives: bool,
}

/// How far a consent is.
pub enum Stage {
    /// The person has yet to go to the provider, whose page is at this host.
    Ready {
        /// The host, where it is known.
        host: Option<String>,
    },
    /// The person went there and has not come back.
    Away {
        /// The host, where it is known.
        host: Option<String>,
    },
    /// The person enters a code at another device, until then. The provider is asked again after so many seconds.
    Device {
        /// What is entered where.
        prompt: DevicePrompt,
        /// Until when.
        until: Timestamp,
        /// The provider's interval.
        seconds: u32,
    },
    /// Somebody of the organization goes on with it elsewhere.
    Elsewhere,
    /// The answer is being checked.
    Checking,
    /// What was granted is good for several places, of which the person chooses one.
    Choose {
        /// The places.
        places: Vec<Place>,
    },
    /// It gave what it was for.
    Connected(Box<Agreed>),
    /// It ended without.
    Over(Over),
}

/// What was agreed to.
pub struct Agreed {
    /// The scopes, with what they mean.
    pub granted: Vec<Granted>,
    /// Until when, where that is known.
    pub expires: Option<Timestamp>,
    /// When it ended, where it has.
    pub ended: Option<Timestamp>,
    /// What stands in the address of the receipt.
    pub receipt: Option<Secret>,
    /// What the person can do at the provider to take it back, step by step.
    pub manual: Vec<String>,
}

/// How a consent ended that gave nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Over {
    /// The person, or somebody of the organization, gave it up.
    Cancelled,
    /// A newer one took its place; the one that is this browser's.
    Replaced {
        /// The newer one, where it is this browser's too.
        newer: Option<ConnectSessionId>,
    },
    /// Its time was over.
    Expired,
    /// It failed; the session says why.
    Failed {
        /// Why.
        code: Code,
    },
}

fn nothing() -> Problem {
    Problem::new(Code::LinkInvalid, "There is nothing to see here in this browser. Go on in the browser in which you began, or open the link again that you were given.")
}

/// The consent with this id, if it is this browser's, and a transaction of its tenant.
async fn find(engine: &Engine, id: &str, browser: &BrowserNonce) -> Result<(ReadTx, ConnectSession), Problem> {
    let id = id.parse::<ConnectSessionId>().map_err(|_| nothing())?;
    let mut tx = engine.store().read(Scope::System).await?;
    let session = tx.connect_session_of_browser(id, &browser.hash(engine)).await?.ok_or_else(nothing)?;
    tx.enter(Scope::Account(session.organization_id, session.account_id))?;
    let ended = !matches!(session.state, ConnectState::Begun | ConnectState::Exchanging | ConnectState::Choosing);
    if ended && session.updated_at.plus(SHOWN) <= engine.now() { Err(nothing()) } else { Ok((tx, session)) }
}

/// What a browser sees of its consent. Where a person enters a code elsewhere, looking asks the provider, when it is time.
///
/// # Errors
/// `link_invalid` for everything that is not this browser's, or no longer; problems of the store.
pub async fn hosted(engine: &Engine, id: &str, browser: &BrowserNonce, caller: &CallerInfo) -> Result<HostedConsent, Problem> {
    let (mut tx, mut session) = find(engine, id, browser).await?;
    let mut legs = tx.connect_legs(session.id).await?;
    if session.state == ConnectState::Begun && legs.iter().any(|leg| leg.device.is_some()) {
        drop(tx);
        device::look(engine, caller, &session).await?;
        (tx, session) = find(engine, id, browser).await?;
        legs = tx.connect_legs(session.id).await?;
    }
    let organization = tx.organization().await?;
    let account = tx.account(session.account_id).await?.ok_or_else(nothing)?;
    let integration = tx.integration(session.integration_id).await?.ok_or_else(nothing)?;
    let definition = definition::pinned(engine, &mut tx, integration.definition).await?;
    let provider = engine.provider_of(&definition);
    let came_by = tx.link_of_connect_session(session.id).await?;
    let (by_link, return_url) = (came_by.is_some(), came_by.and_then(|link| link.settings.return_url));
    let server = provider.as_deref().and_then(|provider| server_of(provider, Some(word(&integration))));
    let asks = in_words(server, &session.scopes);
    let late = session.expires <= surely(engine, &mut tx).await?;
    let stage = match session.state {
        ConnectState::Begun if late => Stage::Over(Over::Expired),
        ConnectState::Begun => {
            let server = provider.as_ref().and_then(|provider| Some((provider, awaited(&integration, provider).ok()?)));
            under_way(engine, &mut tx, &session, &legs, server, integration.config.as_object()).await?
        }
        ConnectState::Completed => Stage::Connected(Box::new(agreed(engine, &mut tx, &session, server).await?)),
        ConnectState::Cancelled => Stage::Over(cancelled(engine, &mut tx, &session, browser).await?),
        ConnectState::Failed { code: Code::ConsentExpired } => Stage::Over(Over::Expired),
        ConnectState::Failed { code } => Stage::Over(Over::Failed { code }),
        ConnectState::Choosing if late => Stage::Over(Over::Expired),
        ConnectState::Choosing => Stage::Choose { places: session.places.clone() },
        // The person has done its part; what is left is ours.
        ConnectState::Exchanging => Stage::Checking,
    };
    drop(tx);
    let link = match &stage {
        Stage::Connected(_) | Stage::Checking | Stage::Over(Over::Replaced { newer: Some(_) }) => None,
        _ => connect_link::behind(engine, &session, caller.clone()).await?,
    };
    let ways = match (&link, &stage) {
        (Some(link), Stage::Ready { .. } | Stage::Away { .. } | Stage::Device { .. }) if legs.len() < usize::try_from(MOST_LEGS).unwrap_or(usize::MAX) => {
            ways(engine, link, &session).await?
        }
        _ => Vec::new(),
    };
    let provider = provider.map_or_else(|| integration.provider.to_string(), |provider| provider.fullname().to_owned());
    Ok(HostedConsent { organization, account, provider, stage, return_url, asks, ways, by_link, link_lives: link.is_some(), session })
}

/// Where the person of a consent is that is under way.
async fn under_way(
    engine: &Engine,
    tx: &mut ReadTx,
    session: &ConnectSession,
    legs: &[ConnectLeg],
    server: Option<(&Arc<Provider>, &Server)>,
    config: Option<&serde_json::Map<String, Value>>,
) -> Result<Stage, Problem> {
    let Some(leg) = legs.last() else { return Ok(Stage::Elsewhere) };
    match (leg.route, leg.state) {
        (ConsentRoute::Link, LegState::Prepared) => {
            let config = config.cloned().unwrap_or_default();
            let host = match server {
                // Known since the consent began; without it the page is right too.
                Some((provider, server)) => match authority(engine.http(), &engine.outbound().metadata, provider, server, &config).await {
                    Ok(authority) => authority.authorize()?.host_str().map(str::to_owned),
                    Err(_) => None,
                },
                None => None,
            };
            Ok(Stage::Ready { host })
        }
        (ConsentRoute::Link, _) => {
            let opened = tx.flight_steps(session.id).await?.into_iter().rev().map(|step| step.step).find(|step| step.kind == StepKind::Opened);
            let host = opened.and_then(|step| Url::parse(&step.detail.seen?.origin).ok()?.host_str().map(str::to_owned));
            Ok(Stage::Away { host })
        }
        (ConsentRoute::Device, _) => {
            let prompt = leg::prompt(engine, leg).await?;
            let seconds = leg.device.as_ref().map_or(0, |device| device.poll_seconds);
            Ok(prompt.map_or(Stage::Elsewhere, |prompt| Stage::Device { prompt, until: leg.expires, seconds }))
        }
        (ConsentRoute::Window | ConsentRoute::Browser | ConsentRoute::Paste, _) => Ok(Stage::Elsewhere),
    }
}

/// What a consent gave.
async fn agreed(engine: &Engine, tx: &mut ReadTx, session: &ConnectSession, server: Option<&Server>) -> Result<Agreed, Problem> {
    let found = tx.receipts_of_integration(session.integration_id).await?.into_iter().find(|receipt| receipt.connect_session_id == Some(session.id));
    let manual = server.map(|server| server.revocation.manual.steps.clone()).unwrap_or_default();
    let Some(found) = found.filter(|receipt| receipt.erased_at.is_none()) else {
        return Ok(Agreed { granted: Vec::new(), expires: None, ended: None, receipt: None, manual });
    };
    // The page is right without it too.
    let receipt = receipt::of_session(engine, session).await.unwrap_or_else(|problem| {
        tracing::warn!(code = problem.code.as_str(), session = %session.id, "a consent has no link to its receipt");
        None
    });
    Ok(Agreed { granted: in_words(server, &found.scopes), expires: found.expires_at, ended: found.ended_at, receipt, manual })
}

/// Whether somebody gave a consent up, or a newer one took its place.
async fn cancelled(engine: &Engine, tx: &mut ReadTx, session: &ConnectSession, browser: &BrowserNonce) -> Result<Over, Problem> {
    let Some(newest) = tx.latest_connect_session(session.integration_id).await?.filter(|newest| newest.id != session.id) else { return Ok(Over::Cancelled) };
    let held = tx.connect_legs(newest.id).await?.iter().any(|leg| browser.holds(engine, leg));
    Ok(Over::Replaced { newer: held.then_some(newest.id) })
}

/// Other ways on which a page can lead on.
async fn ways(engine: &Engine, link: &OpenLink, session: &ConnectSession) -> Result<Vec<ConsentRoute>, Problem> {
    let (account, integration) = (session.account_id.to_string(), session.integration_id.to_string());
    let offers = match super::routes(engine, &link.grant, &account, &integration, Platform::default()).await {
        Ok(offers) => offers,
        // Without the provider app there is no other way either.
        Err(problem) if matches!(problem.code, Code::ProviderAppMissing | Code::IntegrationNotActive | Code::InvalidRequest) => return Ok(Vec::new()),
        Err(problem) => return Err(problem),
    };
    let possible = |route: &ConsentRoute| *route != session.route && offers.iter().any(|offer| offer.route == *route && offer.possible());
    Ok(WAYS.into_iter().filter(possible).collect())
}

/// Gives the provider's page of a consent that is under way, to the browser that it is bound to.
///
/// # Errors
/// `link_invalid`, and those of [`super::open_leg`].
pub async fn set_out(engine: &Engine, id: &str, browser: &BrowserNonce) -> Result<Url, Problem> {
    let (tx, session) = find(engine, id, browser).await?;
    drop(tx);
    leg::open_newest(engine, &session, browser).await
}

/// A consent of this browser, and the link by which it came, which must still work.
async fn by_link(engine: &Engine, id: &str, browser: &BrowserNonce, caller: &CallerInfo) -> Result<(ConnectSession, OpenLink), Problem> {
    let (tx, session) = find(engine, id, browser).await?;
    drop(tx);
    let link = connect_link::behind(engine, &session, caller.clone()).await?.ok_or_else(connect_link::dead)?;
    Ok((session, link))
}

/// Goes on with a consent on another way.
///
/// # Errors
/// `link_invalid` when the link by which it came no longer works, and those of [`super::switch`].
pub async fn turn(engine: &Engine, id: &str, browser: &BrowserNonce, route: ConsentRoute, caller: &CallerInfo) -> Result<(), Problem> {
    let (session, link) = by_link(engine, id, browser, caller).await?;
    if !WAYS.contains(&route) {
        return Err(Problem::new(Code::ConsentRouteUnavailable, "This page cannot lead on in that way."));
    }
    let wanted = SwitchConsent { route: Some(route), redirect_uri: None, platform: Platform::default() };
    super::switch(engine, &link.grant, session.id, wanted).await?;
    connect_link::bind(engine, &link, session.id, browser).await
}

/// Gives a consent up.
///
/// # Errors
/// `link_invalid` when the link by which it came no longer works, and those of [`super::cancel`].
pub async fn stop(engine: &Engine, id: &str, browser: &BrowserNonce, caller: &CallerInfo) -> Result<(), Problem> {
    let (session, link) = by_link(engine, id, browser, caller).await?;
    super::cancel(engine, &link.grant, session.id).await.map(drop)
}

/// Finishes a consent with the place that the person chose.
///
/// # Errors
/// `link_invalid` when the link by which it came no longer works, and those of [`super::choose`].
pub async fn choose(engine: &Engine, id: &str, browser: &BrowserNonce, place: &str, caller: &CallerInfo) -> Result<(), Problem> {
    let (session, link) = by_link(engine, id, browser, caller).await?;
    super::choose(engine, &link.grant, session.id, place).await.map(drop)
}

/// Begins a consent that gave nothing anew, by the same link.
///
/// # Errors
/// `link_invalid` when that link no longer works, and those of [`super::begin`].
pub async fn begin_again(engine: &Engine, id: &str, browser: &BrowserNonce, caller: &CallerInfo) -> Result<ConnectSessionId, Problem> {
    let (session, link) = by_link(engine, id, browser, caller).await?;
    let over = matches!(session.state, ConnectState::Failed { .. } | ConnectState::Cancelled);
    let mut tx = reach::reading(engine, &link.grant).await?;
    let late = matches!(session.state, ConnectState::Begun | ConnectState::Choosing) && session.expires <= surely(engine, &mut tx).await?;
    if !(over || late) {
        return Err(finish::over(&session));
    }
    let integration = tx.integration(session.integration_id).await?.ok_or_else(connect_link::dead)?;
    drop(tx);
    Ok(connect_link::begin(engine, &link, &integration, browser).await?.session.id)
}

/// The consent whose answer this is, where it is this browser's and no longer waits for one.
///
/// # Errors
/// Problems of the store.
pub async fn answered(engine: &Engine, callback_url: &str, browser: &BrowserNonce) -> Result<Option<ConnectSessionId>, Problem> {
    let Ok((_, callback)) = callback::parse(callback_url) else { return Ok(None) };
    Ok(again!(engine, {
        let mut tx = engine.store().read(Scope::System).await?;
        let Some(leg) = tx.connect_leg_by_state(&engine.vault().keyed_hash(STATE, callback.state.as_bytes())).await? else { return Ok(None) };
        if !browser.holds(engine, &leg) {
            return Ok(None);
        }
        let session = tx.connect_session_of_browser(leg.session_id, &browser.hash(engine)).await?;
        Ok(session.filter(|session| session.state != ConnectState::Begun).map(|session| session.id))
    }))
}
