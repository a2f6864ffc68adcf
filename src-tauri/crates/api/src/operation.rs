//! The one table of management operations: HTTP method, path, query, body, answer and status. The router, the dispatcher
//! of commands and the TypeScript contract are all made from it, so none of them can know an operation that the others do not.

use patchbay_engine::contention::Turns;
use patchbay_engine::token::Bearer;
use patchbay_engine::{CallerInfo, Engine, ManagementGrant, RefreshGrant};
use patchbay_model::{Operation, Problem};
use serde_json::Value;

use crate::contract::Commands;
use crate::handle::{
    Call, account, audit, auth, backup, capability, connect, connect_link, credential, deadline, definition, end_user, integration, key, manifest_entry, member, meta, moving,
    organization, overview, point, provider_app, receipt, revocation, role, status, token, trial, undo, webhook,
};
use crate::openapi::Management;
use crate::reply::{AuditFile, CalendarFile, Deleted, Document, Empty, IntoReply, Reply, SchemaDocument};
use crate::request::{DeadlinesOf, Expand, ExportOf, Json, ListOf, MaybeJson, NoBody, NoQuery, Patch, Place, ReadBody, ReadQuery, Request, Revoking, Timeseries};
use crate::wire::account::{Account, AccountCreated, CreateAccount, UpdateAccount};
use crate::wire::audit::{Audit, AuditDetail};
use crate::wire::backup::{Backup, BackupSettings, Backups};
use crate::wire::call::{CallAnswer, CallIntegration};
use crate::wire::capability::{Connector, Provider};
use crate::wire::connect_link::{ConnectLink, ConnectLinkCreated, CreateConnectLink};
use crate::wire::consent::{
    BeginConnect, ChooseConnect, ConnectOffer, ConnectSession, CreateProviderApp, ExplainPage, Explained, FinishConnect, FlightStep, ProposeTrust, ProviderApp, RecordFlight,
    Recorded, SwitchConnect, TrustPolicy, UpdateProviderApp,
};
use crate::wire::credential::{CreateCredential, Credential, UpdateCredential};
use crate::wire::deadline::Deadlines;
use crate::wire::definition::{Definition, IntegrationVersion, SetVersion, VersionPreview};
use crate::wire::end_user::{ConsentReceipt, CreateEndUser, EndUser, ErasureImpact, UpdateEndUser};
use crate::wire::envelope::{Answer, Listed};
use crate::wire::governance::PointPreview;
use crate::wire::integration::{CreateIntegration, Integration, IntegrationCreated, IntegrationUpdated, UpdateIntegration, Verified, VerifyIntegration};
use crate::wire::key::{KeyStatus, RotateKeys};
use crate::wire::manifest_entry::{ManifestCheck, ManifestEntry, ManifestText};
use crate::wire::member::{ChangePassword, CreateLink, CreateMember, LoggedOn, Logon, Member, MemberCreated, MemberLink, PasswordChanged, UpdateMember};
use crate::wire::moving::{ConfigurationFilled, CopyConfiguration, FillConfiguration, ImageRecipient, SealedImage};
use crate::wire::organization::{Organization, UpdateOrganization};
use crate::wire::overview::{ExportConfiguration, ExportedConfiguration, Impact, Overview};
use crate::wire::point::{CreateIntegrationPoint, IntegrationPoint, UpdateIntegrationPoint};
use crate::wire::preflight::AppChecks;
use crate::wire::receipt::{FeedLink, IntegrationReceipt, MadeLink};
use crate::wire::refresh::RefreshAttempt;
use crate::wire::revocation::{DisconnectPreview, Disconnected, Revocation};
use crate::wire::role::{CreateRole, PermissionSetView, Role, UpdateRole};
use crate::wire::status::{Status, StatusEvent, StatusTimeseries};
use crate::wire::token::{CreateIntegrationToken, CreateToken, RefreshToken, Token};
use crate::wire::webhook::{CreateOrganizationWebhook, OrganizationWebhook, UpdateOrganizationWebhook, WebhookDelivery, WebhookDeliveryDetail};

