//! Deletions: disabled at once, kept for an undo window (product.md section 1).

use patchbay_model::audit::AuditObject;
use patchbay_model::change::ChangeKind;
use patchbay_model::connector::Connector;
use patchbay_model::credential::CredentialOwner;
pub use patchbay_model::deletion::UNDO_WINDOW;
use patchbay_model::integration::{AttentionCause, IntegrationStatus};
use patchbay_model::problem::Resource;
use patchbay_model::{CredentialId, DeletionId, IntegrationId, Operation, Problem, Timestamp};
use patchbay_store::WriteTx;
use uuid::Uuid;

use crate::audit::record::{Done, record};
use crate::audit::snapshot;
use crate::call::status::LIVE;
use crate::grant::Undoing;
use crate::{Engine, ManagementGrant, reach};

/// A deletion that can be undone.
#[derive(Clone, PartialEq, Debug)]
pub struct Deletion {
    /// Its id, for `deletions.undo`.
    pub id: DeletionId,
    /// Until when.
    pub undo_until: Timestamp,
}

impl Deletion {
    pub(crate) fn new(engine: &Engine) -> Self {
        Self { id: DeletionId::from_uuid(engine.context().new_uuid()), undo_until: engine.now().plus(UNDO_WINDOW) }
    }
}

/// What a delete takes along, what forbids it, and who would notice. Every delete has a verb `impact` that gives one.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Impact {
    /// Objects that go along, by kind.
    pub counts: Vec<(String, u64)>,
    /// Objects that use it, so that it cannot go; the first hundred.
    pub users: Vec<Resource>,
    /// Objects that stay and miss it; the first hundred.
    pub affects: Vec<Resource>,
    /// How many integrations and tokens, of those that go or miss it, were used within the last 24 hours.
    pub used_today: u64,
}

/// The time since which use counts as today's.
pub(crate) fn today(engine: &Engine) -> Timestamp {
    engine.now().minus(std::time::Duration::from_secs(86_400))
}

impl From<patchbay_model::deletion::Impact> for Impact {
    fn from(impact: patchbay_model::deletion::Impact) -> Self {
        let counts = [
            ("integrations", impact.integrations),
            ("credentials", impact.credentials),
            ("tokens", impact.tokens),
            ("connect_sessions", impact.connect_sessions),
            ("end_users", impact.end_users),
        ];
        Self { counts: counts.into_iter().map(|(kind, number)| (kind.to_owned(), number)).collect(), ..Self::default() }
    }
}

/// Brings back everything that one deletion took, within the undo window. It needs the permission of the delete itself.
///
/// # Errors
/// `not_found` when there is no such deletion; `update_conflict` when its window has passed, its parent is gone or its name
/// was given away; `permission_denied`.
pub async fn undo(engine: &Engine, grant: &ManagementGrant, deletion: &str) -> Result<(), Problem> {
    let unknown = || Problem::not_found("deletion that can be undone", deletion);
    let id: DeletionId = deletion.parse().map_err(|_| unknown())?;
    let mut tx = reach::writing_organization(engine, grant).await?;
    let found = tx.deletion(id).await?.ok_or_else(unknown)?;
    let Some(delete) = delete_of(found.kind) else { return Err(unknown()) };
    let unnarrowed = grant.permits().iter().any(|permit| !permit.narrowed());
    let integrations = tx.deleted_integrations(id).await?;
    let account = match found.account_id {
        Some(account) => tx.account_even_deleted(account).await?,
        None => None,
    };
    let category = category(&mut tx, found.kind, found.object_id).await?;
    let reached = account.as_ref().is_some_and(|account| category.map_or_else(|| grant.reaches(account), |category| grant.reaches_category(account, category)));
    if !reached && !unnarrowed {
        return Err(unknown());
    }
    grant.require(Operation::DeletionsUndo, None)?;
    // It is brought back only by whoever could take it away.
    match (&account, category) {
        (Some(account), Some(category)) => grant.require_in(delete, account, category)?,
        (Some(account), None) => grant.require(delete, Some(account))?,
        (None, _) => grant.require_whole(delete)?,
    }
    tx.undo_deletion(id, engine.now().minus(UNDO_WINDOW)).await?;
    let users = if found.kind == ChangeKind::Credential { tx.credential_user_ids(CredentialId::from_uuid(found.object_id)).await? } else { Vec::new() };
    for integration in users.into_iter().chain(integrations) {
        tell_credential(engine, &mut tx, integration).await?;
    }
    let object = AuditObject { kind: found.kind, id: found.object_id };
    let mut done = Done::changed(Operation::DeletionsUndo).brought_back(object, snapshot::stored(&mut tx, object).await?).giving(id, "");
    if let Some(account) = found.account_id {
        done = done.in_account(account);
    }
    if found.kind == ChangeKind::Integration {
        done = done.on_integration(IntegrationId::from_uuid(found.object_id));
    }
    // The row of the delete is taken back by this one, whichever way the undo was asked for.
    let grant = match tx.audit_event_of_deletion(id).await? {
        Some(row) if grant.undoing.is_none() => grant.undoing(Undoing { row: row.id, before: None, after: None }),
        _ => grant.clone(),
    };
    record(engine, &mut tx, &grant, done).await?;
    tx.commit().await?;
    Ok(())
}

