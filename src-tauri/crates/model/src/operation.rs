//! The closed list of management operations. Permissions, audit rows, HTTP routes and window commands all refer to it,
//! so that an operation without a rule cannot be routed.

macro_rules! operations {
    ($($variant:ident = $id:literal;)+) => {
        /// One management operation, named as in the SDK (`resource.verb`).
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        #[expect(missing_docs, reason = "each is its id")]
        pub enum Operation { $($variant,)+ }

        impl Operation {
            /// Every operation.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];
            /// `resource.verb`, which is also the window command.
            pub const fn id(self) -> &'static str { match self { $(Self::$variant => $id),+ } }
            /// The operation with this id.
            pub fn from_id(id: &str) -> Option<Self> { Self::ALL.iter().copied().find(|operation| operation.id() == id) }
        }
    };
}

operations! {
    OrganizationGet = "organization.get";
    OrganizationUpdate = "organization.update";
    OrganizationPatch = "organization.patch";
    AccountsList = "accounts.list";
    AccountsGet = "accounts.get";
    AccountsCreate = "accounts.create";
    AccountsUpdate = "accounts.update";
    AccountsPatch = "accounts.patch";
    AccountsDelete = "accounts.delete";
    AccountsImpact = "accounts.impact";
    IntegrationPointsList = "integration_points.list";
    IntegrationPointsGet = "integration_points.get";
    IntegrationPointsCreate = "integration_points.create";
    IntegrationPointsUpdate = "integration_points.update";
    IntegrationPointsPatch = "integration_points.patch";
    IntegrationPointsDelete = "integration_points.delete";
    IntegrationPointsImpact = "integration_points.impact";
    IntegrationPointsPreview = "integration_points.preview";
    IntegrationsList = "integrations.list";
    IntegrationsListAccount = "integrations.list_account";
    IntegrationsGet = "integrations.get";
    IntegrationsCreate = "integrations.create";
    IntegrationsVerify = "integrations.verify";
    IntegrationsVerifyExisting = "integrations.verify_existing";
    IntegrationsUpdate = "integrations.update";
    IntegrationsPatch = "integrations.patch";
    IntegrationsDelete = "integrations.delete";
    IntegrationsImpact = "integrations.impact";
    IntegrationsPause = "integrations.pause";
    IntegrationsResume = "integrations.resume";
    IntegrationsPreviewDisconnect = "integrations.preview_disconnect";
    IntegrationsDisconnect = "integrations.disconnect";
    IntegrationsReceipts = "integrations.receipts";
    IntegrationsReceiptLink = "integrations.receipt_link";
    IntegrationsCall = "integrations.call";
    IntegrationsListVersions = "integrations.list_versions";
    IntegrationsJournal = "integrations.journal";
    IntegrationsPreviewVersion = "integrations.preview_version";
    IntegrationsSetVersion = "integrations.set_version";
    IntegrationsRollbackVersion = "integrations.rollback_version";
    DefinitionsList = "definitions.list";
    DefinitionsGet = "definitions.get";
    CredentialsList = "credentials.list";
    CredentialsGet = "credentials.get";
    CredentialsLookup = "credentials.lookup";
    CredentialsCreate = "credentials.create";
    CredentialsUpdate = "credentials.update";
    CredentialsPatch = "credentials.patch";
    CredentialsDelete = "credentials.delete";
    CredentialsImpact = "credentials.impact";
    TokensCreate = "tokens.create_token";
    TokensCreateIntegration = "tokens.create_integration_token";
    TokensList = "tokens.list";
    TokensGet = "tokens.get";
    TokensRefresh = "tokens.refresh";
    TokensRotate = "tokens.rotate";
    TokensReset = "tokens.reset";
    TokensRemoveSecondary = "tokens.remove_secondary";
    TokensDelete = "tokens.delete";
    TokensImpact = "tokens.impact";
    MembersList = "members.list";
    MembersGet = "members.get";
    MembersCreate = "members.create";
    MembersUpdate = "members.update";
    MembersPatch = "members.patch";
    MembersDelete = "members.delete";
    MembersImpact = "members.impact";
    MembersCreateLink = "members.create_link";
    MembersUnlock = "members.unlock";
    RolesList = "roles.list";
    RolesGet = "roles.get";
    RolesCreate = "roles.create";
    RolesUpdate = "roles.update";
    RolesPatch = "roles.patch";
    RolesDelete = "roles.delete";
    RolesImpact = "roles.impact";
    PermissionsetList = "permissionset.list";
    PermissionsetGet = "permissionset.get";
    AuthLogon = "auth.logon";
    AuthChangePassword = "auth.change_password";
    AuthLogoff = "auth.logoff";
    CapabilitiesListConnectors = "capabilities.list_connectors";
    CapabilitiesListProviders = "capabilities.list_providers";
    CapabilitiesGetProvider = "capabilities.get_provider";
    AuditList = "audit.list";
    AuditGet = "audit.get";
    AuditExport = "audit.export";
    AuditUndo = "audit.undo";
    ProviderAppsList = "provider_apps.list";
    ProviderAppsGet = "provider_apps.get";
    ProviderAppsCreate = "provider_apps.create";
    ProviderAppsUpdate = "provider_apps.update";
    ProviderAppsDelete = "provider_apps.delete";
    ProviderAppsImpact = "provider_apps.impact";
    ProviderAppsTrust = "provider_apps.trust";
    ProviderAppsChecks = "provider_apps.checks";
    ProviderAppsPreflight = "provider_apps.preflight";
    ConnectRoutes = "connect.routes";
    ConnectBegin = "connect.begin";
    ConnectSwitch = "connect.switch";
    ConnectGet = "connect.get";
    ConnectLatest = "connect.latest";
    ConnectFlight = "connect.flight";
    ConnectRecord = "connect.record";
    ConnectExplain = "connect.explain";
    ConnectFinish = "connect.finish";
    ConnectAnswer = "connect.answer";
    ConnectChoose = "connect.choose";
    ConnectCancel = "connect.cancel";
    ConnectLinksList = "connect_links.list";
    ConnectLinksCreate = "connect_links.create";
    ConnectLinksRevoke = "connect_links.revoke";
    RevocationsList = "revocations.list";
    RevocationsGet = "revocations.get";
    RevocationsConfirm = "revocations.confirm";
    RevocationsRetry = "revocations.retry";
    EndUsersList = "end_users.list";
    EndUsersGet = "end_users.get";
    EndUsersCreate = "end_users.create";
    EndUsersUpdate = "end_users.update";
    EndUsersErase = "end_users.erase";
    EndUsersImpact = "end_users.impact";
    EndUsersReceipts = "end_users.receipts";
    DeletionsUndo = "deletions.undo";
    ManifestsSchema = "manifests.schema";
    ManifestsList = "manifests.list";
    ManifestsCheck = "manifests.check";
    ManifestsAdd = "manifests.add";
    ManifestsWithdraw = "manifests.withdraw";
    MetaManagementOpenapiSpec = "meta.management_openapi_spec";
    MetaEngineOpenapiSpec = "meta.engine_openapi_spec";
    OverviewGet = "overview.get";
    ConfigurationExport = "configuration.export";
    StatusList = "status.list";
    StatusGet = "status.get";
    StatusReset = "status.reset";
    StatusListEvents = "status.list_events";
    StatusGetTimeseries = "status.get_timeseries";
    StatusGetIntegrationTimeseries = "status.get_integration_timeseries";
    OrganizationWebhooksList = "organization_webhooks.list";
    OrganizationWebhooksGet = "organization_webhooks.get";
    OrganizationWebhooksCreate = "organization_webhooks.create";
    OrganizationWebhooksUpdate = "organization_webhooks.update";
    OrganizationWebhooksPatch = "organization_webhooks.patch";
    OrganizationWebhooksDelete = "organization_webhooks.delete";
    OrganizationWebhooksImpact = "organization_webhooks.impact";
    OrganizationWebhooksListDeliveries = "organization_webhooks.list_deliveries";
    OrganizationWebhooksGetDelivery = "organization_webhooks.get_delivery";
    OrganizationWebhooksTest = "organization_webhooks.test";
    OrganizationWebhooksRedeliver = "organization_webhooks.redeliver";
    ConfigurationRecipient = "configuration.recipient";
    ConfigurationCopy = "configuration.copy";
    ConfigurationFill = "configuration.fill";
    BackupsList = "backups.list";
    BackupsCreate = "backups.create";
    BackupsSettings = "backups.settings";
    KeysStatus = "keys.status";
    KeysRotate = "keys.rotate";
    KeysForget = "keys.forget";
    DeadlinesList = "deadlines.list";
    DeadlinesFeed = "deadlines.feed";
    DeadlinesFeedLink = "deadlines.feed_link";
    DeadlinesMakeFeedLink = "deadlines.make_feed_link";
    DeadlinesRevokeFeedLink = "deadlines.revoke_feed_link";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_unique_and_found_again() {
        for operation in Operation::ALL {
            assert_eq!(Operation::from_id(operation.id()), Some(*operation), "{} is not its own", operation.id());
        }
    }
}