/// An HTTP method.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[expect(missing_docs, reason = "each is its name")]
pub enum Method {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

impl Method {
    /// The word in the request line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// Who may call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rule {
    /// Holders of an organization token whose permissions cover the operation.
    Management,
    /// Holders of a container's refresh secret, for that container; holders of an organization token as under `Management`.
    RefreshOrManagement,
    /// Whoever knows a member's name and password.
    Logon,
}

/// One operation as it is served.
#[derive(Clone, Copy, Debug)]
pub struct Route {
    /// Which.
    pub operation: Operation,
    /// HTTP method.
    pub method: Method,
    /// Path with `{name}` for parameters.
    pub path: &'static str,
    /// Status of success.
    pub status: u16,
    /// Who may call.
    pub rule: Rule,
}

/// Names of the parameters in a path, in order.
pub fn path_parameters(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
}

/// An operation that is being run.
type Answering<'a> = std::pin::Pin<Box<dyn Future<Output = Result<Reply, Problem>> + Send + 'a>>;

macro_rules! table {
    ($($operation:ident: $method:ident $path:literal, $query:ty, $body:ty => $result:ty, $status:literal, $rule:ident, $handler:path;)+) => {
        /// Every operation as it is served.
        pub const ROUTES: &[Route] = &[$(
            Route { operation: Operation::$operation, method: Method::$method, path: $path, status: $status, rule: Rule::$rule },
        )+];

        /// Writes every operation into the contract.
        pub(crate) fn describe(commands: &mut Commands) {
            $(commands.operation::<$query, $body, $result>(Operation::$operation, $path);)+
        }

        /// Describes every operation in the OpenAPI document.
        pub(crate) fn openapi(document: &mut Management) {
            $(document.operation::<$query, $body, $result>(&Route {
                operation: Operation::$operation,
                method: Method::$method,
                path: $path,
                status: $status,
                rule: Rule::$rule,
            });)+
        }

        /// Runs an operation once: reads the request into types, calls its handler, and makes the answer.
        #[expect(clippy::redundant_closure_call, reason = "each closure is a function of its own, and so has a stack frame of its own")]
        fn attempt<'a>(engine: &'a Engine, grant: &'a ManagementGrant, operation: Operation, request: &'a Request, body: Option<Value>) -> Answering<'a> {
            // Boxed, so that the future of the whole table is not as large as the largest of its handlers; and made in a
            // function of its own, since an unoptimised build keeps room on the stack for each of those that it might make.
            match operation {
                $(Operation::$operation => (move || -> Answering<'a> {
                    Box::pin(async move {
                        let query = <$query as ReadQuery>::read(request)?;
                        let body = <$body as ReadBody>::read(body)?;
                        let answer: $result = $handler(Call { engine, grant, request, query, body }).await?;
                        answer.into_reply($status)
                    })
                })(),)+
            }
        }
    };
}

