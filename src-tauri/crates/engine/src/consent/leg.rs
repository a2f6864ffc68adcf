//! Legs of a consent: each is one try on one way, with a state, a verifier and a redirect URI of its own. A leg is prepared,
//! and opened when somebody sets out on it: at once, or when a browser comes to its start address, to which it is bound then.

use std::time::Duration;

use patchbay_model::consent::{ConnectLeg, ConnectSession, ConnectState, ConsentRoute, DeviceLeg, DevicePrompt, LegState, ProviderApp};
use patchbay_model::flight::{NewStep, StepDetail, StepKind};
use patchbay_model::{Code, ConnectLegId, Context, Origin, Problem, Scope, Secret, Timestamp};
use patchbay_store::{LegOpening, WriteTx};
use serde::Deserialize;
use serde_json::json;
use url::Url;

use super::begin::{STATE, awaited};
use super::client::client_of;
use super::{Begun, finish, flight};
use crate::background::surely;
use crate::contention::again;
use crate::oauth::{Asking, Authority, OAuthClient, authority, authorize, device, push, random};
use crate::{Engine, definition, sealing};

/// The purpose under which tickets of start addresses are hashed.
const TICKET: &str = "consent ticket";
/// The purpose under which what a browser holds is hashed.
const BROWSER: &str = "consent browser";

/// By what a browser is known again: the value of a cookie that it was given when it set out.
#[derive(Clone)]
pub struct BrowserNonce(Secret);

impl BrowserNonce {
    /// One for a browser that has none.
    pub fn new(context: &Context) -> Self {
        Self(random(context.entropy()))
    }

    /// One that a browser brings; none for what was not made here.
    pub fn parse(text: &str) -> Option<Self> {
        let right = text.len() == 43 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        right.then(|| Self(Secret::new(text)))
    }

    /// The cookie's value.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }

    pub(crate) fn hash(&self, engine: &Engine) -> [u8; 32] {
        engine.vault().keyed_hash(BROWSER, self.0.expose().as_bytes())
    }

    /// Whether a leg is bound to this browser.
    pub(super) fn holds(&self, engine: &Engine, leg: &ConnectLeg) -> bool {
        leg.browser_hash.as_deref() == Some(&self.hash(engine)[..])
    }
}

/// What an open leg alone knows, as sealed.
#[derive(Deserialize)]
pub(super) struct LegSecrets {
    /// What comes back with the answer.
    pub(super) state: Secret,
    /// RFC 7636 section 4.1.
    #[serde(default)]
    pub(super) verifier: Option<Secret>,
    /// RFC 8628 section 3.2.
    #[serde(default)]
    pub(super) device_code: Option<Secret>,
    /// Where the person of a device enters the code, with the code in it (RFC 8628 section 3.3.1).
    #[serde(default)]
    pub(super) complete: Option<Secret>,
}

impl LegSecrets {
    fn new(engine: &Engine, authority: &Authority) -> Self {
        let entropy = engine.context().entropy();
        Self { state: random(entropy), verifier: authority.pkce.then(|| random(entropy)), device_code: None, complete: None }
    }

    /// Those of a leg by way of a device, to which no callback comes.
    fn of_device(engine: &Engine, device_code: Secret, complete: Option<&Url>) -> Self {
        Self { state: random(engine.context().entropy()), verifier: None, device_code: Some(device_code), complete: complete.map(|url| Secret::new(url.as_str())) }
    }

    /// Reads what was sealed.
    ///
    /// # Errors
    /// `internal` when it is something else.
    pub(super) fn from_secret(secret: &Secret) -> Result<Self, Problem> {
        // The parser's own words could quote the value.
        serde_json::from_str(secret.expose()).map_err(|_| Problem::internal("the sealed part of a consent's leg has another form than Patchbay writes"))
    }

    fn to_secret(&self) -> Secret {
        let text = |secret: &Option<Secret>| secret.as_ref().map(|secret| secret.expose().to_owned());
        Secret::new(json!({ "state": self.state.expose(), "verifier": text(&self.verifier), "device_code": text(&self.device_code), "complete": text(&self.complete) }).to_string())
    }

    /// The provider's page.
    async fn page(&self, engine: &Engine, authority: &Authority, app: &ProviderApp, session: &ConnectSession, leg: &ConnectLeg) -> Result<Url, Problem> {
        let asking = Asking { redirect_uri: &leg.redirect_uri, scopes: &session.scopes, state: &self.state, verifier: self.verifier.as_ref() };
        // The secret has a part in this request only where it is pushed.
        let client = if authority.pushes() {
            let mut tx = engine.store().read_secrets(Scope::Account(leg.organization_id, leg.account_id)).await?;
            client_of(engine, &mut tx, app).await?
        } else {
            OAuthClient { id: app.client_id.clone(), secret: None }
        };
        push(engine, authority, &client, authorize(authority, &client, &asking)?).await.map(|page| engine.network().shown(page))
    }

