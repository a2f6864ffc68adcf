//! What a connect link does: it makes or completes one integration.

use patchbay_model::consent::{ConnectSession, ConsentRoute};
use patchbay_model::credential::CredentialKind;
use patchbay_model::integration::{Integration, IntegrationStatus};
use patchbay_model::public_link::PublicLink;
use patchbay_model::{Code, ConnectSessionId, Problem, ProviderId, Timestamp};
use patchbay_store::WriteTx;
use serde_json::{Map, Value};

use super::role::with_own_external_id;
use super::{OpenLink, dead};
use crate::consent::hosted::WAYS;
use crate::consent::{self, BeginConsent, Begun, BrowserNonce, Platform};
use crate::contention::again;
use crate::integration::create::{insert, tested};
use crate::integration::{self, CreateIntegration, UpdateIntegration};
use crate::{Engine, reach};

/// What came of a form.
pub struct LinkOutcome {
    /// The integration, as it is now.
    pub integration: Integration,
    /// The trouble with the provider, if there was some.
    pub problem: Option<Problem>,
    /// Whether a person has to authorize it, or to authorize it anew.
    pub consent: bool,
}

impl LinkOutcome {
    fn of(integration: Integration, problems: Vec<Problem>) -> Self {
        let word = integration.config.pointer("/credential/type").and_then(Value::as_str).unwrap_or_default();
        let consent = word.strip_suffix("_id").unwrap_or(word) == CredentialKind::OAuthUser.as_str();
        Self { consent, integration, problem: problems.into_iter().next() }
    }

    /// Whether the provider takes what was entered.
    pub fn works(&self) -> bool {
        !self.consent && self.problem.is_none() && self.integration.status == IntegrationStatus::Active
    }
}

/// Takes what a person entered for one of the link's providers: `config` is `provider_config` as on the wire, with `type`. The
/// first time an integration is made; whoever corrects what was entered goes on with the same one. A use is counted when the
/// connection works.
///
/// # Errors
/// `link_invalid`, `invalid_config` and those of [`integration::create`] and [`integration::update`].
pub async fn connect(engine: &Engine, open: &OpenLink, provider: &ProviderId, config: Value) -> Result<LinkOutcome, Problem> {
    let offer = open.offer(provider.as_str()).ok_or_else(dead)?;
    let config = with_own_external_id(engine, open, offer, config);
    let known = match &open.integration {
        Some(integration) => Some(integration.clone()),
        None => unfinished(engine, open, provider).await?,
    };
    let outcome = match known {
        Some(integration) => renewed(engine, open, &integration, config).await?,
        None => made(engine, open, provider, config).await?,
    };
    if outcome.works() {
        again!(engine, {
            let mut tx = reach::writing(engine, &open.grant).await?;
            count(&mut tx, &open.link, provider, engine.now()).await?;
            tx.commit().await?;
            Ok(())
        });
    }
    Ok(outcome)
}

/// Begins the consent of an integration that a link made or is for, in the browser in which the link was opened: at the provider's page,
/// which answers to the server's own address, or by a code where only that can be done.
///
/// # Errors
/// Those of [`consent::begin`].
pub async fn begin(engine: &Engine, open: &OpenLink, integration: &Integration, browser: &BrowserNonce) -> Result<Begun, Problem> {
    let end_user = open.end_user.as_ref().map(|person| person.id.to_string());
    let (account, id) = (integration.account_id.to_string(), integration.id.to_string());
    let offers = consent::routes(engine, &open.grant, &account, &id, Platform::default()).await?;
    let possible = |route: &ConsentRoute| offers.iter().any(|offer| offer.route == *route && offer.possible());
    // Where nothing can be gone, trying says why.
    let route = WAYS.into_iter().find(possible).unwrap_or(ConsentRoute::Link);
    let begin = BeginConsent { integration: integration.id, route: Some(route), platform: Platform::default(), redirect_uri: None, end_user };
    let begun = consent::begin(engine, &open.grant, begin).await?;
    bind(engine, open, begun.session.id, browser).await?;
    Ok(begun)
}

/// Notes by which link a consent goes on, and binds it to the browser in which that was opened.
///
/// # Errors
/// Problems of the store.
pub(crate) async fn bind(engine: &Engine, open: &OpenLink, session: ConnectSessionId, browser: &BrowserNonce) -> Result<(), Problem> {
    again!(engine, {
        let mut tx = reach::writing(engine, &open.grant).await?;
        tx.begin_by_link(session, open.link.id).await?;
        tx.bind_connect_legs(session, &browser.hash(engine)).await?;
        tx.commit().await?;
        Ok(())
    });
    Ok(())
}