table! {
    OrganizationGet: Get "/v1/organization", NoQuery, NoBody => Answer<Organization>, 200, Management, organization::get;
    OrganizationUpdate: Put "/v1/organization", NoQuery, Json<UpdateOrganization> => Answer<Organization>, 200, Management, organization::update;
    OrganizationPatch: Patch "/v1/organization", NoQuery, Patch => Answer<Organization>, 200, Management, organization::patch;

    AccountsList: Get "/v1/accounts", ListOf, NoBody => Listed<Account>, 200, Management, account::list;
    AccountsGet: Get "/v1/accounts/{account_id}", NoQuery, NoBody => Answer<Account>, 200, Management, account::get;
    AccountsCreate: Post "/v1/accounts", NoQuery, Json<CreateAccount> => Answer<AccountCreated>, 201, Management, account::create;
    AccountsUpdate: Put "/v1/accounts/{account_id}", NoQuery, Json<UpdateAccount> => Answer<Account>, 200, Management, account::update;
    AccountsPatch: Patch "/v1/accounts/{account_id}", NoQuery, Patch => Answer<Account>, 200, Management, account::patch;
    AccountsDelete: Delete "/v1/accounts/{account_id}", Revoking, NoBody => Deleted, 204, Management, account::delete;
    AccountsImpact: Get "/v1/x/accounts/{account_id}/impact", NoQuery, NoBody => Answer<Impact>, 200, Management, account::impact;

    IntegrationPointsList: Get "/v1/integration-points", ListOf, NoBody => Listed<IntegrationPoint>, 200, Management, point::list;
    IntegrationPointsGet: Get "/v1/integration-points/{integration_point_id}", NoQuery, NoBody => Answer<IntegrationPoint>, 200, Management, point::get;
    IntegrationPointsCreate: Post "/v1/integration-points", NoQuery, Json<CreateIntegrationPoint> => Answer<IntegrationPoint>, 201, Management, point::create;
    IntegrationPointsUpdate: Put "/v1/integration-points/{integration_point_id}", NoQuery, Json<UpdateIntegrationPoint> => Answer<IntegrationPoint>, 200, Management, point::update;
    IntegrationPointsPatch: Patch "/v1/integration-points/{integration_point_id}", NoQuery, Patch => Answer<IntegrationPoint>, 200, Management, point::patch;
    IntegrationPointsDelete: Delete "/v1/integration-points/{integration_point_id}", NoQuery, NoBody => Deleted, 204, Management, point::delete;
    IntegrationPointsImpact: Get "/v1/x/integration-points/{integration_point_id}/impact", NoQuery, NoBody => Answer<Impact>, 200, Management, point::impact;
    IntegrationPointsPreview: Post "/v1/x/integration-points/{integration_point_id}/preview", NoQuery, Json<UpdateIntegrationPoint> => Answer<PointPreview>, 200, Management, point::preview;

    IntegrationsList: Get "/v1/integrations", ListOf, NoBody => Listed<Integration>, 200, Management, integration::list;
    IntegrationsListAccount: Get "/v1/integrations/{account_id}", ListOf, NoBody => Listed<Integration>, 200, Management, integration::list_account;
    IntegrationsGet: Get "/v1/integrations/{account_id}/{integration_id}", NoQuery, NoBody => Answer<Integration>, 200, Management, integration::get;
    IntegrationsCreate: Post "/v1/integrations/{account_id}", NoQuery, Json<CreateIntegration> => Answer<IntegrationCreated>, 201, Management, integration::create;
    IntegrationsVerify: Post "/v1/integrations/{account_id}/verify", NoQuery, Json<VerifyIntegration> => Verified, 200, Management, integration::verify;
    IntegrationsVerifyExisting: Post "/v1/integrations/{account_id}/{integration_id}/verify", NoQuery, MaybeJson<UpdateIntegration> => Verified, 200, Management, integration::verify_existing;
    IntegrationsUpdate: Put "/v1/integrations/{account_id}/{integration_id}", NoQuery, Json<UpdateIntegration> => IntegrationUpdated, 200, Management, integration::update;
    IntegrationsPatch: Patch "/v1/integrations/{account_id}/{integration_id}", NoQuery, Patch => IntegrationUpdated, 200, Management, integration::patch;
    IntegrationsDelete: Delete "/v1/integrations/{account_id}/{integration_id}", Revoking, NoBody => Deleted, 204, Management, integration::delete;
    IntegrationsImpact: Get "/v1/x/integrations/{account_id}/{integration_id}/impact", NoQuery, NoBody => Answer<Impact>, 200, Management, integration::impact;
    IntegrationsPause: Post "/v1/x/integrations/{account_id}/{integration_id}/pause", NoQuery, NoBody => Answer<Integration>, 200, Management, integration::pause;
    IntegrationsResume: Post "/v1/x/integrations/{account_id}/{integration_id}/resume", NoQuery, NoBody => Answer<Integration>, 200, Management, integration::resume;
    IntegrationsPreviewDisconnect: Get "/v1/x/integrations/{account_id}/{integration_id}/disconnect", NoQuery, NoBody => Answer<DisconnectPreview>, 200, Management, integration::preview_disconnect;
    IntegrationsDisconnect: Post "/v1/x/integrations/{account_id}/{integration_id}/disconnect", NoQuery, NoBody => Answer<Disconnected>, 200, Management, integration::disconnect;
    IntegrationsReceipts: Get "/v1/x/integrations/{account_id}/{integration_id}/receipts", NoQuery, NoBody => Listed<IntegrationReceipt>, 200, Management, receipt::list;
    IntegrationsReceiptLink: Post "/v1/x/integrations/{account_id}/{integration_id}/receipt-link", NoQuery, NoBody => Answer<MadeLink>, 201, Management, receipt::link;
    IntegrationsCall: Post "/v1/x/integrations/{account_id}/{integration_id}/call", NoQuery, Json<CallIntegration> => Answer<CallAnswer>, 200, Management, trial::call;
    IntegrationsListVersions: Get "/v1/x/integrations/{account_id}/{integration_id}/versions", NoQuery, NoBody => Listed<IntegrationVersion>, 200, Management, definition::list_versions;
    IntegrationsJournal: Get "/v1/x/integrations/{account_id}/{integration_id}/journal", NoQuery, NoBody => Listed<RefreshAttempt>, 200, Management, integration::journal;
    IntegrationsPreviewVersion: Post "/v1/x/integrations/{account_id}/{integration_id}/version/preview", NoQuery, Json<SetVersion> => Answer<VersionPreview>, 200, Management, definition::preview_version;
    IntegrationsSetVersion: Put "/v1/x/integrations/{account_id}/{integration_id}/version", NoQuery, Json<SetVersion> => IntegrationUpdated, 200, Management, definition::set_version;
    IntegrationsRollbackVersion: Post "/v1/x/integrations/{account_id}/{integration_id}/version/rollback", NoQuery, NoBody => IntegrationUpdated, 200, Management, definition::rollback_version;

    DefinitionsList: Get "/v1/x/definitions", ListOf, NoBody => Listed<Definition>, 200, Management, definition::list;
    DefinitionsGet: Get "/v1/x/definitions/{definition_id}", NoQuery, NoBody => Answer<Definition>, 200, Management, definition::get;

    CredentialsList: Get "/v1/credentials/{owner_id}", ListOf, NoBody => Listed<Credential>, 200, Management, credential::list;
    CredentialsGet: Get "/v1/credentials/{owner_id}/{credential_id}", NoQuery, NoBody => Answer<Credential>, 200, Management, credential::get;
    CredentialsLookup: Get "/v1/credentials/lookup/{credential_id}", NoQuery, NoBody => Answer<Credential>, 200, Management, credential::lookup;
    CredentialsCreate: Post "/v1/credentials/{owner_id}", NoQuery, Json<CreateCredential> => Answer<Credential>, 201, Management, credential::create;
    CredentialsUpdate: Put "/v1/credentials/{owner_id}/{credential_id}", NoQuery, Json<UpdateCredential> => Answer<Credential>, 200, Management, credential::update;
    CredentialsPatch: Patch "/v1/credentials/{owner_id}/{credential_id}", NoQuery, Patch => Answer<Credential>, 200, Management, credential::patch;
    CredentialsDelete: Delete "/v1/credentials/{owner_id}/{credential_id}", NoQuery, NoBody => Deleted, 204, Management, credential::delete;

    CredentialsImpact: Get "/v1/x/credentials/{owner_id}/{credential_id}/impact", NoQuery, NoBody => Answer<Impact>, 200, Management, credential::impact;

    TokensCreate: Post "/v1/tokens", NoQuery, Json<CreateToken> => Answer<RefreshToken>, 201, Management, token::create;
    TokensCreateIntegration: Post "/v1/tokens/{account_id}/{integration_id}", NoQuery, MaybeJson<CreateIntegrationToken> => Answer<Token>, 201, Management, token::create_integration;
    TokensList: Get "/v1/tokens", ListOf, NoBody => Listed<RefreshToken>, 200, Management, token::list;
    TokensGet: Get "/v1/tokens/{refresh_token_id}/info", NoQuery, NoBody => Answer<RefreshToken>, 200, Management, token::get;
    TokensRefresh: Put "/v1/tokens/{refresh_token_id}/refresh", NoQuery, NoBody => Answer<RefreshToken>, 200, RefreshOrManagement, token::refresh;
    TokensRotate: Put "/v1/tokens/{owner_id}/{refresh_token_id}/rotate", NoQuery, NoBody => Answer<RefreshToken>, 200, Management, token::rotate;
    TokensReset: Put "/v1/tokens/{owner_id}/{refresh_token_id}/reset", NoQuery, NoBody => Answer<RefreshToken>, 200, Management, token::reset;
    TokensRemoveSecondary: Delete "/v1/tokens/{refresh_token_id}/secondary", NoQuery, NoBody => Empty, 204, Management, token::remove_secondary;
    TokensDelete: Delete "/v1/tokens/{refresh_token_id}", NoQuery, NoBody => Empty, 204, Management, token::delete;

    TokensImpact: Get "/v1/x/tokens/{refresh_token_id}/impact", NoQuery, NoBody => Answer<Impact>, 200, Management, token::impact;

    MembersList: Get "/v1/members", ListOf, NoBody => Listed<Member>, 200, Management, member::list;
    MembersGet: Get "/v1/members/{member_id}", NoQuery, NoBody => Answer<Member>, 200, Management, member::get;
    MembersCreate: Post "/v1/members", NoQuery, Json<CreateMember> => Answer<MemberCreated>, 201, Management, member::create;
    MembersUpdate: Put "/v1/members/{member_id}", NoQuery, Json<UpdateMember> => Answer<Member>, 200, Management, member::update;
    MembersPatch: Patch "/v1/members/{member_id}", NoQuery, Patch => Answer<Member>, 200, Management, member::patch;
    MembersDelete: Delete "/v1/members/{member_id}", NoQuery, NoBody => Deleted, 204, Management, member::delete;
    MembersImpact: Get "/v1/x/members/{member_id}/impact", NoQuery, NoBody => Answer<Impact>, 200, Management, member::impact;
    MembersCreateLink: Post "/v1/x/members/{member_id}/links", NoQuery, Json<CreateLink> => Answer<MemberLink>, 201, Management, member::create_link;
    MembersUnlock: Post "/v1/x/members/{member_id}/unlock", NoQuery, NoBody => Answer<Member>, 200, Management, member::unlock;

    RolesList: Get "/v1/roles", ListOf, NoBody => Listed<Role>, 200, Management, role::list;
    RolesGet: Get "/v1/roles/{role_id}", NoQuery, NoBody => Answer<Role>, 200, Management, role::get;
    RolesCreate: Post "/v1/roles", NoQuery, Json<CreateRole> => Answer<Role>, 201, Management, role::create;
    RolesUpdate: Put "/v1/roles/{role_id}", NoQuery, Json<UpdateRole> => Answer<Role>, 200, Management, role::update;
    RolesPatch: Patch "/v1/roles/{role_id}", NoQuery, Patch => Answer<Role>, 200, Management, role::patch;
    RolesDelete: Delete "/v1/roles/{role_id}", NoQuery, NoBody => Deleted, 204, Management, role::delete;
    RolesImpact: Get "/v1/x/roles/{role_id}/impact", NoQuery, NoBody => Answer<Impact>, 200, Management, role::impact;

    PermissionsetList: Get "/v1/permissionsets", NoQuery, NoBody => Answer<Vec<PermissionSetView>>, 200, Management, role::list_sets;
    PermissionsetGet: Get "/v1/permissionsets/{permissionset_id}", NoQuery, NoBody => Answer<PermissionSetView>, 200, Management, role::get_set;

    AuthLogon: Post "/v1/auth/logon/{organization_id}", NoQuery, Json<Logon> => Answer<LoggedOn>, 200, Logon, auth::logon;
    AuthChangePassword: Post "/v1/auth/change_password", NoQuery, Json<ChangePassword> => Answer<PasswordChanged>, 200, Management, auth::change_password;
    AuthLogoff: Post "/v1/auth/logoff", NoQuery, NoBody => Empty, 204, Management, auth::logoff;

    CapabilitiesListConnectors: Get "/v1/capabilities/connectors", Expand, NoBody => Listed<Connector>, 200, Management, capability::list_connectors;
    CapabilitiesListProviders: Get "/v1/capabilities/providers", Expand, NoBody => Listed<Provider>, 200, Management, capability::list_providers;
    CapabilitiesGetProvider: Get "/v1/capabilities/providers/{provider_id}", Expand, NoBody => Answer<Provider>, 200, Management, capability::get_provider;

    AuditList: Get "/v1/audit/organizations", ListOf, NoBody => Listed<Audit>, 200, Management, audit::list;
    AuditGet: Get "/v1/x/audit/{audit_id}", NoQuery, NoBody => Answer<AuditDetail>, 200, Management, audit::get;
    AuditExport: Get "/v1/x/audit/export", ExportOf, NoBody => AuditFile, 200, Management, audit::export;
    AuditUndo: Post "/v1/x/audit/{audit_id}/undo", NoQuery, NoBody => Answer<Audit>, 200, Management, audit::undo;

    ProviderAppsList: Get "/v1/x/provider-apps", ListOf, NoBody => Listed<ProviderApp>, 200, Management, provider_app::list;
    ProviderAppsGet: Get "/v1/x/provider-apps/{provider_app_id}", NoQuery, NoBody => Answer<ProviderApp>, 200, Management, provider_app::get;
    ProviderAppsCreate: Post "/v1/x/provider-apps", NoQuery, Json<CreateProviderApp> => Answer<ProviderApp>, 201, Management, provider_app::create;
    ProviderAppsUpdate: Put "/v1/x/provider-apps/{provider_app_id}", NoQuery, Json<UpdateProviderApp> => Answer<ProviderApp>, 200, Management, provider_app::update;
    ProviderAppsDelete: Delete "/v1/x/provider-apps/{provider_app_id}", NoQuery, NoBody => Deleted, 204, Management, provider_app::delete;

    ProviderAppsImpact: Get "/v1/x/provider-apps/{provider_app_id}/impact", NoQuery, NoBody => Answer<Impact>, 200, Management, provider_app::impact;
    ProviderAppsTrust: Post "/v1/x/trust-policies", NoQuery, Json<ProposeTrust> => Answer<TrustPolicy>, 200, Management, provider_app::trust;
    ProviderAppsChecks: Get "/v1/x/provider-apps/{provider_app_id}/preflight", NoQuery, NoBody => Answer<AppChecks>, 200, Management, provider_app::checks;
    ProviderAppsPreflight: Post "/v1/x/provider-apps/{provider_app_id}/preflight", NoQuery, NoBody => Answer<AppChecks>, 200, Management, provider_app::preflight;

    ConnectRoutes: Get "/v1/x/integrations/{account_id}/{integration_id}/connect-routes", Place, NoBody => Listed<ConnectOffer>, 200, Management, connect::routes;
    ConnectBegin: Post "/v1/x/connect-sessions", NoQuery, Json<BeginConnect> => Answer<ConnectSession>, 201, Management, connect::begin;
    ConnectGet: Get "/v1/x/connect-sessions/{connect_session_id}", NoQuery, NoBody => Answer<ConnectSession>, 200, Management, connect::get;
    ConnectChoose: Post "/v1/x/connect-sessions/{connect_session_id}/choose", NoQuery, Json<ChooseConnect> => Answer<ConnectSession>, 200, Management, connect::choose;
    ConnectSwitch: Post "/v1/x/connect-sessions/{connect_session_id}/switch", NoQuery, Json<SwitchConnect> => Answer<ConnectSession>, 200, Management, connect::switch;
    ConnectLatest: Get "/v1/x/integrations/{account_id}/{integration_id}/connect-sessions", NoQuery, NoBody => Listed<ConnectSession>, 200, Management, connect::latest;
    ConnectFlight: Get "/v1/x/connect-sessions/{connect_session_id}/flight", NoQuery, NoBody => Listed<FlightStep>, 200, Management, connect::flight;
    ConnectRecord: Post "/v1/x/connect-sessions/{connect_session_id}/record", NoQuery, Json<RecordFlight> => Answer<Recorded>, 200, Management, connect::record;
    ConnectExplain: Post "/v1/x/connect-sessions/{connect_session_id}/explain", NoQuery, Json<ExplainPage> => Answer<Explained>, 200, Management, connect::explain;
    ConnectFinish: Post "/v1/x/connect-sessions/{connect_session_id}/finish", NoQuery, Json<FinishConnect> => Answer<ConnectSession>, 200, Management, connect::finish;
    ConnectAnswer: Post "/v1/x/connect-answers", NoQuery, Json<FinishConnect> => Answer<ConnectSession>, 200, Management, connect::answer;
    ConnectCancel: Post "/v1/x/connect-sessions/{connect_session_id}/cancel", NoQuery, NoBody => Answer<ConnectSession>, 200, Management, connect::cancel;

    StatusList: Get "/v1/status", ListOf, NoBody => Listed<Status>, 200, Management, status::list;
    StatusGetTimeseries: Get "/v1/status/timeseries", NoQuery, NoBody => Answer<StatusTimeseries>, 200, Management, status::get_timeseries;
    StatusGet: Get "/v1/status/{account_id}/{integration_id}", NoQuery, NoBody => Answer<Status>, 200, Management, status::get;
    StatusReset: Put "/v1/status/{account_id}/{integration_id}", NoQuery, NoBody => Empty, 204, Management, status::reset;
    StatusListEvents: Get "/v1/status/{account_id}/{integration_id}/events", ListOf, NoBody => Listed<StatusEvent>, 200, Management, status::list_events;
    StatusGetIntegrationTimeseries: Get "/v1/status/{account_id}/{integration_id}/timeseries", Timeseries, NoBody => Answer<StatusTimeseries>, 200, Management, status::get_integration_timeseries;

    OrganizationWebhooksList: Get "/v1/organization/webhooks", ListOf, NoBody => Listed<OrganizationWebhook>, 200, Management, webhook::list;
    OrganizationWebhooksGet: Get "/v1/organization/webhooks/{webhook_id}", NoQuery, NoBody => Answer<OrganizationWebhook>, 200, Management, webhook::get;
    OrganizationWebhooksCreate: Post "/v1/organization/webhooks", NoQuery, Json<CreateOrganizationWebhook> => Answer<OrganizationWebhook>, 201, Management, webhook::create;
    OrganizationWebhooksUpdate: Put "/v1/organization/webhooks/{webhook_id}", NoQuery, Json<UpdateOrganizationWebhook> => Answer<OrganizationWebhook>, 200, Management, webhook::update;
    OrganizationWebhooksPatch: Patch "/v1/organization/webhooks/{webhook_id}", NoQuery, Patch => Answer<OrganizationWebhook>, 200, Management, webhook::patch;
    OrganizationWebhooksDelete: Delete "/v1/organization/webhooks/{webhook_id}", NoQuery, NoBody => Deleted, 204, Management, webhook::delete;
    OrganizationWebhooksImpact: Get "/v1/x/organization/webhooks/{webhook_id}/impact", NoQuery, NoBody => Answer<Impact>, 200, Management, webhook::impact;
    OrganizationWebhooksListDeliveries: Get "/v1/x/organization/webhooks/{webhook_id}/deliveries", ListOf, NoBody => Listed<WebhookDelivery>, 200, Management, webhook::list_deliveries;
    OrganizationWebhooksGetDelivery: Get "/v1/x/organization/webhooks/{webhook_id}/deliveries/{delivery_id}", NoQuery, NoBody => Answer<WebhookDeliveryDetail>, 200, Management, webhook::get_delivery;
    OrganizationWebhooksTest: Post "/v1/x/organization/webhooks/{webhook_id}/test", NoQuery, NoBody => Answer<WebhookDeliveryDetail>, 200, Management, webhook::test;
    OrganizationWebhooksRedeliver: Post "/v1/x/organization/webhooks/{webhook_id}/deliveries/{delivery_id}/redeliver", NoQuery, NoBody => Answer<WebhookDeliveryDetail>, 201, Management, webhook::redeliver;

    ConfigurationRecipient: Get "/v1/x/configuration/recipient", NoQuery, NoBody => Answer<ImageRecipient>, 200, Management, moving::recipient;
    ConfigurationCopy: Post "/v1/x/configuration/copy", NoQuery, Json<CopyConfiguration> => Answer<SealedImage>, 200, Management, moving::copy;
    ConfigurationFill: Post "/v1/x/configuration/fill", NoQuery, Json<FillConfiguration> => Answer<ConfigurationFilled>, 200, Management, moving::fill;

    BackupsList: Get "/v1/x/backups", NoQuery, NoBody => Answer<Backups>, 200, Management, backup::list;
    BackupsCreate: Post "/v1/x/backups", NoQuery, NoBody => Answer<Backup>, 201, Management, backup::create;
    BackupsSettings: Put "/v1/x/backups/settings", NoQuery, Json<BackupSettings> => Answer<Backups>, 200, Management, backup::settings;

    DeadlinesList: Get "/v1/x/deadlines", DeadlinesOf, NoBody => Answer<Deadlines>, 200, Management, deadline::list;
    DeadlinesFeed: Get "/v1/x/deadlines.ics", NoQuery, NoBody => CalendarFile, 200, Management, deadline::feed;
    DeadlinesFeedLink: Get "/v1/x/deadlines/feed", NoQuery, NoBody => Answer<FeedLink>, 200, Management, receipt::feed_link;
    DeadlinesMakeFeedLink: Post "/v1/x/deadlines/feed", NoQuery, NoBody => Answer<MadeLink>, 201, Management, receipt::make_feed_link;
    DeadlinesRevokeFeedLink: Delete "/v1/x/deadlines/feed", NoQuery, NoBody => Empty, 204, Management, receipt::revoke_feed_link;

    KeysStatus: Get "/v1/x/keys", NoQuery, NoBody => Answer<KeyStatus>, 200, Management, key::status;
    KeysRotate: Post "/v1/x/keys/rotate", NoQuery, Json<RotateKeys> => Answer<KeyStatus>, 200, Management, key::rotate;
    KeysForget: Post "/v1/x/keys/forget", NoQuery, NoBody => Answer<KeyStatus>, 200, Management, key::forget;

    ConnectLinksList: Get "/v1/x/connect-links", ListOf, NoBody => Listed<ConnectLink>, 200, Management, connect_link::list;
    ConnectLinksCreate: Post "/v1/x/connect-links", NoQuery, Json<CreateConnectLink> => Answer<ConnectLinkCreated>, 201, Management, connect_link::create;
    ConnectLinksRevoke: Delete "/v1/x/connect-links/{connect_link_id}", NoQuery, NoBody => Answer<ConnectLink>, 200, Management, connect_link::revoke;

    RevocationsList: Get "/v1/x/revocations", ListOf, NoBody => Listed<Revocation>, 200, Management, revocation::list;
    RevocationsGet: Get "/v1/x/revocations/{revocation_id}", NoQuery, NoBody => Answer<Revocation>, 200, Management, revocation::get;
    RevocationsConfirm: Post "/v1/x/revocations/{revocation_id}/confirm", NoQuery, NoBody => Answer<Revocation>, 200, Management, revocation::confirm;
    RevocationsRetry: Post "/v1/x/revocations/{revocation_id}/retry", NoQuery, NoBody => Answer<Revocation>, 200, Management, revocation::retry;

    EndUsersList: Get "/v1/x/accounts/{account_id}/end-users", ListOf, NoBody => Listed<EndUser>, 200, Management, end_user::list;
    EndUsersGet: Get "/v1/x/accounts/{account_id}/end-users/{end_user_id}", NoQuery, NoBody => Answer<EndUser>, 200, Management, end_user::get;
    EndUsersCreate: Post "/v1/x/accounts/{account_id}/end-users", NoQuery, Json<CreateEndUser> => Answer<EndUser>, 201, Management, end_user::create;
    EndUsersUpdate: Put "/v1/x/accounts/{account_id}/end-users/{end_user_id}", NoQuery, Json<UpdateEndUser> => Answer<EndUser>, 200, Management, end_user::update;
    EndUsersErase: Delete "/v1/x/accounts/{account_id}/end-users/{end_user_id}", NoQuery, NoBody => Empty, 204, Management, end_user::erase;
    EndUsersImpact: Get "/v1/x/accounts/{account_id}/end-users/{end_user_id}/impact", NoQuery, NoBody => Answer<ErasureImpact>, 200, Management, end_user::impact;
    EndUsersReceipts: Get "/v1/x/accounts/{account_id}/end-users/{end_user_id}/receipts", ListOf, NoBody => Listed<ConsentReceipt>, 200, Management, end_user::receipts;

    DeletionsUndo: Post "/v1/x/deletions/{deletion_id}/undo", NoQuery, NoBody => Empty, 204, Management, undo;
    ManifestsSchema: Get "/v1/x/catalog/schema", NoQuery, NoBody => SchemaDocument, 200, Management, meta::manifest_schema;
    ManifestsList: Get "/v1/x/catalog/manifests", NoQuery, NoBody => Listed<ManifestEntry>, 200, Management, manifest_entry::list;
    ManifestsCheck: Post "/v1/x/catalog/manifests/check", NoQuery, Json<ManifestText> => Answer<ManifestCheck>, 200, Management, manifest_entry::check;
    ManifestsAdd: Post "/v1/x/catalog/manifests", NoQuery, Json<ManifestText> => Answer<ManifestEntry>, 201, Management, manifest_entry::add;
    ManifestsWithdraw: Delete "/v1/x/catalog/manifests/{manifest_id}", NoQuery, NoBody => Answer<ManifestEntry>, 200, Management, manifest_entry::withdraw;
    MetaManagementOpenapiSpec: Get "/v1/meta/openapi/management", NoQuery, NoBody => Document, 200, Management, meta::management;
    MetaEngineOpenapiSpec: Get "/v1/meta/openapi/engine", NoQuery, NoBody => Document, 200, Management, meta::engine;

    OverviewGet: Get "/v1/x/overview", NoQuery, NoBody => Answer<Overview>, 200, Management, overview::get;
    ConfigurationExport: Post "/v1/x/export", NoQuery, MaybeJson<ExportConfiguration> => Answer<ExportedConfiguration>, 200, Management, overview::export;
}