    /// Opens the leg in the transaction. Says whether it was there to be opened.
    async fn open(&self, engine: &Engine, tx: &mut WriteTx, session: &ConnectSession, leg: &ConnectLeg, browser: Option<&BrowserNonce>) -> Result<bool, Problem> {
        let sealed = engine.seal(tx, &sealing::leg_place(leg), &self.to_secret()).await?;
        let state_hash = engine.vault().keyed_hash(STATE, self.state.expose().as_bytes());
        let browser_hash = browser.map(|browser| browser.hash(engine));
        let opening = LegOpening { browser_hash: browser_hash.as_ref().map(|hash| &hash[..]), state_hash: &state_hash, secrets: &sealed };
        if !tx.open_connect_leg(leg.id, &opening, leg.updated_at).await? {
            return Ok(false);
        }
        // For an older server, which knows of one way alone. A bound leg is none of its business: it would not ask for the browser.
        if browser.is_none() {
            let verifier = match &self.verifier {
                Some(verifier) => Some(engine.seal(tx, &sealing::verifier_place(session), verifier).await?),
                None => None,
            };
            tx.turn_connect_session(session, Some((&state_hash, verifier.as_ref()))).await?;
        }
        Ok(true)
    }
}

/// A leg that is about to be written, with what its begin tells.
pub(super) struct NewLeg {
    leg: ConnectLeg,
    host: String,
    way: NewWay,
}

/// How far it is opened.
enum NewWay {
    /// Not yet: somebody will come to its start address with this.
    Later(Secret),
    /// At this page.
    Page(LegSecrets, Url),
    /// A person enters a code at another device.
    Device(LegSecrets, DeviceLeg, Option<Url>),
}

impl NewLeg {
    /// A leg on the session's way.
    ///
    /// # Errors
    /// Trouble with pushing the request to the provider, where it wants that, and with asking for a code for a device.
    pub(super) async fn of(engine: &Engine, session: &ConnectSession, number: u32, authority: &Authority, app: &ProviderApp) -> Result<Self, Problem> {
        let leg = ConnectLeg {
            id: ConnectLegId::from_uuid(engine.context().new_uuid()),
            organization_id: session.organization_id,
            account_id: session.account_id,
            session_id: session.id,
            number,
            route: session.route,
            redirect_uri: session.redirect_uri.clone(),
            state: LegState::Prepared,
            browser_hash: None,
            device: None,
            expires: session.expires,
            created_at: session.updated_at,
            updated_at: session.updated_at,
        };
        if leg.route == ConsentRoute::Device {
            return Self::of_device(engine, session, leg, authority, app).await;
        }
        let host = authority.authorize()?.host_str().unwrap_or_default().to_owned();
        if leg.route.opens_later() {
            return Ok(Self { leg, host, way: NewWay::Later(random(engine.context().entropy())) });
        }
        let secrets = LegSecrets::new(engine, authority);
        let page = secrets.page(engine, authority, app, session, &leg).await?;
        Ok(Self { leg, host, way: NewWay::Page(secrets, page) })
    }

    async fn of_device(engine: &Engine, session: &ConnectSession, leg: ConnectLeg, authority: &Authority, app: &ProviderApp) -> Result<Self, Problem> {
        let mut tx = engine.store().read_secrets(Scope::Account(leg.organization_id, leg.account_id)).await?;
        let client = client_of(engine, &mut tx, app).await?;
        drop(tx);
        let given = device(engine, authority, &client, &session.scopes).await?;
        let host = given.verification_uri.host_str().unwrap_or_default().to_owned();
        let shown = |page| engine.network().shown(page);
        let device = DeviceLeg {
            user_code: given.user_code,
            verification_uri: shown(given.verification_uri).into(),
            next_poll_at: engine.now().plus(Duration::from_secs(u64::from(given.interval))),
            poll_seconds: given.interval,
        };
        let complete = given.complete.map(shown);
        let secrets = LegSecrets::of_device(engine, given.device_code, complete.as_ref());
        Ok(Self { leg: ConnectLeg { expires: given.expires, ..leg }, host, way: NewWay::Device(secrets, device, complete) })
    }

