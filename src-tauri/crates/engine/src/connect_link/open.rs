//! What the holder of a connect link may see and do.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use patchbay_model::account::Account;
use patchbay_model::connector::Connector;
use patchbay_model::consent::ConnectSession;
use patchbay_model::definition::Definition;
use patchbay_model::end_user::EndUser;
use patchbay_model::integration::Integration;
use patchbay_model::organization::Organization;
use patchbay_model::permission::{AccountSelector, IdOrAll, IntegrationSelector, ResourceScope};
use patchbay_model::point::IntegrationPoint;
use patchbay_model::public_link::{LinkState, PublicLink, PublicLinkPurpose};
use patchbay_model::token::SecretKind;
use patchbay_model::{Code, Operation, Problem, ProviderId, Scope, Secret, Timestamp};
use patchbay_store::ReadTx;
use patchbay_vault::same_bytes;
use uuid::Uuid;

use super::dead;
use crate::grant::Permit;
use crate::session::hash;
use crate::token::narrow;
use crate::token::verify::{live_member, role_permits};
use crate::{CallerInfo, Engine, ManagementGrant, definition};

/// The purpose under which proofs of forms are hashed.
const FORM: &str = "connect form";

/// A link that works, and what stands behind it.
pub struct OpenLink {
    /// The link.
    pub link: PublicLink,
    /// Who asks.
    pub organization: Organization,
    /// For which customer.
    pub account: Account,
    /// For whom, where that is known.
    pub end_user: Option<EndUser>,
    /// The integration that it is for, if it is for one.
    pub integration: Option<Integration>,
    /// The point that governs what is connected.
    pub point: Option<IntegrationPoint>,
    /// What can be connected, by name. Never empty.
    pub offers: Vec<LinkOffer>,
    /// The maker's authority, over the link's account and category alone.
    pub grant: ManagementGrant,
}

/// A provider that a link offers.
#[derive(Clone)]
pub struct LinkOffer {
    /// The version that the integration pins, or shall pin.
    pub definition: Arc<Definition>,
    /// The provider's name for people.
    pub fullname: String,
}

impl OpenLink {
    /// Proof that a form of this link was shown in a browser, which holds this secret.
    pub fn form_token(&self, engine: &Engine, browser: &Secret) -> String {
        form_token(engine, self.link.id.uuid(), browser)
    }

    /// Whether a form was shown in the browser that holds this secret.
    pub fn proves(&self, engine: &Engine, browser: &Secret, token: &str) -> bool {
        form_proves(engine, self.link.id.uuid(), browser, token)
    }

    /// The offer of a provider, if the link makes it.
    pub fn offer(&self, provider: &str) -> Option<&LinkOffer> {
        self.offers.iter().find(|offer| offer.definition.provider.as_str() == provider)
    }
}

/// Proof that a form of what has this id, a public link or a consent, was shown in a browser, which holds this secret.
pub fn form_token(engine: &Engine, of: Uuid, browser: &Secret) -> String {
    let both = [of.as_bytes().as_slice(), browser.expose().as_bytes()].concat();
    URL_SAFE_NO_PAD.encode(engine.vault().keyed_hash(FORM, &both))
}

/// Whether such a form was shown in the browser that holds this secret.
pub fn form_proves(engine: &Engine, of: Uuid, browser: &Secret, token: &str) -> bool {
    same_bytes(form_token(engine, of, browser).as_bytes(), token.as_bytes())
}

/// A secret by which a browser that was shown a link's page is told from others.
pub fn browser_secret(engine: &Engine) -> Secret {
    let mut bytes = [0; 32];
    engine.context().entropy().fill(&mut bytes);
    Secret::new(URL_SAFE_NO_PAD.encode(bytes))
}

/// Opens a link by what stands in its address.
///
/// # Errors
/// `link_invalid` when it does not work, for whatever reason; problems of the store.
pub async fn open(engine: &Engine, secret: &str, caller: CallerInfo) -> Result<OpenLink, Problem> {
    let hash = hash(engine, secret, SecretKind::ConnectLink).ok_or_else(dead)?;
    let now = engine.now();
    let mut tx = engine.store().read(Scope::System).await?;
    let link = tx.public_link_by_hash(&hash).await?.filter(|link| link.purpose == PublicLinkPurpose::Connect && link.state(now) == LinkState::Live).ok_or_else(dead)?;
    tx.enter(Scope::Organization(link.organization_id))?;
    whole(engine, &mut tx, link, caller, now).await
}