/// Counts a use of the link by which a consent was begun, in the transaction in which it comes to its end.
///
/// # Errors
/// Problems of the store.
pub(crate) async fn completed(tx: &mut WriteTx, session: &ConnectSession, provider: &ProviderId, now: Timestamp) -> Result<(), Problem> {
    match tx.link_of_connect_session(session.id).await? {
        Some(link) => count(tx, &link, provider, now).await,
        None => Ok(()),
    }
}

/// Counts a use of a link by which a connection has come to work.
///
/// # Errors
/// Problems of the store.
async fn count(tx: &mut WriteTx, link: &PublicLink, provider: &ProviderId, now: Timestamp) -> Result<(), Problem> {
    if let Some(mut link) = tx.public_link(link.id).await?
        && link.settings.unfinished.remove(provider).is_some()
    {
        tx.set_link_settings(link.id, &link.settings).await?;
    }
    Ok(tx.use_public_link(link.id, now).await?)
}

/// The integration that the link made before and that does not work yet.
async fn unfinished(engine: &Engine, open: &OpenLink, provider: &ProviderId) -> Result<Option<Integration>, Problem> {
    let mut tx = reach::reading(engine, &open.grant).await?;
    let Some(link) = tx.public_link(open.link.id).await? else { return Err(dead()) };
    Ok(match link.settings.unfinished.get(provider) {
        Some(id) => tx.integration(*id).await?,
        None => None,
    })
}

async fn made(engine: &Engine, open: &OpenLink, provider: &ProviderId, config: Value) -> Result<LinkOutcome, Problem> {
    let fullname = open.offer(provider.as_str()).map(|offer| offer.fullname.clone());
    let (integration, integration_is_new) = again!(engine, {
        let mut tx = reach::writing(engine, &open.grant).await?;
        let mut link = tx.public_link(open.link.id).await?.ok_or_else(dead)?;
        // Two forms that were sent at once make one integration.
        let already = match link.settings.unfinished.get(provider) {
            Some(id) => tx.integration(*id).await?,
            None => None,
        };
        match already {
            Some(integration) => Ok((integration, false)),
            None => {
                let new = CreateIntegration {
                    name: Some(slug(provider, engine)),
                    fullname: fullname.clone(),
                    provider_config: config.clone(),
                    integration_point: link.integration_point_id.map(|point| point.to_string()),
                    webhook_config: None,
                    runtime: Map::new(),
                };
                let integration = insert(engine, &mut tx, &open.grant, &open.account, new).await?.integration;
                link.settings.unfinished.insert(provider.clone(), integration.id);
                tx.set_link_settings(link.id, &link.settings).await?;
                tx.commit().await?;
                Ok((integration, true))
            }
        }
    });
    if !integration_is_new {
        return renewed(engine, open, &integration, config).await;
    }
    let (integration, problems) = tested(engine, integration).await?;
    Ok(LinkOutcome::of(integration, problems))
}

/// A name of its own, since the customer may have another integration of the provider.
fn slug(provider: &ProviderId, engine: &Engine) -> String {
    let id = engine.context().new_uuid().to_string();
    format!("{}-{}", provider.as_str().replace('_', "-"), id.rsplit('-').next().unwrap_or_default())
}

async fn renewed(engine: &Engine, open: &OpenLink, integration: &Integration, config: Value) -> Result<LinkOutcome, Problem> {
    if integration.status == IntegrationStatus::Paused {
        return Err(Problem::new(Code::IntegrationNotActive, "This connection is paused. Ask whoever sent the link to resume it."));
    }
    let change = UpdateIntegration {
        name: None,
        fullname: None,
        provider_config: kept(integration, config),
        integration_point: integration.integration_point_id.map(|point| point.to_string()),
        webhook_config: None,
        runtime: None,
        expected: None,
    };
    let account = integration.account_id.to_string();
    let outcome = integration::update(engine, &open.grant, &account, &integration.id.to_string(), change).await?;
    Ok(LinkOutcome::of(outcome.integration, outcome.problems))
}

/// A configuration as it was entered. Whoever authorizes anew with the same provider keeps the credential that is there, so
/// that the connection works on until the new consent is given.
fn kept(integration: &Integration, mut config: Value) -> Value {
    let wanted = config.pointer("/credential/type").and_then(Value::as_str) == Some(CredentialKind::OAuthUser.as_str());
    let present = integration.config.get("credential").filter(|credential| credential.get("type").and_then(Value::as_str) == Some("o_auth_user_id")).cloned();
    if let (Some(present), Some(members)) = (present, config.as_object_mut())
        && wanted
    {
        members.insert("credential".to_owned(), present);
    }
    config
}