    /// Until when an answer is awaited: the provider says how long a code is good.
    pub(super) const fn expires(&self) -> Timestamp {
        self.leg.expires
    }

    /// Writes it, open where nobody is waited for.
    ///
    /// # Errors
    /// Those of the store.
    pub(super) async fn write(&self, engine: &Engine, tx: &mut WriteTx, session: &ConnectSession) -> Result<(), Problem> {
        let ticket_hash = match &self.way {
            NewWay::Later(ticket) => Some(engine.vault().keyed_hash(TICKET, ticket.expose().as_bytes())),
            NewWay::Page(..) | NewWay::Device(..) => None,
        };
        tx.insert_connect_leg(&self.leg, ticket_hash.as_ref().map(|hash| &hash[..])).await?;
        let opened = match &self.way {
            NewWay::Page(secrets, page) => {
                secrets.open(engine, tx, session, &self.leg, None).await?;
                Some((secrets, page))
            }
            NewWay::Device(secrets, device, _) => {
                let sealed = engine.seal(tx, &sealing::leg_place(&self.leg), &secrets.to_secret()).await?;
                tx.open_device_leg(&self.leg, device, &sealed).await?;
                tx.turn_connect_session(session, None).await?;
                None
            }
            NewWay::Later(_) => {
                tx.turn_connect_session(session, None).await?;
                None
            }
        };
        flight::write(tx, session, set_out(session, &self.leg, opened)).await
    }

    /// What is told of it.
    pub(super) fn begun(self, session: ConnectSession) -> Begun {
        let Self { leg, host, way } = self;
        let begun = Begun { session, leg, authorize_url: None, start: None, device: None, host };
        match way {
            NewWay::Later(ticket) => Begun { start: Some(ticket), ..begun },
            NewWay::Page(_, page) => Begun { authorize_url: Some(page), ..begun },
            NewWay::Device(_, device, complete) => {
                Begun { device: Some(DevicePrompt { verification_uri_complete: complete.map(Into::into), ..DevicePrompt::from(&device) }), ..begun }
            }
        }
    }
}

/// Opens a leg for the browser that came to its start address, and gives the provider's page. The first one who comes is the
/// one whose answer is taken; it may come again and gets the same page.
///
/// # Errors
/// `link_invalid`, `consent_expired`, `consent_replayed` when the consent is over, `consent_other_browser`, and trouble with the
/// provider's metadata.
pub async fn open_leg(engine: &Engine, ticket: &str, browser: &BrowserNonce) -> Result<Url, Problem> {
    Ok(again!(engine, {
        let mut tx = engine.store().read(Scope::System).await?;
        let leg = tx.connect_leg_by_ticket(&engine.vault().keyed_hash(TICKET, ticket.as_bytes())).await?.ok_or_else(unknown)?;
        drop(tx);
        try_open(engine, leg, browser).await
    }))
}

/// Opens the newest leg of a session that leads to the provider's page, for the browser that it is bound to; one that is open already
/// leads to the same page.
///
/// # Errors
/// As [`open_leg`].
pub(super) async fn open_newest(engine: &Engine, session: &ConnectSession, browser: &BrowserNonce) -> Result<Url, Problem> {
    Ok(again!(engine, {
        let mut tx = engine.store().read(Scope::Account(session.organization_id, session.account_id)).await?;
        let legs = tx.connect_legs(session.id).await?;
        drop(tx);
        let leg = legs.into_iter().rev().find(|leg| leg.route.opens_later()).ok_or_else(unknown)?;
        try_open(engine, leg, browser).await
    }))
}

