//! How each operation is undone, or why it cannot be.

use patchbay_model::audit::AuditEvent;
use patchbay_model::change::ChangeKind;
use patchbay_model::deletion::UNDO_WINDOW;
use patchbay_model::{Code, DeletionId, Operation, Problem, Timestamp};
use serde_json::Value;

use super::record::undone_already;

/// What undoes an operation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Inverse {
    /// It changes nothing.
    Reads,
    /// It makes an object, which is deleted again.
    Delete,
    /// It changes an object, which is changed back.
    Restore,
    /// It deletes an object, which is brought back while that can be.
    BringBack,
    /// Nothing; why, as a sentence.
    Never(&'static str),
}

const SECRETS: &str = "It made or ended secrets, of which nothing is kept.";
const SIGNING: &str = "Signing in and out changes no object.";
const TESTED: &str = "It tested or called a provider and changed no object here.";
const CONSENT: &str = "A consent is a matter between a person and the provider. Cancel it while it is under way; later, connect anew or disconnect.";
const LOOKED: &str = "It only told what a change would do.";
const SENT: &str = "What was sent cannot be taken back.";
const FORGOTTEN: &str = "What was counted is forgotten.";
const TOLD: &str = "What was read out cannot be taken back.";

/// How an operation is undone.
pub const fn inverse(operation: Operation) -> Inverse {
    use Inverse::{BringBack, Delete, Never, Reads, Restore};
    use Operation as O;
    match operation {
        O::OrganizationGet
        | O::AccountsList
        | O::AccountsGet
        | O::AccountsImpact
        | O::IntegrationPointsList
        | O::IntegrationPointsGet
        | O::IntegrationPointsImpact
        | O::IntegrationsList
        | O::IntegrationsListAccount
        | O::IntegrationsGet
        | O::IntegrationsImpact
        | O::IntegrationsListVersions
        | O::IntegrationsJournal
        | O::DefinitionsList
        | O::DefinitionsGet
        | O::CredentialsList
        | O::CredentialsGet
        | O::CredentialsLookup
        | O::CredentialsImpact
        | O::TokensList
        | O::TokensGet
        | O::TokensImpact
        | O::MembersList
        | O::MembersGet
        | O::MembersImpact
        | O::ConnectLinksList
        | O::EndUsersList
        | O::EndUsersGet
        | O::EndUsersImpact
        | O::EndUsersReceipts
        | O::CapabilitiesListConnectors
        | O::CapabilitiesListProviders
        | O::CapabilitiesGetProvider
        | O::AuditList
        | O::AuditGet
        | O::ProviderAppsList
        | O::ProviderAppsGet
        | O::ProviderAppsImpact
        | O::ConnectGet
        | O::ConnectRoutes
        | O::ConnectLatest
        | O::ConnectFlight
        | O::ProviderAppsChecks
        | O::OverviewGet
        | O::OrganizationWebhooksList
        | O::OrganizationWebhooksGet
        | O::OrganizationWebhooksImpact
        | O::OrganizationWebhooksListDeliveries
        | O::OrganizationWebhooksGetDelivery
        | O::RolesList
        | O::RolesGet
        | O::RolesImpact
        | O::PermissionsetList
        | O::PermissionsetGet
        | O::MetaManagementOpenapiSpec
        | O::ManifestsSchema
        | O::ManifestsList
        | O::MetaEngineOpenapiSpec
        | O::StatusList
        | O::StatusGet
        | O::StatusListEvents
        | O::StatusGetTimeseries
        | O::StatusGetIntegrationTimeseries
        | O::ConfigurationRecipient
        | O::BackupsList
        | O::IntegrationsPreviewDisconnect
        | O::IntegrationsReceipts
        | O::DeadlinesFeedLink
        | O::RevocationsList
        | O::RevocationsGet
        | O::DeadlinesList
        | O::DeadlinesFeed
        | O::KeysStatus => Reads,
        O::AccountsCreate
        | O::IntegrationPointsCreate
        | O::IntegrationsCreate
        | O::CredentialsCreate
        | O::TokensCreate
        | O::TokensCreateIntegration
        | O::MembersCreate
        | O::ProviderAppsCreate
        | O::OrganizationWebhooksCreate
        | O::RolesCreate
        | O::ManifestsAdd
        | O::DeletionsUndo => Delete,
        O::OrganizationUpdate
        | O::OrganizationPatch
        | O::AccountsUpdate
        | O::AccountsPatch
        | O::IntegrationPointsUpdate
        | O::IntegrationPointsPatch
        | O::IntegrationsUpdate
        | O::IntegrationsPatch
        | O::IntegrationsPause
        | O::IntegrationsResume
        | O::IntegrationsSetVersion
        | O::IntegrationsRollbackVersion
        | O::CredentialsUpdate
        | O::CredentialsPatch
        | O::MembersUpdate
        | O::MembersPatch
        | O::EndUsersUpdate
        | O::ProviderAppsUpdate
        | O::OrganizationWebhooksUpdate
        | O::OrganizationWebhooksPatch
        | O::RolesUpdate
        | O::RolesPatch => Restore,
        O::AccountsDelete
        | O::IntegrationPointsDelete
        | O::IntegrationsDelete
        | O::CredentialsDelete
        | O::MembersDelete
        | O::ProviderAppsDelete
        | O::OrganizationWebhooksDelete
        | O::RolesDelete
        | O::ManifestsWithdraw => BringBack,
        O::TokensRefresh | O::TokensRotate | O::TokensReset | O::TokensRemoveSecondary | O::TokensDelete | O::AuthChangePassword | O::MembersCreateLink => Never(SECRETS),
        O::MembersUnlock => Never("It forgot failed logons. Lock the member by hand where that is meant."),
        O::EndUsersCreate => Never("A person leaves by being erased, for good. Erase the end user where that is meant."),
        O::EndUsersErase => Never("What was erased is nowhere any more."),
        O::AuthLogon | O::AuthLogoff => Never(SIGNING),
        O::ProviderAppsPreflight | O::IntegrationsVerify | O::IntegrationsVerifyExisting | O::IntegrationsCall => Never(TESTED),
        O::IntegrationPointsPreview | O::IntegrationsPreviewVersion | O::ManifestsCheck | O::ProviderAppsTrust => Never(LOOKED),
        O::ConnectBegin | O::ConnectSwitch | O::ConnectRecord | O::ConnectExplain | O::ConnectFinish | O::ConnectAnswer | O::ConnectChoose | O::ConnectCancel => Never(CONSENT),
        O::ConnectLinksCreate => Never("A link is taken back by being revoked. Revoke it where it is not wanted."),
        O::ConnectLinksRevoke => Never("Nothing is kept of a link's secret. Make another link."),
        O::IntegrationsDisconnect => Never("The access was given back. Connect again where it is wanted."),
        O::RevocationsConfirm => Never("What a person has said of the provider stays in the log."),
        O::RevocationsRetry => Never("The provider was asked."),
        O::IntegrationsReceiptLink => Never("Nothing is kept of what stands in the link. It ends with the receipt's person, or after a year."),
        O::DeadlinesMakeFeedLink => Never("The address is taken back by being revoked. Revoke it where it is not wanted."),
        O::DeadlinesRevokeFeedLink => Never("Nothing is kept of what stood in the address. Make another one."),
        O::OrganizationWebhooksRedeliver | O::OrganizationWebhooksTest => Never(SENT),
        O::StatusReset => Never(FORGOTTEN),
        O::ConfigurationCopy => Never(TOLD),
        O::ConfigurationFill => Never("The organization before was empty. Delete what was brought, or begin anew with another store."),
        O::BackupsCreate => Never("A backup harms nobody. Remove its file where it is not wanted."),
        O::BackupsSettings => Never("Set them again as they were; no backup is removed before the next one is made."),
        O::KeysRotate => Never("The keys before are given up on purpose. Rotate once more to be rid of the present ones."),
        O::KeysForget => Never("A key that was removed is nowhere any more."),
        O::AuditExport | O::ConfigurationExport => Never(TOLD),
        // Its rows are those of the operations that it runs.
        O::AuditUndo => Reads,
    }
}