/// The link by which a consent was begun, where it was by one that still works.
///
/// # Errors
/// Problems of the store.
pub(crate) async fn behind(engine: &Engine, session: &ConnectSession, caller: CallerInfo) -> Result<Option<OpenLink>, Problem> {
    let now = engine.now();
    let mut tx = engine.store().read(Scope::Organization(session.organization_id)).await?;
    let link = tx.link_of_connect_session(session.id).await?.filter(|link| link.purpose == PublicLinkPurpose::Connect && link.state(now) == LinkState::Live);
    let Some(link) = link else { return Ok(None) };
    match whole(engine, &mut tx, link, caller, now).await {
        Ok(open) => Ok(Some(open)),
        Err(problem) if problem.code == Code::LinkInvalid => Ok(None),
        Err(problem) => Err(problem),
    }
}

/// What stands behind a link, which its maker must still be allowed to give.
async fn whole(engine: &Engine, tx: &mut ReadTx, link: PublicLink, caller: CallerInfo, now: Timestamp) -> Result<OpenLink, Problem> {
    let organization = tx.organization().await?;
    let account = match link.account_id {
        Some(account) => tx.account(account).await?,
        None => None,
    };
    let account = account.ok_or_else(dead)?;
    let integration = match link.integration_id {
        Some(id) => Some(tx.integration(id).await?.ok_or_else(dead)?),
        None => None,
    };
    let governing = integration.as_ref().map_or(link.integration_point_id, |integration| integration.integration_point_id);
    let point = match governing {
        Some(id) => Some(tx.point(id).await?.ok_or_else(dead)?),
        None => None,
    };
    let offers = match (&integration, &point, &link.settings.provider) {
        (Some(integration), ..) => vec![offer(engine, definition::pinned(engine, tx, integration.definition).await?)],
        (None, Some(point), _) => offered(engine, tx, &account, point).await?,
        (None, None, Some(provider)) => match tx.active_definition(provider).await? {
            Some(definition) => vec![offer(engine, Arc::new(definition))],
            None => Vec::new(),
        },
        (None, None, None) => Vec::new(),
    };
    let category = offers.first().map(|offer| offer.definition.connector).ok_or_else(dead)?;
    let end_user = match link.end_user_id {
        Some(id) => Some(tx.end_user(id).await?.ok_or_else(dead)?),
        None => None,
    };
    let grant = acting(tx, &link, &account, category, caller, now).await?;
    Ok(OpenLink { link, organization, account, end_user, integration, point, offers, grant })
}

/// The authority of a link: its maker's as it is now, over the link's account and category alone.
async fn acting(tx: &mut ReadTx, link: &PublicLink, account: &Account, category: Connector, caller: CallerInfo, now: Timestamp) -> Result<ManagementGrant, Problem> {
    let member = live_member(tx, link.member_id, now).await.map_err(|_| dead())?;
    let wanted = ResourceScope {
        organizations: None,
        accounts: Some(AccountSelector { ids: Some(vec![IdOrAll::Id(account.id)]), ..AccountSelector::default() }),
        integrations: Some(IntegrationSelector { categories: vec![IdOrAll::Id(category)] }),
    };
    let needed =
        [Operation::ConnectLinksCreate, Operation::ConnectBegin, if link.integration_id.is_some() { Operation::IntegrationsUpdate } else { Operation::IntegrationsCreate }];
    let permits = role_permits(tx, &member).await?;
    let able = permits.into_iter().filter(|permit| needed.iter().all(|operation| permit.allows(*operation)));
    let permit = able
        .filter_map(|permit| Some(Permit { permission_set: permit.permission_set, resources: narrow::within(&wanted, &permit.resources)? }))
        .find(|permit| permit.covers(account) && permit.resources.covers_category(category))
        .ok_or_else(dead)?;
    Ok(ManagementGrant { organization: link.organization_id, member: member.id, container: None, permits: vec![permit], password_expired: false, caller, undoing: None })
}

/// What a point allows in an account, by name.
///
/// # Errors
/// Problems of the store.
pub(super) async fn offered(engine: &Engine, tx: &mut ReadTx, account: &Account, point: &IntegrationPoint) -> Result<Vec<LinkOffer>, Problem> {
    let providers: Vec<ProviderId> =
        engine.catalog_of(tx).await?.of(point.connector).map(|provider| provider.id().clone()).filter(|provider| point.allows(account.environment, provider)).collect();
    let mut offers = Vec::new();
    for provider in providers {
        if let Some(definition) = tx.active_definition(&provider).await? {
            offers.push(offer(engine, Arc::new(definition)));
        }
    }
    offers.sort_by(|one, other| one.fullname.cmp(&other.fullname));
    Ok(offers)
}

/// A definition under its provider's name.
fn offer(engine: &Engine, definition: Arc<Definition>) -> LinkOffer {
    let fullname = engine.provider_of(&definition).map_or_else(|| definition.provider.to_string(), |provider| provider.fullname().to_owned());
    LinkOffer { definition, fullname }
}
