//! Makes the link to a receipt.

use std::time::Duration;

use patchbay_model::change::ChangeKind;
use patchbay_model::consent::ConnectSession;
use patchbay_model::end_user::ConsentReceipt;
use patchbay_model::public_link::{LinkSettings, PublicLink, PublicLinkPurpose};
use patchbay_model::token::SecretKind;
use patchbay_model::{Code, Entropy, MemberId, Operation, Origin, Problem, PublicLinkId, Scope, Secret};
use patchbay_store::WriteTx;
use patchbay_vault::mint_token;

use crate::audit::record::{Done, record};
use crate::connect_link::MadeLink;
use crate::contention::again;
use crate::session::hash;
use crate::{Engine, ManagementGrant, reach};

/// How long a link to a receipt works. Another one can be made then.
const LASTS: Duration = Duration::from_secs(366 * 86_400);

/// The purpose under which the link of a consent's last page is derived.
const OF_CONSENT: &str = "receipt link of a consent";

/// Makes a link to the receipt of an integration's consent, for the person who agreed: the one in force, else the last.
///
/// # Errors
/// `invalid_request` when nobody has agreed to anything; `not_found`, `permission_denied`; problems of the store.
pub async fn link(engine: &Engine, grant: &ManagementGrant, account: &str, integration: &str) -> Result<MadeLink, Problem> {
    let mut tx = reach::writing(engine, grant).await?;
    let (account, integration) = reach::permitted(&mut tx, grant, Operation::IntegrationsReceiptLink, account, integration).await?;
    let receipt = tx.receipts_of_integration(integration.id).await?.pop().ok_or_else(|| {
        Problem::new(Code::InvalidRequest, format!("Nobody has agreed to anything for integration `{}`, so there is no receipt.", integration.name)).with_resource(
            "integration",
            integration.id,
            "affected",
        )
    })?;
    let made = write(engine, &mut tx, &receipt, grant.member(), mint_token(SecretKind::ReceiptLink, engine.context().entropy())).await?;
    let done = Done::created(Operation::IntegrationsReceiptLink).in_account(account.id).on_integration(integration.id);
    record(engine, &mut tx, grant, done.object(ChangeKind::ConnectLink, made.link.id.uuid()).giving(made.link.id, integration.name.as_str())).await?;
    tx.commit().await?;
    Ok(made)
}

/// The link to the receipt of a consent that has come to its end, for the browser that it is bound to; none where there is no receipt. It
/// is the same however often it is asked for: what stands in its address is derived by the store's key, and kept nowhere.
///
/// # Errors
/// Problems of the store.
pub async fn of_session(engine: &Engine, session: &ConnectSession) -> Result<Option<Secret>, Problem> {
    Ok(again!(engine, {
        let mut tx = engine.store().write(Scope::Account(session.organization_id, session.account_id), Origin::Web).await?;
        let receipt = tx.receipts_of_integration(session.integration_id).await?.into_iter().find(|receipt| receipt.connect_session_id == Some(session.id));
        match receipt {
            Some(receipt) => {
                let secret = mint_token(SecretKind::ReceiptLink, &Derived(engine.vault().keyed_hash(OF_CONSENT, receipt.id.uuid().as_bytes())));
                if tx.public_link_by_hash(&hashed(engine, &secret)?).await?.is_none() {
                    write(engine, &mut tx, &receipt, session.member_id, secret.clone()).await?;
                    tx.commit().await?;
                }
                Ok(Some(secret))
            }
            None => Ok(None),
        }
    }))
}

/// Bytes that are no chance.
struct Derived([u8; 32]);

impl Entropy for Derived {
    fn fill(&self, bytes: &mut [u8]) {
        for (byte, derived) in bytes.iter_mut().zip(self.0.iter().cycle()) {
            *byte = *derived;
        }
    }
}

fn hashed(engine: &Engine, secret: &Secret) -> Result<[u8; 32], Problem> {
    hash(engine, secret.expose(), SecretKind::ReceiptLink).ok_or_else(|| Problem::internal("a link just made has no good shape"))
}

async fn write(engine: &Engine, tx: &mut WriteTx, receipt: &ConsentReceipt, member: MemberId, secret: Secret) -> Result<MadeLink, Problem> {
    let now = engine.now();
    let link = PublicLink {
        id: PublicLinkId::from_uuid(engine.context().new_uuid()),
        organization_id: receipt.organization_id,
        account_id: Some(receipt.account_id),
        // The receipt outlives the integration.
        integration_id: None,
        integration_point_id: None,
        end_user_id: receipt.end_user_id,
        receipt_id: Some(receipt.id),
        member_id: member,
        purpose: PublicLinkPurpose::Receipt,
        settings: LinkSettings::default(),
        expires: now.plus(LASTS),
        uses_left: None,
        last_used_at: None,
        revoked_at: None,
        created_at: now,
    };
    tx.insert_public_link(&link, &hashed(engine, &secret)?).await?;
    Ok(MadeLink { link, secret })
}