async fn try_open(engine: &Engine, leg: ConnectLeg, browser: &BrowserNonce) -> Result<Url, Problem> {
    let scope = Scope::Account(leg.organization_id, leg.account_id);
    let mut tx = engine.store().read_secrets(scope).await?;
    let session = tx.connect_session(leg.session_id).await?.ok_or_else(unknown)?;
    if session.state != ConnectState::Begun || matches!(leg.state, LegState::Answered | LegState::Ended) {
        return Err(finish::over(&session));
    }
    if session.expires.min(leg.expires) <= surely(engine, &mut tx).await? {
        return Err(finish::late());
    }
    let integration = tx.integration(session.integration_id).await?.ok_or_else(unknown)?;
    let definition = definition::pinned(engine, &mut tx, integration.definition).await?;
    let provider = engine.provider_of(&definition).ok_or_else(|| Problem::internal("the provider of an integration is not in the catalog"))?;
    let server = awaited(&integration, &provider)?;
    let app = match session.provider_app_id {
        Some(app) => tx.provider_app(app).await?,
        None => None,
    };
    let app = app.ok_or_else(app_gone)?;
    if (leg.state == LegState::Opened || leg.browser_hash.is_some()) && !browser.holds(engine, &leg) {
        return Err(other_browser());
    }
    let known = match (leg.state, tx.secrets().sealed_connect_leg(leg.id).await?) {
        (LegState::Opened, Some(envelope)) => Some(LegSecrets::from_secret(&engine.open_sealed_in(&mut tx, &sealing::leg_place(&leg), &envelope).await?)?),
        _ => None,
    };
    drop(tx);
    let config = integration.config.as_object().cloned().unwrap_or_default();
    let authority = authority(engine.http(), &engine.outbound().metadata, &provider, server, &config).await?;
    if let Some(secrets) = known {
        return secrets.page(engine, &authority, &app, &session, &leg).await;
    }
    let leg = ConnectLeg { updated_at: engine.now(), ..leg };
    let secrets = LegSecrets::new(engine, &authority);
    let page = match secrets.page(engine, &authority, &app, &session, &leg).await {
        Ok(page) => page,
        Err(problem) => {
            // Whoever sent the link does not see what the person is told.
            flight::note(engine, &session, Origin::Web, flight::step(StepKind::Par, Some(&leg), leg.updated_at, flight::failed(&problem))).await;
            return Err(problem);
        }
    };
    let mut tx = engine.store().write(scope, Origin::Web).await?;
    if !secrets.open(engine, &mut tx, &session, &leg, Some(browser)).await? {
        // Somebody was faster, perhaps the same browser: the next look tells.
        return Err(Problem { contended: true, ..Problem::new(Code::StoreBusy, "Two browsers came at once. Open the link again.") });
    }
    flight::write(&mut tx, &session, set_out(&session, &leg, Some((&secrets, &page)))).await?;
    tx.commit().await?;
    Ok(page)
}

/// What the person of an open leg by way of a device enters where.
///
/// # Errors
/// Those of the store, and of a seal that does not open.
pub(super) async fn prompt(engine: &Engine, leg: &ConnectLeg) -> Result<Option<DevicePrompt>, Problem> {
    let Some(device) = &leg.device else { return Ok(None) };
    let mut tx = engine.store().read_secrets(Scope::Account(leg.organization_id, leg.account_id)).await?;
    let complete = match tx.secrets().sealed_connect_leg(leg.id).await? {
        Some(envelope) => LegSecrets::from_secret(&engine.open_sealed_in(&mut tx, &sealing::leg_place(leg), &envelope).await?)?.complete,
        None => None,
    };
    Ok(Some(DevicePrompt { verification_uri_complete: complete.map(|url| url.expose().to_owned()), ..DevicePrompt::from(device) }))
}

/// That somebody was sent to the provider, or will be.
fn set_out(session: &ConnectSession, leg: &ConnectLeg, opened: Option<(&LegSecrets, &Url)>) -> Vec<NewStep> {
    let step = |kind, detail| flight::step(kind, Some(leg), leg.updated_at, detail);
    let prepared = StepDetail { route: Some(leg.route), redirect_uri: Some(leg.redirect_uri.clone()), scopes: Some(session.scopes.clone()), ..StepDetail::default() };
    let Some((secrets, page)) = opened else { return vec![step(StepKind::Prepared, prepared)] };
    let pushed = page.query_pairs().any(|(name, _)| name == "request_uri");
    let opened = StepDetail { route: Some(leg.route), ..flight::at(page, Some(&secrets.state)) };
    // What is opened when it is prepared is told once.
    let prepared = if leg.route.opens_later() { None } else { Some(step(StepKind::Prepared, prepared)) };
    let par = pushed.then(|| step(StepKind::Par, StepDetail { words: Some("The request was pushed to the provider.".to_owned()), ..StepDetail::default() }));
    prepared.into_iter().chain(par).chain([step(StepKind::Opened, opened)]).collect()
}

fn unknown() -> Problem {
    Problem::new(Code::LinkInvalid, "This link leads nowhere, or no longer. Ask whoever sent it for a new one.")
}

pub(super) fn app_gone() -> Problem {
    Problem::new(Code::ProviderAppMissing, "The provider app of this consent was deleted meanwhile. Begin the consent again.")
}

pub(super) fn other_browser() -> Problem {
    Problem::new(
        Code::ConsentOtherBrowser,
        "This consent was begun in another browser, and only that one can finish it. Go on there, or ask for a new link. If you did not begin one yourself, somebody may want you to connect their account: close this page.",
    )
}