/// Removes for good what can no longer be undone, and takes back at providers what it had been given there. Processes that are open do
/// this by themselves; it is for those that are not, and for tests.
///
/// # Errors
/// Problems of the store.
pub async fn purge_due(engine: &Engine) -> Result<(), Problem> {
    crate::background::purge_once(engine).await
}

/// The operation that deletes objects of a kind; none for kinds whose deletion is not undone.
fn delete_of(kind: ChangeKind) -> Option<Operation> {
    Some(match kind {
        ChangeKind::Account => Operation::AccountsDelete,
        ChangeKind::Integration => Operation::IntegrationsDelete,
        ChangeKind::Credential => Operation::CredentialsDelete,
        ChangeKind::IntegrationPoint => Operation::IntegrationPointsDelete,
        ChangeKind::ProviderApp => Operation::ProviderAppsDelete,
        ChangeKind::Member => Operation::MembersDelete,
        ChangeKind::Role => Operation::RolesDelete,
        ChangeKind::OrganizationWebhook => Operation::OrganizationWebhooksDelete,
        ChangeKind::Organization
        | ChangeKind::Token
        | ChangeKind::ConnectSession
        | ChangeKind::Audit
        | ChangeKind::WebhookDelivery
        | ChangeKind::EndUser
        | ChangeKind::ConnectLink
        | ChangeKind::Definition
        | ChangeKind::Revocation
        | ChangeKind::Key => {
            return None;
        }
    })
}

/// The category of an object that is deleted: an integration's, or that of the integration that owns a credential.
async fn category(tx: &mut WriteTx, kind: ChangeKind, id: Uuid) -> Result<Option<Connector>, Problem> {
    let integration = match kind {
        ChangeKind::Integration => Some(IntegrationId::from_uuid(id)),
        ChangeKind::Credential => match tx.credential_even_deleted(CredentialId::from_uuid(id)).await?.map(|credential| credential.owner) {
            Some(CredentialOwner::Integration(_, integration)) => Some(integration),
            _ => None,
        },
        _ => None,
    };
    Ok(match integration {
        Some(id) => tx.integration_even_deleted(id).await?.map(|integration| integration.connector),
        None => None,
    })
}

/// Makes an integration say that its credential is missing exactly while the credential that its configuration names is gone.
/// Whatever deletes or brings back one of the two asks for this.
///
/// # Errors
/// Problems of the store.
pub(crate) async fn tell_credential(engine: &Engine, tx: &mut WriteTx, integration: IntegrationId) -> Result<(), Problem> {
    let missing = IntegrationStatus::NeedsAttention { cause: AttentionCause::CredentialMissing };
    let Some(integration) = tx.integration(integration).await? else { return Ok(()) };
    let named = integration.config.pointer("/credential/value").and_then(serde_json::Value::as_str).and_then(|id| id.parse::<CredentialId>().ok());
    let Some(credential) = named else { return Ok(()) };
    let there = tx.credential(credential).await?.is_some();
    match (there, integration.status == missing) {
        (true, true) => tx.set_integration_status(integration.id, &[missing], IntegrationStatus::Active, engine.now(), false).await?,
        (false, false) => tx.set_integration_status(integration.id, &LIVE, missing, engine.now(), false).await?,
        _ => false,
    };
    Ok(())
}