/// Runs an operation. Every surface comes through here: the Management API, commands of browsers and windows, the command line.
///
/// On a store with several writers at once, one whose transaction another came between has changed nothing and is run again,
/// whole, a few times: the caller sees one answer, and the store one effect and one row of the audit log
/// ([`patchbay_engine::contention`]). An operation that asks somebody outside is not: it runs its own transactions again.
///
/// # Errors
/// Problems of the request and of the verb; `store_busy` when others came between every time.
pub async fn run(engine: &Engine, grant: &ManagementGrant, operation: Operation, mut request: Request) -> Result<Reply, Problem> {
    let body = request.body.take();
    if asks_outside(operation) {
        return attempt(engine, grant, operation, &request, body).await;
    }
    let mut turns = Turns::new(engine.context());
    loop {
        match attempt(engine, grant, operation, &request, body.clone()).await {
            Err(problem) => turns.again(problem).await?,
            done => return done,
        }
    }
}

/// Whether an operation asks a provider or a webhook's receiver before its answer is stored.
fn asks_outside(operation: Operation) -> bool {
    matches!(
        operation,
        Operation::IntegrationsVerify
            | Operation::IntegrationsVerifyExisting
            | Operation::IntegrationsCall
            | Operation::ConnectFinish
            | Operation::ConnectAnswer
            | Operation::OrganizationWebhooksTest
    )
}