/// What undoing a row of the log takes.
pub(super) enum Step {
    /// Delete the object.
    Delete,
    /// Change it back to this.
    Restore(Value),
    /// Bring back what this deletion took.
    BringBack(DeletionId),
}

/// How the change of a row is undone.
///
/// # Errors
/// `not_undoable` with the reason; `update_conflict` when it was undone already.
pub(super) fn step(row: &AuditEvent) -> Result<Step, Problem> {
    if !row.code.is_empty() {
        return Err(never("The call was refused and changed nothing."));
    }
    let inverse = Operation::from_id(&row.operation).map_or(Inverse::Reads, inverse);
    match inverse {
        Inverse::Reads => return Err(never("It changed nothing.")),
        Inverse::Never(why) => return Err(never(why)),
        Inverse::Delete | Inverse::Restore | Inverse::BringBack => {}
    }
    if row.undone_by.is_some() {
        return Err(undone_already(row.id));
    }
    if row.secret_replaced {
        return Err(never("It replaced or removed a secret, of which nothing is kept. Change the rest by hand and enter the earlier secret again."));
    }
    match (inverse, row.deletion, &row.before, &row.after) {
        (Inverse::BringBack, Some(deletion), ..) => Ok(Step::BringBack(deletion)),
        // A manifest is withdrawn, not deleted: nothing waits to be removed for good.
        (Inverse::BringBack, None, Some(before), None) if row.object.is_some_and(|object| object.kind == ChangeKind::Definition) => Ok(Step::Restore(before.clone())),
        (Inverse::Delete, _, None, Some(_)) => Ok(Step::Delete),
        (Inverse::Restore, _, Some(before), Some(_)) => Ok(Step::Restore(before.clone())),
        (Inverse::Restore, _, None, Some(_)) if row.object.is_some_and(|object| object.kind == ChangeKind::Organization) => Err(never("An organization cannot be deleted.")),
        _ => Err(never("The log does not hold what was there before.")),
    }
}

/// Whether an undo of a row could be tried now. It may still find that the object was changed since.
pub(crate) fn undoable(row: &AuditEvent, now: Timestamp) -> bool {
    match step(row) {
        Ok(Step::BringBack(_)) => now.since(row.created_at) <= UNDO_WINDOW,
        Ok(Step::Delete | Step::Restore(_)) => true,
        Err(_) => false,
    }
}

fn never(why: &str) -> Problem {
    Problem::new(Code::NotUndoable, format!("This change cannot be undone. {why}"))
}
