//! The address at which a calendar program reads a member's deadlines, without signing in.

use std::time::Duration;

use patchbay_model::change::ChangeKind;
use patchbay_model::public_link::{LinkSettings, LinkState, PublicLink, PublicLinkPurpose};
use patchbay_model::token::SecretKind;
use patchbay_model::{Code, Operation, Problem, PublicLinkId, Scope};
use patchbay_vault::mint_token;

use crate::audit::record::{Done, record};
use crate::connect_link::MadeLink;
use crate::session::hash;
use crate::token::verify::{live_member, role_permits};
use crate::{CallerInfo, Engine, ManagementGrant, reach};

/// How long an address works.
const LASTS: Duration = Duration::from_secs(366 * 86_400);

/// The member's own address, as far as may be told: what stands in it is shown once.
///
/// # Errors
/// `permission_denied`; problems of the store.
pub async fn feed_link(engine: &Engine, grant: &ManagementGrant) -> Result<Option<PublicLink>, Problem> {
    grant.require_whole(Operation::DeadlinesFeedLink)?;
    let mut tx = reach::reading(engine, grant).await?;
    Ok(tx.public_links_of(grant.member(), PublicLinkPurpose::Calendar).await?.into_iter().find(|link| link.state(engine.now()) == LinkState::Live))
}

/// Makes an address of the member's deadlines. The one before opens nothing any more.
///
/// # Errors
/// `permission_denied`; problems of the store.
pub async fn make_feed_link(engine: &Engine, grant: &ManagementGrant) -> Result<MadeLink, Problem> {
    grant.require_whole(Operation::DeadlinesMakeFeedLink)?;
    let mut tx = reach::writing_organization(engine, grant).await?;
    let now = engine.now();
    for before in tx.public_links_of(grant.member(), PublicLinkPurpose::Calendar).await? {
        tx.revoke_public_link(before.id, now).await?;
    }
    let link = PublicLink {
        id: PublicLinkId::from_uuid(engine.context().new_uuid()),
        organization_id: grant.organization(),
        account_id: None,
        integration_id: None,
        integration_point_id: None,
        end_user_id: None,
        receipt_id: None,
        member_id: grant.member(),
        purpose: PublicLinkPurpose::Calendar,
        settings: LinkSettings::default(),
        expires: now.plus(LASTS),
        uses_left: None,
        last_used_at: None,
        revoked_at: None,
        created_at: now,
    };
    let secret = mint_token(SecretKind::CalendarLink, engine.context().entropy());
    let hash = hash(engine, secret.expose(), SecretKind::CalendarLink).ok_or_else(|| Problem::internal("a link just made has no good shape"))?;
    tx.insert_public_link(&link, &hash).await?;
    record(engine, &mut tx, grant, Done::created(Operation::DeadlinesMakeFeedLink).object(ChangeKind::ConnectLink, link.id.uuid()).giving(link.id, "calendar")).await?;
    tx.commit().await?;
    Ok(MadeLink { link, secret })
}

/// Takes the member's address back: it opens nothing from this moment on.
///
/// # Errors
/// `permission_denied`; problems of the store.
pub async fn revoke_feed_link(engine: &Engine, grant: &ManagementGrant) -> Result<(), Problem> {
    grant.require_whole(Operation::DeadlinesRevokeFeedLink)?;
    let mut tx = reach::writing_organization(engine, grant).await?;
    for link in tx.public_links_of(grant.member(), PublicLinkPurpose::Calendar).await? {
        if tx.revoke_public_link(link.id, engine.now()).await? {
            record(engine, &mut tx, grant, Done::changed(Operation::DeadlinesRevokeFeedLink).object(ChangeKind::ConnectLink, link.id.uuid()).giving(link.id, "calendar")).await?;
        }
    }
    tx.commit().await?;
    Ok(())
}

/// The authority behind an address: its member's as it is now.
///
/// # Errors
/// `link_invalid` when it does not work, for whatever reason; problems of the store.
pub async fn open_feed(engine: &Engine, secret: &str, caller: CallerInfo) -> Result<ManagementGrant, Problem> {
    let dead = || Problem::new(Code::LinkInvalid, "This address leads to no calendar, or no longer. Make a new one in Patchbay.");
    let hash = hash(engine, secret, SecretKind::CalendarLink).ok_or_else(dead)?;
    let now = engine.now();
    let mut tx = engine.store().read(Scope::System).await?;
    let link = tx.public_link_by_hash(&hash).await?.filter(|link| link.purpose == PublicLinkPurpose::Calendar && link.state(now) == LinkState::Live).ok_or_else(dead)?;
    tx.enter(Scope::Organization(link.organization_id))?;
    let member = live_member(&mut tx, link.member_id, now).await.map_err(|_| dead())?;
    let permits = role_permits(&mut tx, &member).await?;
    let grant = ManagementGrant { organization: link.organization_id, member: member.id, container: None, permits, password_expired: false, caller, undoing: None };
    grant.require(Operation::DeadlinesFeed, None).map_err(|_| dead())?;
    Ok(grant)
}