/// `auth.logon` by somebody who has no grant yet.
///
/// # Errors
/// Problems of the request, and `logon_failed`.
pub async fn logon(engine: &Engine, caller: CallerInfo, mut request: Request) -> Result<Reply, Problem> {
    let Json(body) = Json::<Logon>::read(request.body.take())?;
    Box::pin(auth::logon_as(engine, request.path("organization_id")?, &body.name, body.secret, caller)).await?.into_reply(200)
}

/// `tokens.refresh` by the holder of the container's own refresh secret.
///
/// # Errors
/// `not_found` for any other container.
pub async fn refresh(engine: &Engine, grant: &RefreshGrant, request: Request) -> Result<Reply, Problem> {
    let mut turns = Turns::new(engine.context());
    loop {
        match Box::pin(token::refresh_as(engine, Bearer::Refresh(grant), request.path("refresh_token_id")?)).await {
            Err(problem) => turns.again(problem).await?,
            Ok(answer) => return answer.into_reply(200),
        }
    }
}

/// The route of an operation.
pub fn route(operation: Operation) -> Option<&'static Route> {
    ROUTES.iter().find(|route| route.operation == operation)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_has_exactly_one_route() {
        for operation in Operation::ALL {
            assert_eq!(ROUTES.iter().filter(|route| route.operation == *operation).count(), 1, "{}", operation.id());
        }
        assert_eq!(ROUTES.len(), Operation::ALL.len());
    }

    #[test]
    fn what_reads_is_a_get_and_everything_else_says_how_it_is_undone() {
        use patchbay_engine::audit::{Inverse, inverse};
        for route in ROUTES {
            // An undo's row is that of the operation that it runs; an export leaves a row of its own.
            if matches!(route.operation, Operation::AuditUndo | Operation::AuditExport) {
                continue;
            }
            assert_eq!(inverse(route.operation) == Inverse::Reads, route.method == Method::Get, "{}", route.operation.id());
        }
    }

    #[test]
    fn words_of_routes_are_no_names() {
        // What these name has no name of its own, or one that nobody chooses.
        const NAMELESS: [&str; 7] = ["{manifest_id}", "{audit_id}", "{delivery_id}", "{deletion_id}", "{connect_session_id}", "{definition_id}", "{permissionset_id}"];
        let parts = |route: &Route| route.path.split('/').collect::<Vec<_>>();
        let same = |a: &str, b: &str| a == b || a.starts_with('{') || b.starts_with('{');
        let mut words = std::collections::BTreeSet::new();
        for (named, other) in ROUTES.iter().flat_map(|named| ROUTES.iter().map(move |other| (named, other))) {
            let (named, other) = (parts(named), parts(other));
            if named.len() != other.len() || !named.iter().zip(&other).all(|(a, b)| same(a, b)) {
                continue;
            }
            words.extend(named.into_iter().zip(other).filter(|(a, b)| a.starts_with('{') && !b.starts_with('{') && !NAMELESS.contains(a)).map(|(_, word)| word));
        }
        assert!(words.contains("verify") && words.contains("lookup"), "{words:?}");
        for word in words {
            assert!(patchbay_model::Name::parse(word).is_err(), "an object named `{word}` could not be reached by its name, since a route has that word in its place");
        }
    }

    #[test]
    fn no_two_routes_share_method_and_path() {
        let mut seen = std::collections::HashSet::new();
        for route in ROUTES {
            let shape: String = route.path.split('/').map(|segment| if segment.starts_with('{') { "/{}" } else { segment }).collect();
            assert!(seen.insert((route.method, shape)), "{} {} stands twice", route.method.as_str(), route.path);
        }
    }
}
