// Generated from the crates `model` and `api`; do not edit. To make it anew: PATCHBAY_BLESS=1 cargo test -p patchbay-api contract

/**
 * One customer of the organization.
 */
export type Account = { id: AccountId, organization_id: OrganizationId, name: Name, fullname: Fullname, environment: Environment, labels?: Array<Label>, created_at: Timestamp, updated_at: Timestamp, x_patchbay?: AccountExtra, };

/**
 * Result of `accounts.create`.
 */
export type AccountCreated = { account: Account,
/**
 * Only when one was asked for; its secrets are shown this once.
 */
token?: RefreshToken, };

/**
 * What is ours on an account.
 */
export type AccountExtra = {
/**
 * The tenant id by which integration systems know it.
 */
external_id: string,
/**
 * How many integrations it has; absent where it was not counted.
 */
integrations?: number, };

/**
 * What of ours can be set on an account.
 */
export type AccountExtraInput = { external_id?: string,
/**
 * On a PUT: the `updated_at` that the change was made from; where the account has changed since, it is refused with 409.
 */
expected_updated_at?: Timestamp, };

/**
 * An account: one customer of the organization.
 */
export type AccountId = string;

/**
 * A choice of accounts; each part that is given must hold.
 */
export type AccountResources = {
/**
 * Ids or `*`.
 */
ids?: Array<string>, labels?: Array<string>,
/**
 * `test`, `prod`.
 */
environments?: Array<string>, };

/**
 * Who has to do something before a deadline.
 */
export type Actor = "person" | "patchbay";

/**
 * A permission set over resources.
 */
export type AdhocRole = { resources: Resources, permission_set: PermissionSet, };

/**
 * One integration whose calls would be refused.
 */
export type AffectedIntegration = { id: IntegrationId, name: Name, account_id: AccountId, account_name: Name, environment: Environment, provider_type: ProviderId,
/**
 * What would stand in its way.
 */
violations: Array<Violation>,
/**
 * Whether its calls are refused by the point as it is now, too.
 */
already: boolean, };

/**
 * `{result}`, with soft problems beside it where there were some.
 */
export type Answer<T> = {
/**
 * The object itself.
 */
result: T,
/**
 * Trouble that did not keep the operation from being done.
 */
messages?: Messages, };

/**
 * One test of a provider app.
 */
export type AppCheck = { kind: CheckKind,
/**
 * Which one, where there are several: the redirect URI.
 */
subject?: string, at: Timestamp, outcome: CheckWord,
/**
 * What is wrong, and what to change; of what is bad.
 */
explanation?: Explanation,
/**
 * Why it cannot be told.
 */
why?: string, };

/**
 * What was last found about a provider app.
 */
export type AppChecks = {
/**
 * Empty for one that was never tested, or was changed since.
 */
checks: Array<AppCheck>,
/**
 * When it is tested next by itself.
 */
next_check_at?: Timestamp, };

/**
 * Whether the application has a store open.
 */
export type AppState = { "state": "no_store",
/**
 * Where a new store would be made.
 */
default_path: string, } | { "state": "opening",
/**
 * The store.
 */
store: RecentStore,
/**
 * Where a new store would be made.
 */
default_path: string, } | { "state": "locked",
/**
 * The store.
 */
store: RecentStore,
/**
 * Why, for what the window offers to do about it.
 */
code: Code,
/**
 * What happened and what to do.
 */
message: string,
/**
 * Where a new store would be made.
 */
default_path: string, } | { "state": "open",
/**
 * The store.
 */
store: RecentStore, };

/**
 * Why an integration needs attention.
 */
export type AttentionCause = "credential_refused" | "refresh_refused" | "refresh_uncertain" | "grant_expired" | "token_lost" | "client_refused" | "credential_expired" | "credential_missing" | "provider_unreachable" | "config_refused";

/**
 * One row of the audit log; bodies are redacted.
 */
export type Audit = { created_at: Timestamp,
/**
 * `prod` or `test`: of the account that was touched; `prod` for what belongs to none.
 */
environment: Environment,
/**
 * `API` or `ERROR`.
 */
audit_type: string, remote_addr: string, user_agent: string, method: string, path: string,
/**
 * The HTTP status as text, which is what the wire calls code.
 */
code: string, status?: string, body?: unknown,
/**
 * What came of it, as JSON text.
 */
response?: string, member_id?: MemberId, account_id?: AccountId, integration_id?: IntegrationId, x_patchbay: AuditExtra, };

/**
 * One row of the audit log with the object before and after the change.
 */
export type AuditDetail = {
/**
 * The object as the change found it, without secrets and telemetry; absent where it was made.
 */
before?: unknown,
/**
 * The object as the change left it; absent where it was deleted.
 */
after?: unknown,
/**
 * What changed, field by field; empty where it was made or deleted.
 */
diff: Array<Difference>, created_at: Timestamp,
/**
 * `prod` or `test`: of the account that was touched; `prod` for what belongs to none.
 */
environment: Environment,
/**
 * `API` or `ERROR`.
 */
audit_type: string, remote_addr: string, user_agent: string, method: string, path: string,
/**
 * The HTTP status as text, which is what the wire calls code.
 */
code: string, status?: string, body?: unknown,
/**
 * What came of it, as JSON text.
 */
response?: string, member_id?: MemberId, account_id?: AccountId, integration_id?: IntegrationId, x_patchbay: AuditExtra, };

/**
 * What is ours on an audit event.
 */
export type AuditExtra = { id: AuditId, origin: Origin,
/**
 * The operation, such as `accounts.create`.
 */
operation: string,
/**
 * The problem's code; empty when all went well.
 */
problem: string,
/**
 * The kind of object that was changed.
 */
object_kind?: ChangeKind,
/**
 * Its id.
 */
object_id?: string,
/**
 * Whether `audit.get` shows the object before the change.
 */
has_before: boolean,
/**
 * Whether `audit.get` shows the object after the change.
 */
has_after: boolean,
/**
 * Whether `audit.undo` can be tried.
 */
undoable: boolean,
/**
 * The row of the undo that took this change back.
 */
undone_by?: AuditId,
/**
 * The row of the change that this undo took back.
 */
undo_of?: AuditId, };

/**
 * One row of the audit log.
 */
export type AuditId = string;

/**
 * Params of `app.handed`.
 */
export type AwaitHanded = {
/**
 * The number of the last one that was seen; 0 for none.
 */
after: number, };

/**
 * A backup that is whole.
 */
export type Backup = {
/**
 * Name of its file.
 */
name: string,
/**
 * When it was made.
 */
created_at: Timestamp,
/**
 * Whether it was made by hand: such a one stays until somebody removes its file.
 */
by_hand: boolean,
/**
 * Size of its file.
 */
bytes: number, };

/**
 * Why the last attempt failed.
 */
export type BackupFailure = {
/**
 * When.
 */
at: Timestamp,
/**
 * Code of the problem.
 */
code: string,
/**
 * What happened, and what to do.
 */
message: string,
/**
 * How many attempts in a row have failed.
 */
count: number, };

/**
 * How many backups are kept.
 */
export type BackupSettings = {
/**
 * Whether they are made by themselves, once a day.
 */
enabled: boolean,
/**
 * The newest backup of each of so many days is kept.
 */
daily: number,
/**
 * The newest backup of each of so many weeks is kept.
 */
weekly: number, };

/**
 * The backups of the store, and how it stands with them.
 */
export type Backups = {
/**
 * Whether Patchbay makes backups of this store. If not, all but `reason` is absent or empty.
 */
offered: boolean,
/**
 * Why none are made here, in words.
 */
reason?: string,
/**
 * Where they lie on the machine that has the store.
 */
folder?: string,
/**
 * What is kept.
 */
settings?: BackupSettings,
/**
 * Newest first.
 */
backups: Array<Backup>,
/**
 * When the next one is due; absent when they are not made by themselves.
 */
next_due?: Timestamp,
/**
 * Why the last attempt failed; absent when it did not.
 */
failure?: BackupFailure, };

/**
 * Body of `connect.begin`.
 */
export type BeginConnect = { integration_id: string,
/**
 * The way; left out, the first that can be gone.
 */
route?: ConsentRoute,
/**
 * For the way `browser` or `window`: the loopback or internal address that takes the callback. Left out for `link`, it is the server's own.
 */
redirect_uri?: string,
/**
 * Whether the program that asks can show a window, where no way is named.
 */
window?: boolean,
/**
 * Whether the program that asks can open the system's browser and listen on its machine, where no way is named.
 */
browser?: boolean,
/**
 * Id or name of the end user who is asked to agree. Left out, the person is found by what the provider tells, or made.
 */
end_user_id?: string, };

/**
 * Result of `integrations.call`.
 */
export type CallAnswer = {
/**
 * The status that the Connector API would answer.
 */
status: number,
/**
 * Its answer, `{result, cursor?}`; absent when it failed.
 */
answer?: unknown,
/**
 * Why it failed.
 */
problem?: Problem,
/**
 * What went to the provider and what came back, in order; secrets are masked.
 */
exchanges: Array<Exchange>,
/**
 * The request as a program would send it, for copying.
 */
request: CallRequestShown, };

/**
 * Connector calls in a stretch of time.
 */
export type CallCounts = {
/**
 * All of them.
 */
requests: number,
/**
 * Those that ended in a problem.
 */
failed: number, };

/**
 * Body of `integrations.call`.
 */
export type CallIntegration = {
/**
 * The operation's name as in capabilities, such as `query_tickets`.
 */
operation: string,
/**
 * Path parameters by name, such as `ticket_id`.
 */
path?: { [key in string]: string },
/**
 * `limit`, `cursor`, `filter`, `order`, `meta`.
 */
query?: ConnectorQuery,
/**
 * The body that the operation takes.
 */
body?: unknown, };

/**
 * The request of a program that does the same.
 */
export type CallRequestShown = {
/**
 * HTTP method.
 */
method: string,
/**
 * Path and query under the server's address.
 */
path: string,
/**
 * JSON body.
 */
body?: unknown, };

/**
 * One row of `changes`, written in the transaction that made the change.
 */
export type Change = {
/**
 * Rises with every commit; a listener resumes after the last one it saw.
 */
sequence: number,
/**
 * What kind of object.
 */
kind: ChangeKind,
/**
 * Its id.
 */
id: string,
/**
 * In which account, if in one.
 */
account_id?: AccountId,
/**
 * From where.
 */
origin: Origin, };

/**
 * The kind of object that changed.
 */
export type ChangeKind = "organization" | "member" | "account" | "integration_point" | "integration" | "credential" | "token" | "provider_app" | "connect_session" | "audit" | "role" | "organization_webhook" | "webhook_delivery" | "end_user" | "connect_link" | "definition" | "revocation" | "key";

/**
 * Body of `auth.change_password`.
 */
export type ChangePassword = { old_secret: string, new_secret: string, };

/**
 * What became of a member.
 */
export type ChangeWord = "added" | "removed" | "changed";

/**
 * Who can change something.
 */
export type Changer = "administrator" | "customer" | "provider" | "person";

/**
 * What is tested.
 */
export type CheckKind = "reached" | "client" | "redirect_uri" | "scopes";

/**
 * The same as a word, the best first.
 */
export type CheckWord = "good" | "cannot_tell" | "bad";

/**
 * Body of `connect.choose`.
 */
export type ChooseConnect = {
/**
 * `id` of one of the session's `places`.
 */
place: string, };

/**
 * Why something was refused or failed.
 */
export type Code = "invalid_request" | "invalid_body" | "invalid_field" | "invalid_filter" | "invalid_order" | "invalid_cursor" | "invalid_patch" | "not_undoable" | "invalid_config" | "manifest_invalid" | "invalid_image" | "weak_password" | "provider_not_allowed" | "definition_withdrawn" | "integration_not_active" | "needs_reconnect" | "provider_app_missing" | "consent_expired" | "consent_unknown" | "consent_replayed" | "consent_callback_mismatch" | "consent_issuer_mismatch" | "consent_denied" | "consent_other_browser" | "consent_route_unavailable" | "token_missing" | "token_invalid" | "logon_failed" | "member_disabled" | "member_invited" | "member_locked" | "wrong_token_kind" | "permission_denied" | "not_found" | "link_invalid" | "method_not_allowed" | "name_taken" | "in_use" | "update_conflict" | "payload_too_large" | "unsupported_media_type" | "rate_limited" | "provider_rate_limited" | "internal" | "seal_broken" | "operation_unsupported" | "provider_refused" | "provider_unreachable" | "provider_invalid_answer" | "private_target" | "store_busy" | "store_read_only" | "store_untrusted" | "store_refused" | "backup_failed" | "shutting_down" | "provider_timeout" | "server_unreachable" | "server_incompatible" | "store_missing" | "store_damaged" | "store_newer" | "store_unprepared" | "store_locked" | "wrong_key" | "key_unavailable";

/**
 * The configuration of a provider, as a form shows it.
 */
export type ConfigFacts = {
/**
 * JSON Schema without `type` and `credential`.
 */
schema: unknown,
/**
 * Names of the properties in the order of the form.
 */
order: Array<string>, };

/**
 * What `configuration.fill` brought.
 */
export type ConfigurationFilled = {
/**
 * The organization for which the caller's token works from now on.
 */
organization_id: OrganizationId,
/**
 * All rows.
 */
rows: number,
/**
 * Sealed values among them.
 */
sealed_values: number,
/**
 * Rows and checksum of each table.
 */
tables: Array<TableRows>, };

/**
 * Params of `consent.connect`: the application begins the consent and takes the person there. The page's address stays
 * outside the web view; the outcome is read with `connect.get` when a change of the session is told.
 */
export type Connect = {
/**
 * Of which account.
 */
account_id: string,
/**
 * Which integration.
 */
integration_id: string,
/**
 * `window`, `browser` or `paste`.
 */
route: ConsentRoute, };

/**
 * One try of a consent on one way.
 */
export type ConnectLegId = string;

/**
 * An address by which a customer's person connects a provider without signing in.
 */
export type ConnectLink = { id: PublicLinkId, account_id: AccountId,
/**
 * The integration that it connects, if it is for one.
 */
integration_id?: IntegrationId,
/**
 * The point of whose providers the person chooses one.
 */
integration_point_id?: IntegrationPointId,
/**
 * The provider, where it is for one that no point governs.
 */
provider?: ProviderId,
/**
 * For whom, where that was said.
 */
end_user_id?: EndUserId,
/**
 * Who made it; what is done by it is done in this member's name.
 */
member_id: MemberId, state: LinkState,
/**
 * How many connections can still be made with it.
 */
uses_left: number,
/**
 * Where its last page leads back to.
 */
return_url?: string, expires: Timestamp, last_used_at?: Timestamp, revoked_at?: Timestamp, created_at: Timestamp, };

/**
 * Result of `connect_links.create`.
 */
export type ConnectLinkCreated = {
/**
 * The address; shown this once.
 */
url: string,
/**
 * The address as a QR code, an SVG picture. Absent where nothing serves the address.
 */
qr?: string,
/**
 * What there is to know about the address, where it does not work as it stands.
 */
note?: string, id: PublicLinkId, account_id: AccountId,
/**
 * The integration that it connects, if it is for one.
 */
integration_id?: IntegrationId,
/**
 * The point of whose providers the person chooses one.
 */
integration_point_id?: IntegrationPointId,
/**
 * The provider, where it is for one that no point governs.
 */
provider?: ProviderId,
/**
 * For whom, where that was said.
 */
end_user_id?: EndUserId,
/**
 * Who made it; what is done by it is done in this member's name.
 */
member_id: MemberId, state: LinkState,
/**
 * How many connections can still be made with it.
 */
uses_left: number,
/**
 * Where its last page leads back to.
 */
return_url?: string, expires: Timestamp, last_used_at?: Timestamp, revoked_at?: Timestamp, created_at: Timestamp, };

/**
 * One way to consent.
 */
export type ConnectOffer = { route: ConsentRoute,
/**
 * Whether it is the one to take first.
 */
recommended: boolean,
/**
 * The redirect URI that would be sent; that of a browser gets the port that is listened on, where the provider takes any.
 */
redirect_uri?: string,
/**
 * Whether that redirect URI may have any port.
 */
any_port: boolean,
/**
 * Why it cannot be gone.
 */
why_not?: string, };

/**
 * One run of a consent, from its link to its outcome.
 */
export type ConnectSession = { id: ConnectSessionId, account_id: AccountId, integration_id: IntegrationId, provider_app_id?: ProviderAppId,
/**
 * Who is asked to agree, where that was said.
 */
end_user_id?: EndUserId, route: ConsentRoute,
/**
 * The exact redirect URI that was sent; empty by the way `device`, which has none.
 */
redirect_uri: string,
/**
 * The provider's page; only in the answers of `connect.begin` and `connect.switch`, and not for the way `link`.
 */
authorize_url?: string,
/**
 * Where the person goes, by the way `link` or `browser`; only in the same answers.
 */
start_url?: string,
/**
 * What the person enters where, by the way `device`, as long as that is awaited.
 */
device?: DeviceCode, scopes: Array<string>,
/**
 * `begun`, `exchanging`, `choosing`, `completed`, `failed` or `cancelled`.
 */
state: "begun" | "exchanging" | "choosing" | "completed" | "failed" | "cancelled",
/**
 * Why it failed.
 */
code?: Code,
/**
 * The same in words, with the one thing to change.
 */
message?: string,
/**
 * What went wrong and what to change, where that can be told.
 */
explanation?: Explanation,
/**
 * The places of which one is to be chosen, while it is `choosing`.
 */
places?: Array<Place>,
/**
 * Until when a callback is accepted, or a choice.
 */
expires: Timestamp, created_at: Timestamp, updated_at: Timestamp, };

/**
 * One run of a consent, from its link to its outcome.
 */
export type ConnectSessionId = string;

/**
 * A connection that was authorized.
 */
export type Connected = {
/**
 * Of which account.
 */
account_id: string,
/**
 * Which integration.
 */
integration_id: string, };

/**
 * A category of providers with one unified API (synqly-wire.md section 11).
 */
export type Connector = "accounting" | "appsec" | "assets" | "chat" | "cloudsecurity" | "crm" | "custom" | "edr" | "emailsecurity" | "endpointmanagement" | "grc" | "identity" | "incidentresponse" | "networksecurity" | "notifications" | "securityawareness" | "siem" | "sink" | "storage" | "threatintel" | "ticketing" | "vulnerabilities";

/**
 * The query of a connector operation.
 */
export type ConnectorQuery = {
/**
 * Most rows.
 */
limit?: number,
/**
 * The cursor of the page before.
 */
cursor?: string,
/**
 * `field[op]value`, joined by AND.
 */
filter?: Array<string>,
/**
 * `field[asc]` or `field[desc]`.
 */
order?: Array<string>,
/**
 * `stats/count(...)`, `api/response(primary)`, `api/response(all)`.
 */
meta?: Array<string>, };

/**
 * A unified API for a category of providers.
 */
export type ConnectorRow = { id: Connector, name: Connector, fullname: string, description: string, provider_ids: Array<ProviderId>,
/**
 * Only with `expand=providers`.
 */
providers?: Array<Provider>, release?: Release, };

/**
 * How a person authorizes a provider.
 */
export type ConsentFacts = {
/**
 * Whether the organization must register its own client first.
 */
needs_provider_app: boolean,
/**
 * Whether that client names its issuer.
 */
needs_issuer: boolean,
/**
 * Whether the provider lets its page be shown in a window of the application.
 */
embedded_window: boolean,
/**
 * Whether a loopback redirect URI may have any port; otherwise it must be registered exactly.
 */
loopback_any_port: boolean, default_scopes: Array<string>,
/**
 * Whether a code shown here can be entered on another device (RFC 8628).
 */
device: boolean,
/**
 * What a refresh does to the refresh token: `none`, `rotates` or `unknown`.
 */
rotation: string,
/**
 * Whether Patchbay can end a grant at the provider; otherwise a person does, by the steps of the manifest.
 */
revocable: boolean, };

/**
 * Who agreed to what, and when.
 */
export type ConsentReceipt = { id: ReceiptId, account_id: AccountId,
/**
 * The integration may be gone by now.
 */
integration_id: IntegrationId, connect_session_id?: ConnectSessionId, provider: ProviderId,
/**
 * The issuer that the subject belongs to, for providers with several.
 */
issuer?: string,
/**
 * The provider's id of the person, where it told one.
 */
subject?: string, scopes: Array<string>, granted_at: Timestamp,
/**
 * When it ended: the integration was disconnected or deleted, or somebody agreed anew; absent while it is in force.
 */
ended_at?: Timestamp,
/**
 * When the provider ends it, however much it is used; absent where that is not known.
 */
expires_at?: Timestamp,
/**
 * The revocation by which its access ends at the provider.
 */
revocation_id?: RevocationId,
/**
 * Who took it back, where somebody did.
 */
withdrawn_by?: Withdrawal, };

/**
 * How the person gets to the provider's page (product.md section 5).
 */
export type ConsentRoute = "window" | "browser" | "link" | "paste" | "device";

/**
 * Parameters of `configuration.copy`.
 */
export type CopyConfiguration = {
/**
 * The age recipient, `age1...`, that alone can open the image.
 */
recipient: string, };

/**
 * Params of `store.copy`.
 */
export type CopyStore = {
/**
 * Where the copy shall be: `sqlite:PATH` or a path, or `postgres://USER@HOST/DATABASE`. No store may be there.
 */
url: string,
/**
 * What protects the copy's secrets: `keyring`, `passphrase` or `file:PATH`. It has keys of its own.
 */
key_source: string,
/**
 * For `passphrase`.
 */
passphrase?: string, };

/**
 * How many of a kind.
 */
export type Count = {
/**
 * The kind: a status, or a noun such as `integration`.
 */
kind: string,
/**
 * How many.
 */
count: number, };

/**
 * Body of `accounts.create`.
 */
export type CreateAccount = { name?: string, fullname?: string, environment?: Environment, labels?: Array<string>,
/**
 * Asks for a token that covers this account alone.
 */
token?: ProvisionToken, x_patchbay?: AccountExtraInput, };

/**
 * Body of `connect_links.create`: one of integration, point and provider says what is connected.
 */
export type CreateConnectLink = {
/**
 * Id or name of the account.
 */
account_id: string,
/**
 * Id or name of an integration of the account, to connect it or to connect it anew.
 */
integration_id?: string,
/**
 * Id or name of a point: the person chooses one of the providers that it allows.
 */
integration_point_id?: string,
/**
 * Id of a provider, for an integration that no point governs.
 */
provider?: string,
/**
 * Id or name of the end user whom the link is for.
 */
end_user_id?: string,
/**
 * How long it works, such as `168h`: seven days where left out, thirty at most.
 */
ttl?: string,
/**
 * How many connections can be made with it; one where left out.
 */
uses?: number,
/**
 * Where its last page leads back to.
 */
return_url?: string, };

/**
 * Body of `credentials.create`.
 */
export type CreateCredential = { name?: string, fullname?: string,
/**
 * `{type, ...}` as synqly-wire.md section 7 has it; its secrets are sealed and never given back.
 */
config?: { type: string } & Record<string, unknown>,
/**
 * `account`, `integration_point` or `organization_webhook`; what the owner in the path is, when left out.
 */
owner_type?: string, expires?: Timestamp, };

/**
 * Body of `end_users.create`.
 */
export type CreateEndUser = { name?: string, fullname?: string, email?: string, external_id?: string, };

/**
 * Body of `integrations.create`.
 */
export type CreateIntegration = { name?: string, fullname?: string,
/**
 * `{type: provider id, credential: {type, ...}, ...}`; see the provider's schema in capabilities.
 */
provider_config: { type: string } & Record<string, unknown>, integration_point_id?: string,
/**
 * Refused with 501: there are no bridges yet.
 */
bridge_selector?: unknown,
/**
 * Refused with 501: integration webhooks are not sent yet.
 */
webhook_config?: unknown,
/**
 * Refused with 501 when not empty.
 */
mappings?: Array<string>,
/**
 * Refused with 501 when not empty.
 */
additional_mappings?: Array<unknown>,
/**
 * Refused with 501 when not empty: there is no scheduler yet.
 */
scheduled_operations?: Array<unknown>, x_patchbay?: WriteIntegrationExtra, };

/**
 * Body of `integration_points.create`.
 */
export type CreateIntegrationPoint = { name?: string, fullname?: string, description?: string, connector: Connector, environments: PointEnvironments,
/**
 * Refused with 501 when not empty: there is no mapping yet.
 */
mappings?: Array<string>,
/**
 * Refused with 501 when not empty.
 */
additional_mappings?: Array<unknown>,
/**
 * Refused with 501 when not empty: there is no scheduler yet.
 */
scheduled_operations?: Array<unknown>, x_patchbay?: WriteIntegrationPointExtra, };

/**
 * Body of `tokens.create_integration_token`.
 */
export type CreateIntegrationToken = { name?: string,
/**
 * As `2h`; 10 min when left out.
 */
token_ttl?: string, };

/**
 * Body of `members.create_link`.
 */
export type CreateLink = {
/**
 * `invitation` for a member that has yet to choose its first password, `reset` for one that needs a new one: its old
 * password is worth nothing from then on.
 */
purpose: "invitation" | "reset", };

/**
 * Body of `members.create`.
 */
export type CreateMember = {
/**
 * E-mail address of a person, slug of a program.
 */
name: string, fullname?: string, nickname?: string, picture?: string,
/**
 * 8 to 71 characters, not easy to guess. A member without one is invited and cannot sign in yet.
 */
secret?: string, role_binding?: Array<string>, options?: MemberOptions, type?: MemberType, };

/**
 * Body of `organization_webhooks.create`.
 */
export type CreateOrganizationWebhook = { name?: string, fullname?: string,
/**
 * `prod` when left out.
 */
environment?: Environment,
/**
 * `operation_complete` may be named and is never sent: there are no asynchronous operations yet.
 */
filters: Array<WebhookFilter>, url: string, secret: WebhookSecret, };

/**
 * Body of `provider_apps.create`.
 */
export type CreateProviderApp = { name?: string, fullname?: string, provider: string, issuer?: string, client_id: string, client_secret?: string, redirect_uris?: Array<string>, scopes?: Array<string>,
/**
 * When the client secret ends at the provider, where it tells.
 */
secret_expires?: Timestamp, };

/**
 * Body of `roles.create`.
 */
export type CreateRole = { name?: string, fullname?: string, description?: string,
/**
 * Everything when left out.
 */
resources?: Resources, permission_set: PermissionSet,
/**
 * Read on a PUT.
 */
x_patchbay?: UpdateExtra, };

/**
 * Params of `app.create_store`.
 */
export type CreateStore = {
/**
 * `sqlite:PATH`, or a path; the usual place where left out.
 */
url?: string,
/**
 * Name of the organization.
 */
organization: string,
/**
 * `keyring`, `passphrase` or `file:PATH`.
 */
key_source: string,
/**
 * For `passphrase`.
 */
passphrase?: string, };

/**
 * Body of `tokens.create_token`.
 */
export type CreateToken = { name?: string, fullname?: string, resources: Resources, permission_set: PermissionSet,
/**
 * As `1h`; 24 h when left out.
 */
token_ttl?: string, };

/**
 * A credential without its secret.
 */
export type Credential = { id: CredentialId, account_id?: AccountId, integration_id?: IntegrationId, integration_point_id?: IntegrationPointId, organization_webhook_id?: WebhookId,
/**
 * `account`, `integration`, `integration_point` or `organization_webhook`.
 */
owner_type: string, name: Name, fullname: Fullname, config: CredentialConfig, expires?: Timestamp,
/**
 * `Managed` or `Unmanaged`.
 */
managed: string, created_at: Timestamp, updated_at: Timestamp, x_patchbay?: CredentialExtra, };

/**
 * One kind of credential that a provider takes.
 */
export type CredentialChoice = { kind: CredentialKind,
/**
 * `type` on the wire; differs from the kind for `service_account`, which is sealed as `basic`.
 */
type: string, title: string,
/**
 * How a person gets one.
 */
description: string,
/**
 * JSON Schema of its fields, `type` left out; secret fields are `writeOnly`.
 */
schema: unknown, };

/**
 * The kind alone.
 */
export type CredentialConfig = { type: CredentialKind, };

/**
 * What is ours on a credential.
 */
export type CredentialExtra = {
/**
 * The parts that are no secret: `username`, `client_id`, `role_arn`.
 */
public: Record<string, unknown>,
/**
 * When the secret was last entered or obtained.
 */
secret_set_at?: Timestamp, };

/**
 * A credential's metadata row.
 */
export type CredentialId = string;

/**
 * The kind of a credential: `type` of its config on the wire (synqly-wire.md section 7), and `o_auth_user`, ours, for
 * what a person authorized by consent.
 */
export type CredentialKind = "aws" | "aws_role" | "token" | "basic" | "secret" | "o_auth_client" | "tls_certificate" | "o_auth_user";

/**
 * A key and how many values lie under it.
 */
export type DataKeyStatus = {
/**
 * Its id.
 */
id: string,
/**
 * Whether new values are sealed under it.
 */
active: boolean,
/**
 * When it was made; absent for keys of early stores.
 */
created_at?: Timestamp,
/**
 * Values that lie under it.
 */
values: number, };

/**
 * Something that ends by itself.
 */
export type Deadline = {
/**
 * The same at every reading, and the UID of its event in the calendar.
 */
id: string,
/**
 * What ends.
 */
kind: DeadlineKind,
/**
 * What ends, in words.
 */
what: string,
/**
 * Of what.
 */
object: DeadlineObject,
/**
 * When. One that has passed is overdue.
 */
at: Timestamp,
/**
 * When Patchbay acts by itself, where it does so before the end.
 */
renew_at?: Timestamp,
/**
 * Who has to act.
 */
who_acts: Actor,
/**
 * What is to be done, in words.
 */
next_step: string, };

/**
 * What ends.
 */
export type DeadlineKind = "access" | "refresh_idle" | "refresh_absolute" | "secret" | "certificate" | "key" | "nonexpiring_probe" | "token" | "member" | "sunset";

/**
 * What a deadline is of.
 */
export type DeadlineObject = {
/**
 * `credential`, `provider_app`, `token`, `member` or `provider`.
 */
type: "credential" | "provider_app" | "token" | "member" | "provider",
/**
 * Its id.
 */
id: string,
/**
 * Its name for people.
 */
name: string,
/**
 * The customer that it belongs to, if to one.
 */
account_id?: AccountId,
/**
 * The customer's name for people.
 */
account_name?: string,
/**
 * The integration that it belongs to, if to one.
 */
integration_id?: IntegrationId,
/**
 * The integration's name for people.
 */
integration_name?: string,
/**
 * At which provider, if at one.
 */
provider?: ProviderId, };

/**
 * Query of `deadlines.list`.
 */
export type DeadlineParams = {
/**
 * How far ahead is looked: `30d`, `12h` or `8w`, at most 999 of them; 90 days when left out.
 */
within?: string,
/**
 * Of these kinds alone; of all when left out.
 */
kind?: Array<DeadlineKind>,
/**
 * Only what this one has to see to.
 */
who?: Actor,
/**
 * Of this customer alone.
 */
account_id?: AccountId,
/**
 * Most rows, 1 to 1000; 1000 when left out.
 */
limit?: number, };

/**
 * Result of `deadlines.list`.
 */
export type Deadlines = {
/**
 * The earliest first.
 */
deadlines: Array<Deadline>,
/**
 * Whether there are more than were asked for.
 */
more: boolean, };

/**
 * One version of one provider's metadata: immutable but for its status.
 */
export type Definition = { id: DefinitionId, provider: ProviderId,
/**
 * The provider's name for people.
 */
provider_fullname: string, connector: Connector, version: string,
/**
 * The `type`s of the credentials accepted, joined by commas, or `none`.
 */
auth_type: string, docs_url: string,
/**
 * `active`: new integrations pin it. `deprecated`: a newer version exists. `withdrawn`: it must not be pinned anew.
 */
status: DefinitionStatus,
/**
 * JSON Schema (draft 2020-12) of an instance's configuration without `type` and `credential`: the provider's members, and
 * `webhook_url` and `polling_interval`, which travel in `x_patchbay.config` of an integration.
 */
config_schema: Record<string, unknown>,
/**
 * JSON Schema of the credentials.
 */
credentials_schema: Record<string, unknown>, created_at: Timestamp,
/**
 * When its status last changed.
 */
updated_at: Timestamp,
/**
 * How many integrations within the caller's reach pin it.
 */
integrations: number, };

/**
 * A definition: one version of one provider's metadata.
 */
export type DefinitionId = string;

/**
 * What may be done with a definition. Only this and `updated_at` ever change.
 */
export type DefinitionStatus = "active" | "deprecated" | "withdrawn";

/**
 * A version as far as a choice between versions needs it.
 */
export type DefinitionVersion = { definition_id: DefinitionId, version: string, status: DefinitionStatus, created_at: Timestamp, };

/**
 * Query of a delete that may take access back at once.
 */
export type DeleteParams = {
/**
 * `now`: access is taken back at the provider at once, and not only when the deletion can no longer be undone. What an undo brings back
 * then has to be connected again.
 */
revoke?: "now", };

/**
 * What a delete gives: over HTTP it is 204 with the id in `X-Patchbay-Deletion`.
 */
export type Deletion = {
/**
 * For `deletions.undo`.
 */
id: string,
/**
 * Until when it can be undone.
 */
undo_until: Timestamp, };

/**
 * One event on its way to one webhook.
 */
export type DeliveryId = string;

/**
 * How far a delivery has come.
 */
export type DeliveryState = "pending" | "sending" | "delivered" | "failed";

/**
 * A code that a person enters in any browser.
 */
export type DeviceCode = { user_code: string,
/**
 * Where it is entered.
 */
verification_uri: string,
/**
 * The same with the code in it, where the provider has that; only in the answers of `connect.begin` and `connect.switch`.
 */
verification_uri_complete?: string,
/**
 * That address as SVG, for the camera of a phone.
 */
qr?: string, };

/**
 * One operation of the JSON Patch (RFC 6902) that leads from before to after.
 */
export type Difference = {
/**
 * `add`, `remove` or `replace`.
 */
op: string,
/**
 * JSON Pointer (RFC 6901) of the field.
 */
path: string,
/**
 * What it became; absent for `remove`.
 */
value?: unknown,
/**
 * What it was; absent for `add`. No part of RFC 6902, which has readers ignore what it does not know.
 */
was?: unknown, };

/**
 * What a disconnection would do.
 */
export type DisconnectPreview = {
/**
 * Whether it is disconnected already.
 */
already: boolean,
/**
 * By what the provider would be asked; absent where the integration has nothing of its own to give back.
 */
how?: RevocationHow,
/**
 * What would end, where that is known.
 */
ends?: RevocationEnds,
/**
 * What would prove it.
 */
evidence?: RevocationEvidence,
/**
 * What a person would have to do at the provider, where a program cannot.
 */
manual_steps: Array<string>, manual_url?: string,
/**
 * Consents in force that would end.
 */
consents: number,
/**
 * Other integrations that would lose their access too; at most 100.
 */
affects: Array<Resource>,
/**
 * Integrations and tokens, of this one, that were used within the last 24 hours.
 */
used_today: number, };

/**
 * Result of `integrations.disconnect`.
 */
export type Disconnected = { integration: Integration,
/**
 * How its access is ended at the provider; absent when it had none of its own, or was disconnected already.
 */
revocation?: Revocation, };

/**
 * The answer of an operation that gives nothing.
 */
export type Done = Record<symbol, never>;

/**
 * A person of an account who authorized or configured something.
 */
export type EndUser = { id: EndUserId, account_id: AccountId, name: Name, fullname: Fullname, email?: string,
/**
 * The id by which the customer knows the person; unique in the account.
 */
external_id?: string,
/**
 * When the person last authorized something.
 */
last_seen_at?: Timestamp, created_at: Timestamp, updated_at: Timestamp, };

/**
 * A person of an account who authorized or configured something.
 */
export type EndUserId = string;

/**
 * The environment of an account.
 */
export type Environment = "test" | "prod";

/**
 * What an erasure takes, asked before it is done.
 */
export type ErasureImpact = {
/**
 * `consent_receipt`: receipts that lose the person; `audit`: rows of the log in which the person's data is redacted.
 */
takes: Array<Count>,
/**
 * Nothing forbids an erasure.
 */
used_by: Array<Resource>,
/**
 * `integration`: what the person authorized and what keeps working.
 */
keeps: Array<Count>,
/**
 * Always false: what is erased cannot be brought back.
 */
undoable: boolean, };

/**
 * One request to the provider and its answer, secrets masked.
 */
export type Exchange = {
/**
 * What was sent.
 */
request: ExchangeRequest,
/**
 * What came back; absent when nothing did.
 */
response?: ExchangeResponse,
/**
 * Why nothing came back.
 */
error?: string, };

/**
 * What was sent to the provider.
 */
export type ExchangeRequest = {
/**
 * HTTP method.
 */
method: string,
/**
 * The whole URL.
 */
url: string,
/**
 * Name and value, in order.
 */
headers: Array<[string, string]>,
/**
 * The body as text, bounded.
 */
body?: string, };

/**
 * What came back from the provider.
 */
export type ExchangeResponse = {
/**
 * HTTP status.
 */
status: number,
/**
 * Name and value, in order.
 */
headers: Array<[string, string]>,
/**
 * The body as text, bounded.
 */
body?: string,
/**
 * Milliseconds from sending to the last byte.
 */
duration_ms: number, };

/**
 * Parameters of the catalogue.
 */
export type ExpandParams = {
/**
 * Parts to put in: `operations`, `provider_config`, `connector`, `providers`, `all`.
 */
expand?: Array<string>, };

/**
 * Body of `connect.explain`.
 */
export type ExplainPage = {
/**
 * The page's address, redacted.
 */
seen: Seen,
/**
 * What a person sees of it, as they let it be read. More than 4 kB are not looked at.
 */
text: string, };

/**
 * Answer of `connect.explain`.
 */
export type Explained = {
/**
 * What the page means; nothing where that is not known.
 */
explanation?: Explanation, };

/**
 * What went wrong, and the one thing to change.
 */
export type Explanation = {
/**
 * What it means, as a word: `redirect_mismatch`, `person_refused`, ...
 */
cause: string,
/**
 * The same in a sentence or two.
 */
words: string,
/**
 * What to change.
 */
change?: Remedy,
/**
 * What the provider said, in its own words.
 */
quote?: string,
/**
 * Another way that would avoid it.
 */
switch?: ConsentRoute, };

/**
 * Body of `configuration.export`.
 */
export type ExportConfiguration = {
/**
 * `omitted` (the default) or `sealed`.
 */
secrets?: "omitted" | "sealed",
/**
 * An age recipient (`age1...`), for `sealed`.
 */
recipient?: string, };

/**
 * How an export is written.
 */
export type ExportFormat = "jsonl" | "csv";

/**
 * Parameters of `audit.export`.
 */
export type ExportParams = {
/**
 * `jsonl` (the default) or `csv`.
 */
format?: ExportFormat,
/**
 * The `next` of the part before.
 */
start_after?: string,
/**
 * `field[asc]` or `field[desc]`; oldest first when left out.
 */
order?: Array<string>,
/**
 * `field[op]value`, joined by AND.
 */
filter?: Array<string>, };

/**
 * Result of `audit.export` as a command. Over HTTP the rows themselves are the body, all of them.
 */
export type ExportedAudit = {
/**
 * A name to save it under.
 */
file_name: string,
/**
 * Media type of the content.
 */
content_type: string,
/**
 * The rows; about 4 MB at most.
 */
content: string,
/**
 * `start_after` of the next part; absent when this is all.
 */
next?: string, };

/**
 * Result of `deadlines.feed` as a command. Over HTTP the calendar itself is the body.
 */
export type ExportedCalendar = {
/**
 * A name to save it under.
 */
file_name: string,
/**
 * Media type of the content.
 */
content_type: string,
/**
 * iCalendar (RFC 5545).
 */
content: string, };

/**
 * Result of `configuration.export`.
 */
export type ExportedConfiguration = {
/**
 * A name to save it under.
 */
file_name: string,
/**
 * `patchbay.yaml`, version 1.
 */
content: string, };

/**
 * The member's own address of the calendar, without what stands in it.
 */
export type FeedLink = {
/**
 * Whether there is one.
 */
exists: boolean, created_at?: Timestamp, expires?: Timestamp, last_used_at?: Timestamp, };

/**
 * Body of `configuration.fill`.
 */
export type FillConfiguration = {
/**
 * Base64 of an age file that `configuration.copy` gave, sealed to the recipient of this Patchbay.
 */
image: string, };

/**
 * Body of `connect.finish` and `connect.answer`.
 */
export type FinishConnect = {
/**
 * The whole URL at which the provider sent the person back.
 */
callback_url: string, };

/**
 * One step of a consent.
 */
export type FlightStep = {
/**
 * Its place, from 1.
 */
number: number, kind: StepKind, at: Timestamp,
/**
 * Which way it belongs to, where that is known.
 */
leg_id?: ConnectLegId, detail: StepDetail, };

/**
 * Params of `app.forget_store`.
 */
export type ForgetStore = {
/**
 * Which, as `app.recent` names it.
 */
url: string, };

/**
 * A name for people: 1 to 200 characters, no control characters, trimmed.
 */
export type Fullname = string;

/**
 * Something that was agreed to.
 */
export type GrantedScope = {
/**
 * The scope, as the provider calls it.
 */
scope: string,
/**
 * What it lets do, where that is known.
 */
words?: string, };

/**
 * What became of what the application was started with a second time. `app.handed` answers when there is one.
 */
export type HandedOver = {
/**
 * Rises with each.
 */
number: number,
/**
 * The connection that works now.
 */
connected?: Connected,
/**
 * Why there is none.
 */
problem?: Problem, };

/**
 * Where the interface runs.
 */
export type Host = "desktop" | "web";

/**
 * To whom an image is sealed that `configuration.fill` is to take.
 */
export type ImageRecipient = {
/**
 * An age recipient, `age1...`. It is the same as long as the store is.
 */
recipient: string, };

/**
 * What a delete takes with it, asked before it is done.
 */
export type Impact = {
/**
 * By kind: `integration`, `credential`, `token`.
 */
takes: Array<Count>,
/**
 * What uses it and so forbids the delete; at most 100.
 */
used_by: Array<Resource>,
/**
 * What stays and misses it; at most 100.
 */
affects: Array<Resource>,
/**
 * How many integrations and tokens, of those that go or miss it, were used within the last 24 hours.
 */
used_today: number, };

/**
 * The live connection of an account with a provider.
 */
export type Integration = { id: IntegrationId, name: Name, fullname: Fullname, refresh_token_id: TokenId, account_id: AccountId,
/**
 * Only with `expand=account`.
 */
account?: Account, category: Connector,
/**
 * `{type, ...}` with every secret replaced by a reference to a credential.
 */
provider_config: { type: string } & Record<string, unknown>, provider_fullname: string,
/**
 * The provider's id.
 */
provider_type: ProviderId, integration_point_id?: IntegrationPointId,
/**
 * Only with `expand=integration_point`.
 */
integration_point?: IntegrationPoint, webhook_config?: unknown, created_at: Timestamp, updated_at: Timestamp, x_patchbay?: IntegrationExtra, };

/**
 * Configuration of an integration that every definition has beside the provider's own (the data-model document names it).
 * It lies in the instance's `config` and is held to the definition's schema. Programs that use the integration read it.
 */
export type IntegrationConfig = {
/**
 * Where programs want the integration's events. No secret: leave tokens out of it.
 */
webhook_url?: string,
/**
 * How often programs that poll shall ask: hours, minutes and seconds of at least 5 minutes together, such as `1h30m`.
 */
polling_interval?: string, };

/**
 * Result of `integrations.create`.
 */
export type IntegrationCreated = { integration: Integration,
/**
 * Shown this once.
 */
token: TokenPair, credentials_created?: Array<Credential>, };

/**
 * What is ours on an integration.
 */
export type IntegrationExtra = {
/**
 * `draft`, `awaiting_consent`, `active`, `needs_attention`, `paused` or `revoked`.
 */
status: "draft" | "awaiting_consent" | "active" | "needs_attention" | "paused" | "revoked",
/**
 * Why it needs attention.
 */
cause?: AttentionCause,
/**
 * The same in words.
 */
cause_words?: string,
/**
 * The one thing to do about it, in words.
 */
next_step?: string,
/**
 * Since when it has this status.
 */
status_since: Timestamp,
/**
 * The version of the provider's definition that it pins.
 */
definition_version?: string,
/**
 * The definition that it pins.
 */
definition_id: DefinitionId,
/**
 * Configuration beside the provider's own.
 */
config: IntegrationConfig,
/**
 * In what it contradicts its integration point now; while it does, its calls are refused.
 */
governed_problems?: Array<Violation>, last_used_at?: Timestamp, last_connected_at?: Timestamp,
/**
 * The kind of its credential, if it has one.
 */
credential_kind?: CredentialKind,
/**
 * Whether a person has to authorize it, now or again.
 */
consent_needed: boolean, };

/**
 * An integration, which is a row of `integration_instances`.
 */
export type IntegrationId = string;

/**
 * One connector, the providers allowed per environment, and shared policy.
 */
export type IntegrationPoint = { id: IntegrationPointId, name: Name, fullname: Fullname, description?: string, connector: Connector, environments: PointEnvironments, created_at: Timestamp, updated_at: Timestamp, x_patchbay?: IntegrationPointExtra, };

/**
 * What is ours on a point.
 */
export type IntegrationPointExtra = {
/**
 * Shared configuration and scopes, per provider.
 */
policy: PointPolicy,
/**
 * How many integrations are under it; absent where it was not counted.
 */
integrations?: number, };

/**
 * An integration point.
 */
export type IntegrationPointId = string;

/**
 * A receipt with what it means.
 */
export type IntegrationReceipt = {
/**
 * What was agreed to.
 */
granted: Array<GrantedScope>,
/**
 * Who agreed, where that is known.
 */
end_user_id?: EndUserId, end_user_name?: Fullname, id: ReceiptId, account_id: AccountId,
/**
 * The integration may be gone by now.
 */
integration_id: IntegrationId, connect_session_id?: ConnectSessionId, provider: ProviderId,
/**
 * The issuer that the subject belongs to, for providers with several.
 */
issuer?: string,
/**
 * The provider's id of the person, where it told one.
 */
subject?: string, scopes: Array<string>, granted_at: Timestamp,
/**
 * When it ended: the integration was disconnected or deleted, or somebody agreed anew; absent while it is in force.
 */
ended_at?: Timestamp,
/**
 * When the provider ends it, however much it is used; absent where that is not known.
 */
expires_at?: Timestamp,
/**
 * The revocation by which its access ends at the provider.
 */
revocation_id?: RevocationId,
/**
 * Who took it back, where somebody did.
 */
withdrawn_by?: Withdrawal, };

/**
 * A choice of integrations.
 */
export type IntegrationResources = {
/**
 * Ids of connectors or `*`.
 */
categories?: Array<string>, };

/**
 * Answer of `integrations.update` and `integrations.patch`.
 */
export type IntegrationUpdated = { result: Integration, credentials_created?: Array<Credential>, messages?: Messages, };

/**
 * A version of an integration's provider.
 */
export type IntegrationVersion = { definition_id: DefinitionId, version: string, status: DefinitionStatus, created_at: Timestamp,
/**
 * Whether the integration pins it.
 */
pinned: boolean,
/**
 * Whether `integrations.rollback_version` brings the integration back to it.
 */
rollback: boolean, };

/**
 * A rotation of the data key that is under way.
 */
export type KeyRotation = {
/**
 * When it began.
 */
begun_at: Timestamp,
/**
 * Values that still lie under a key before.
 */
remaining: number,
/**
 * Whether a program is at it now; otherwise the next one that has the store open goes on with it.
 */
running: boolean, };

/**
 * How the store's keys stand.
 */
export type KeyStatus = {
/**
 * The master key, which wraps the others.
 */
master: MasterKeyStatus,
/**
 * The data keys, under which secrets are sealed: the active one first, others only during a rotation.
 */
data_keys: Array<DataKeyStatus>,
/**
 * The keys under which a PostgreSQL database encrypts sealed values once more; empty for a file.
 */
database_keys: Array<DataKeyStatus>,
/**
 * Sealed values in the store, those among them that can still be brought back by an undo.
 */
values: number,
/**
 * When the data key was rotated last.
 */
data_rotated_at?: Timestamp,
/**
 * A rotation of the data key that is under way.
 */
rotation?: KeyRotation, };

/**
 * A label of an account: 1 to 48 of letters, digits and `_ - : .`.
 */
export type Label = string;

/**
 * What an invitation or reset is for, told to its holder.
 */
export type LinkOffer = {
/**
 * What it is for.
 */
purpose: "invitation" | "reset",
/**
 * Name of the organization, for people.
 */
organization: Fullname,
/**
 * The member's name, with which to sign in from then on.
 */
name: Name,
/**
 * The member's name for people.
 */
fullname: Fullname,
/**
 * Fewest characters of the new password; the most are 71.
 */
minimum_password_length: number,
/**
 * Until when it works.
 */
expires: Timestamp, };

/**
 * Whether a link opens anything, and if not, why.
 */
export type LinkState = "live" | "used" | "expired" | "revoked";

/**
 * Parameters of a list (synqly-wire.md section 4).
 */
export type ListParams = {
/**
 * Most rows, 1 to 1000; 100 when left out.
 */
limit?: number,
/**
 * The `next` of the page before (over HTTP the header `X-Next-Start-After`), or the sort key of its last row.
 */
start_after?: string,
/**
 * `field[asc]` or `field[desc]`.
 */
order?: Array<string>,
/**
 * `field[op]value`, joined by AND.
 */
filter?: Array<string>,
/**
 * Whether to count all rows that pass the filters.
 */
total?: boolean,
/**
 * Parts to put in: `account`, `integration_point`, `all`.
 */
expand?: Array<string>, };

/**
 * One page of a list.
 */
export type Listed<T> = {
/**
 * The rows.
 */
result: Array<T>,
/**
 * All rows that pass the filters; only when `total=true` was asked.
 */
total?: number,
/**
 * `start_after` of the next page; absent at the end. On HTTP it travels as the header `X-Next-Start-After`.
 */
next?: string, };

/**
 * Where in the request the trouble lies.
 */
export type Location = "header" | "path" | "query" | "body";

/**
 * Result of `auth.logon`.
 */
export type LoggedOn = {
/**
 * `success`, or `expired` when the password must be changed.
 */
auth_code: string, auth_msg?: string, refresh_token_id: TokenId, token: TokenPair, organization: Organization, member: Member, };

/**
 * Body of `auth.logon`.
 */
export type Logon = { name: string, secret: string, };

/**
 * Body of `POST /session/link`.
 */
export type LookAtLink = {
/**
 * The secret of an invitation or reset.
 */
link: string, };

/**
 * A link that was just made; what stands in it is shown this once.
 */
export type MadeLink = { id: PublicLinkId, url: string, expires: Timestamp,
/**
 * What there is to know about the address, where it does not work as it stands.
 */
note?: string, };

/**
 * What is to be said of a manifest before it is added.
 */
export type ManifestCheck = {
/**
 * Whether it can be added.
 */
good: boolean,
/**
 * What is wrong, in the order of the lines.
 */
findings: Array<ManifestFinding>,
/**
 * The provider, where it can be read.
 */
provider?: ProviderId, fullname?: string,
/**
 * The version under which it would be kept.
 */
version?: string,
/**
 * The version that it takes the place of for new integrations; absent where the provider is new.
 */
overrides?: string,
/**
 * What it says otherwise than that.
 */
differences: Array<ManifestDifference>,
/**
 * Where secrets would go.
 */
destinations: Array<ManifestDestination>,
/**
 * How many facts it claims.
 */
facts: number,
/**
 * How many of them nobody stands behind.
 */
unverified: number, };

/**
 * A host to which something secret goes.
 */
export type ManifestDestination = {
/**
 * As the manifest says it: `slack.com`, or with what is filled in as `{config.url}`.
 */
host: string,
/**
 * Where a host that is filled in may lie, a suffix with a dot in front; empty: anywhere, or the host is written out.
 */
only: Array<string>,
/**
 * `people`: passwords on its pages. `grants`: codes, client secrets, refresh tokens. `credentials`: the tokens and keys of calls.
 */
carries: Array<string>,
/**
 * The dotted names of the facts that say so.
 */
facts: Array<string>, };

/**
 * Something that a manifest says otherwise than the one before it.
 */
export type ManifestDifference = {
/**
 * Its dotted name.
 */
fact: string,
/**
 * Absent where nothing was said.
 */
before?: unknown,
/**
 * Absent where nothing is said any more.
 */
after?: unknown, };

/**
 * A manifest of the organization's own.
 */
export type ManifestEntry = {
/**
 * The id of the definition that it is.
 */
id: DefinitionId, provider: ProviderId, fullname: string, connector: Connector,
/**
 * What it says itself, the organization's mark, and a number.
 */
version: string,
/**
 * `active`: new integrations go by it. `deprecated`: a newer one does that. `withdrawn`: for new integrations it is no more.
 */
status: DefinitionStatus,
/**
 * Whether the program knows a provider of this id by itself.
 */
overrides: boolean,
/**
 * Integrations within the caller's reach that pin it.
 */
integrations: number,
/**
 * Where secrets go.
 */
destinations: Array<ManifestDestination>,
/**
 * The text, as it was entered.
 */
manifest: string, created_at: Timestamp,
/**
 * When its status last changed.
 */
updated_at: Timestamp, };

/**
 * Something wrong in a manifest.
 */
export type ManifestFinding = {
/**
 * From 1.
 */
line: number,
/**
 * In characters, from 1.
 */
column: number,
/**
 * The dotted name of where, if it is about a key.
 */
key?: string, message: string, };

/**
 * Body of `manifests.check` and `manifests.add`.
 */
export type ManifestText = {
/**
 * The manifest, as TOML.
 */
manifest: string, };

/**
 * Params of `app.mark_store`.
 */
export type MarkStore = {
/**
 * Which, as `app.recent` names it.
 */
url: string,
/**
 * What it is for; no mark where left out.
 */
mark?: StoreMark,
/**
 * A name for people; the file's or server's where left out.
 */
label?: string, };

/**
 * How the master key stands.
 */
export type MasterKeyStatus = {
/**
 * The kind of source that it comes from.
 */
source: "keyring" | "passphrase" | "file" | "env" | "systemd",
/**
 * The key source of the program that answers, such as `file:PATH`; only the holder of the key is told.
 */
key_source?: string,
/**
 * When it was rotated last.
 */
rotated_at?: Timestamp,
/**
 * A rotation that was begun and not finished: until it is, the key before and the one behind both open the store.
 */
pending?: PendingMasterKey,
/**
 * Why the program that answers can no longer get the master key, in words; it goes on with the keys that it holds.
 */
trouble?: string,
/**
 * Replaced master keys whose entries are still in the keyring, for copies and backups from before.
 */
replaced: number,
/**
 * Whether the caller may rotate it: only its holder may, at the machine.
 */
may_rotate: boolean, };

/**
 * A person or program that acts within the organization.
 */
export type Member = { id: MemberId, name: Name, fullname: Fullname, nickname?: string, picture?: string, state: MemberState,
/**
 * The wire has no way to say never: then it is 1970-01-01.
 */
last_logon: Timestamp,
/**
 * As `24h`; `0s` when the member does not end.
 */
ttl: string, token_ttl: string,
/**
 * The wire has no way to say never: then it is 9999-12-31.
 */
expires: Timestamp,
/**
 * The wire has no way to say never: then it is 9999-12-31.
 */
pin_expires: Timestamp, role_binding: Array<RoleName>, type: MemberType, created_at: Timestamp, updated_at: Timestamp, x_patchbay?: MemberExtra, };

/**
 * Result of `members.create`.
 */
export type MemberCreated = { member: Member, };

/**
 * What is ours on a member.
 */
export type MemberExtra = {
/**
 * Failed logons in a row.
 */
failed_logons: number,
/**
 * Until when no password is looked at, after too many wrong ones. A member that is `locked` without it was locked by an
 * administrator, until one unlocks it.
 */
locked_until?: Timestamp,
/**
 * Whether it has a password; without one it can be invited, not enabled.
 */
has_password: boolean, };

/**
 * A member of an organization, personal or service.
 */
export type MemberId = string;

/**
 * Result of `members.create_link`: shown once, to be passed on.
 */
export type MemberLink = {
/**
 * Where the person chooses a password, once. Without a served Patchbay it is only the end of the address.
 */
url: string, purpose: "invitation" | "reset",
/**
 * Until when it works.
 */
expires: Timestamp,
/**
 * What is missing for the link to work, where something is.
 */
note?: string, };

/**
 * What can be asked for of a new member (`options.options` on the wire).
 */
export type MemberOption = "disabled" | "expired" | "forgotten" | "invited" | "locked";

/**
 * Options of a new member.
 */
export type MemberOptions = { ttl?: string,
/**
 * `expired` forces a change of password at the first logon; at most one of the others says in which state it begins.
 */
options?: Array<MemberOption>, token_ttl?: string, };

/**
 * Whether a member can sign in.
 */
export type MemberState = "enabled" | "disabled" | "invited" | "locked" | "forgotten";

/**
 * Person or program.
 */
export type MemberType = "personal" | "service";

/**
 * Soft problems.
 */
export type Messages = {
/**
 * Each as it would have been answered, had it been fatal.
 */
problems: Array<Problem>, };

/**
 * A slug of `[a-z0-9_-]`, at most 100 characters, which may start with `~`. Upper case is folded, since names are unique
 * ignoring case. A personal member's name is an e-mail address and is made by [`Name::parse_email`].
 */
export type Name = string;

/**
 * Params of `app.open_store`. A store that was open before is opened by its address alone, unless it needs a secret that
 * nothing keeps.
 */
export type OpenStore = {
/**
 * `sqlite:PATH` or a path, `postgres://USER@HOST/DATABASE`, or `https://HOST`. A password in the address of a database is
 * taken out of it and kept in the keyring.
 */
url: string,
/**
 * `keyring`, `passphrase` or `file:PATH`; the one of last time where left out. None for another Patchbay.
 */
key_source?: string,
/**
 * For `passphrase`.
 */
passphrase?: string,
/**
 * Of the database's user, where its server asks for one; kept in the keyring and needed once.
 */
password?: string,
/**
 * An organization access token of the other Patchbay; kept in the keyring and needed once.
 */
token?: string,
/**
 * The refresh secret that came with the token, with which a new one is fetched before it ends; kept in the keyring.
 */
refresh?: string, };

/**
 * The organization of the token.
 */
export type Organization = { id: OrganizationId, refresh_token_id: TokenId,
/**
 * Always `root`: there are no sub-organizations.
 */
organization_type: string, name: Name, fullname: Fullname, contact?: string, reply_to?: string, picture?: string, options?: OrganizationOptions, created_at: Timestamp, updated_at: Timestamp, x_patchbay?: OrganizationExtra, };

/**
 * What is ours on an organization.
 */
export type OrganizationExtra = {
/**
 * Whether it is the sample, filled with believable data on mock providers.
 */
sample: boolean, };

/**
 * An organization: the root container and governance boundary.
 */
export type OrganizationId = string;

/**
 * Policy for members; lifetimes as `24h`.
 */
export type OrganizationOptions = { invite_duration?: string, forgot_duration?: string, password_duration?: string, minimum_password_length?: number, };

/**
 * A choice of organizations.
 */
export type OrganizationResources = { ids?: Array<string>, labels?: Array<string>, };

/**
 * Who is told of changes of accounts and integrations.
 */
export type OrganizationWebhook = { id: WebhookId, name: Name, fullname: Fullname,
/**
 * It is told of accounts of this environment alone.
 */
environment: Environment, filters: Array<WebhookFilter>, url: string,
/**
 * The credential whose secret signs what is sent: `X-Synqly-Signature: sha256=` and the hex HMAC-SHA256 of the body.
 */
credential_id: CredentialId, created_at: Timestamp, updated_at: Timestamp, };

/**
 * From where a change came; kept with the change and the audit row so that a window recognises its own echo.
 */
export type Origin = "desktop" | "web" | "api" | "cli" | "background";

/**
 * What the first screen shows.
 */
export type Overview = {
/**
 * Accounts within reach.
 */
accounts: number,
/**
 * Integration points.
 */
integration_points: number,
/**
 * Integrations within reach.
 */
integrations: number,
/**
 * Of the accounts, those for tests.
 */
test_accounts: number,
/**
 * Members; absent for a caller that may not list them.
 */
members?: number,
/**
 * Integrations by status; statuses without any are left out.
 */
by_status: Array<Count>,
/**
 * Integrations by provider, the most used first.
 */
by_provider: Array<ProviderCount>,
/**
 * Connector calls of the last hour.
 */
last_hour: CallCounts,
/**
 * Those that need a person, the latest first; at most 20.
 */
attention: Array<Integration>,
/**
 * The latest audit events; at most 10, none for a caller that may not list them.
 */
recent: Array<Audit>, };

/**
 * A request parameter that a problem speaks of.
 */
export type Parameter = {
/**
 * Name, or JSON Pointer for the body.
 */
id: string,
/**
 * Which part of the request.
 */
location: Location,
/**
 * The value, unless it could be secret or is long.
 */
value?: string, };

/**
 * Result of `auth.change_password`.
 */
export type PasswordChanged = {
/**
 * `success`.
 */
auth_code: string, };

/**
 * One operation of a JSON Patch (RFC 6902 section 4).
 */
export type PatchOperation = {
/**
 * `add`, `copy`, `move`, `remove`, `replace` or `test`.
 */
op: string,
/**
 * JSON Pointer.
 */
path: string,
/**
 * Source of a copy or move.
 */
from?: string,
/**
 * New value.
 */
value?: unknown, };

/**
 * A master key that is being brought in.
 */
export type PendingMasterKey = {
/**
 * The kind of its source.
 */
source: "keyring" | "passphrase" | "file" | "env" | "systemd",
/**
 * When its rotation began.
 */
begun_at: Timestamp,
/**
 * Whether the program that answers has opened the store with it.
 */
opened_here: boolean, };

/**
 * Actions of one API.
 */
export type PermissionActions = { actions: Array<string>, };

/**
 * A named set of operations. Which operations each covers stands in the engine's reviewed table.
 */
export type PermissionSet = "administrator" | "viewer" | "member" | "account-manager" | "connect-ui" | "token-issuer" | "account-provisioner";

/**
 * A permission set, with what it allows.
 */
export type PermissionSetDefinition = { name: PermissionSet,
/**
 * When to use it.
 */
description: string,
/**
 * Parts of `resources` by which a token or role with this set can be narrowed.
 */
resource_restrictions: Array<string>,
/**
 * Actions per API; `all` sums them up.
 */
permissions: { [key in string]: PermissionActions }, };

/**
 * A place that a consent gives access to, such as one of several organizations of a person.
 */
export type Place = {
/**
 * The provider's id of it.
 */
id: string,
/**
 * Its name for people.
 */
name: string, };

/**
 * Parameters of `connect.routes`: what the program can do that asks.
 */
export type PlaceParams = {
/**
 * It can show a window of its own.
 */
window?: boolean,
/**
 * It can open the system's browser and listen on its machine for what comes back.
 */
browser?: boolean, };

/**
 * One integration can have several reasons, so these can be more than `affected` together.
 */
export type PointEffect = {
/**
 * Integrations whose calls would be refused.
 */
affected: number, connector: number, provider_no_longer_allowed: number, locked_value_differs: number, };

export type PointEffects = { test: PointEffect, prod: PointEffect, };

/**
 * Provider ids per environment; `["*"]` allows all, an environment left out or empty allows none.
 */
export type PointEnvironments = { test?: Array<string>, prod?: Array<string>, };

/**
 * What a point prescribes beyond the choice of providers: shared configuration, and the scopes that a consent asks.
 */
export type PointPolicy = {
/**
 * Per provider, by its id.
 */
providers: { [key in string]: ProviderPolicy }, };

/**
 * What a point would do to the integrations under it, were it as sent.
 */
export type PointPreview = {
/**
 * Integrations whose calls would be refused.
 */
affected: number,
/**
 * Integrations whose calls are refused now and would not be any more.
 */
mended: number,
/**
 * The affected ones by environment of their accounts.
 */
environments: PointEffects,
/**
 * The first 100 of the affected ones, in the order of their names.
 */
integrations: Array<AffectedIntegration>,
/**
 * Why the change would not be made at all.
 */
refused?: Problem, };

/**
 * What went wrong: `application/problem+json` on `/v1`, the same object over `/rpc` and in the window.
 */
export type Problem = {
/**
 * `urn:patchbay:problem:CODE`.
 */
type: string,
/**
 * Short, and the same for every occurrence.
 */
title: string,
/**
 * Equal to the HTTP status.
 */
status: number,
/**
 * Out of the closed table; programs switch on it.
 */
code: Code,
/**
 * What happened, to which object, and what to do.
 */
message: string,
/**
 * More of the same.
 */
detail?: string,
/**
 * What to do, where it needs more than the message.
 */
remediation?: string,
/**
 * When it happened.
 */
occurred_at: Timestamp,
/**
 * This occurrence: `urn:uuid:` and the id that the log has too.
 */
instance: string,
/**
 * For machines.
 */
context?: ProblemContext,
/**
 * Seconds after which trying again makes sense; also the header `Retry-After`.
 */
retry_after?: number, };

/**
 * The parts of a problem that machines read.
 */
export type ProblemContext = {
/**
 * The parameter at fault.
 */
parameter?: Parameter,
/**
 * Objects involved.
 */
resources?: Array<Resource>,
/**
 * The provider's own words.
 */
raw_error?: string,
/**
 * The provider's status, request id and the like, each as text.
 */
provider_details?: { [key in string]: string }, };

/**
 * Body of `provider_apps.trust`.
 */
export type ProposeTrust = {
/**
 * At which provider a role shall be assumed.
 */
provider: string,
/**
 * Its configuration as far as it is entered; region and partition count.
 */
provider_config: Record<string, unknown>, };

/**
 * A system that accounts can be connected with.
 */
export type Provider = { id: ProviderId, name: string, fullname: string, vendor: string, description: string, connector_id: Connector,
/**
 * The id; the whole row with `expand=connector`.
 */
connector?: Connector | ConnectorRow,
/**
 * Only with `expand=operations`.
 */
operations?: Array<ProviderOperation>,
/**
 * JSON Schema of `provider_config`, credential included; only with `expand=provider_config`.
 */
provider_config?: unknown, release?: Release, x_patchbay: ProviderExtra, };

/**
 * The organization's own OAuth client at a provider.
 */
export type ProviderApp = { id: ProviderAppId, name: Name, fullname: Fullname, provider: ProviderId,
/**
 * The issuer at which it is registered, for providers with discovery.
 */
issuer?: string, client_id: string,
/**
 * Whether a client secret is stored; a public client has none.
 */
has_client_secret: boolean,
/**
 * Registered at the provider, exactly.
 */
redirect_uris: Array<string>,
/**
 * Scopes to ask for; the provider's usual ones where empty.
 */
scopes: Array<string>,
/**
 * When the client secret ends at the provider, as somebody entered it: it stands in the list of deadlines.
 */
secret_expires?: Timestamp,
/**
 * The worst that its last preflight found; not told where it was not tested since it was changed, and in answers to changes.
 */
preflight?: CheckWord, created_at: Timestamp, updated_at: Timestamp, };

/**
 * The organization's own OAuth client at a provider.
 */
export type ProviderAppId = string;

/**
 * How many integrations with a provider.
 */
export type ProviderCount = {
/**
 * Which provider.
 */
provider: ProviderId,
/**
 * How many.
 */
count: number, };

/**
 * What is ours on a provider.
 */
export type ProviderExtra = {
/**
 * The version of the definition.
 */
version: string, docs_url: string,
/**
 * How it authenticates, in a word of the manifest.
 */
auth_type: string,
/**
 * Whether it stays inside Patchbay.
 */
mock: boolean,
/**
 * The configuration without the credential, for forms; only with `expand=provider_config`.
 */
config?: ConfigFacts,
/**
 * The kinds of credential it takes, the usual one first; empty when it needs none.
 */
credentials: Array<CredentialChoice>,
/**
 * How many facts its manifest claims.
 */
facts: number,
/**
 * How many of them nobody stands behind yet.
 */
unverified: number,
/**
 * Whether the version in force is a manifest of the organization's own (`manifests.list`).
 */
own: boolean,
/**
 * What its manifest claims, and who says so; only with `expand=facts`.
 */
claims?: Array<ProviderFact>,
/**
 * What ends at the provider, and when.
 */
sunsets: Array<SunsetFact>,
/**
 * How a person authorizes it, where that is possible.
 */
consent?: ConsentFacts, };

/**
 * Something that is claimed of a provider.
 */
export type ProviderFact = {
/**
 * Its dotted name in the manifest, such as `server.main.pkce`.
 */
fact: string,
/**
 * What is claimed; absent for what an error means, which the manifest says in words.
 */
value?: unknown,
/**
 * Who says so: an address, `observed: ` and where, or `unverified`; absent where the manifest names nobody.
 */
source?: string,
/**
 * Whether somebody stands behind it.
 */
verified: boolean, };

/**
 * A field that an operation can filter by.
 */
export type ProviderFilter = { name: string,
/**
 * `string`, `datetime`, `enum`, `boolean` or `number`.
 */
type: string, operators: Array<string>, values?: Array<string>, };

/**
 * A provider's id as in `provider_config.type`: lower-case words joined by `_`, the first of them the connector's.
 */
export type ProviderId = string;

/**
 * One operation of the connector, as this provider offers it.
 */
export type ProviderOperation = { id: string, name: string, fullname?: string, description?: string, request_method?: string, request_path?: string, supported: boolean, required_fields?: Array<string>, supported_response_fields?: Array<string>, filters?: Array<ProviderFilter>, orders?: Array<ProviderOrder>, request_body?: unknown, };

/**
 * A field that an operation can sort by.
 */
export type ProviderOrder = { name: string, directions: Array<string>, };

/**
 * What a point prescribes for one provider. Members are those of the configuration in the provider's definition,
 * `webhook_url` and `polling_interval` among them; never `type`, `credential` or a secret.
 */
export type ProviderPolicy = {
/**
 * Members whose value every integration must have; filled in where left out, refused where different.
 */
locked?: Record<string, unknown>,
/**
 * Members that a new integration gets where it leaves them out.
 */
defaults?: Record<string, unknown>,
/**
 * Scopes that a consent asks, in place of those of the provider app and the provider; empty leaves those.
 */
scopes?: Array<string>, };

/**
 * A token to be made together with an account.
 */
export type ProvisionToken = {
/**
 * `account-manager`, `connect-ui` or `token-issuer`.
 */
permission_set: PermissionSet,
/**
 * As `24h`, which is also the default.
 */
token_ttl?: string, name?: string, fullname?: string, };

/**
 * An address that opens one thing for whoever holds it.
 */
export type PublicLinkId = string;

/**
 * Who agreed to what, and when.
 */
export type ReceiptId = string;

/**
 * A store that was open before.
 */
export type RecentStore = {
/**
 * `sqlite:PATH`, `postgres://...` or `https://...`, without secrets.
 */
url: string,
/**
 * What it is.
 */
kind: StoreKind,
/**
 * A name for people: the one the person gave, the file's or the server's.
 */
label: string,
/**
 * Whether the person gave the name.
 */
named: boolean,
/**
 * Whether the person marked it.
 */
mark?: StoreMark,
/**
 * The key source that opened it; absent for another Patchbay.
 */
key_source?: string,
/**
 * Who acts there: the member at another Patchbay, the role in a database. Never a secret.
 */
account?: string, };

/**
 * Body of `connect.record`.
 */
export type RecordFlight = { steps: Array<SeenStep>, };

/**
 * Answer of `connect.record`.
 */
export type Recorded = {
/**
 * How many steps there are now.
 */
steps: number, };

/**
 * One intended request to a token endpoint, and what came of it.
 */
export type RefreshAttempt = { id: string,
/**
 * The name of the token that was to be renewed: `main` is the one that calls carry, others have the names of the manifest.
 */
token: string,
/**
 * The process that made it.
 */
owner: string,
/**
 * Absent where nothing was to be sent, as when a person connects anew.
 */
reason?: RefreshReason,
/**
 * How often its token was or may have been sent without an outcome, this attempt among them.
 */
sends: number,
/**
 * The last step.
 */
outcome: RefreshStep,
/**
 * The refresh token that was to be sent: the first digits of a keyed hash.
 */
token_before?: string,
/**
 * The refresh token that came.
 */
token_after?: string,
/**
 * In their order.
 */
steps: Array<RefreshStepTaken>, };

/**
 * Why tokens are renewed.
 */
export type RefreshReason = "due" | "refused";

/**
 * What happened in an attempt, or to a credential's tokens.
 */
export type RefreshStep = "intent" | "sent" | "granted" | "activated" | "proven" | "unchanged" | "lost" | "dead" | "taken_over" | "race_found" | "introspected" | "attention" | "reconnected" | "revoked";

/**
 * A step of an attempt.
 */
export type RefreshStepTaken = { at: Timestamp, step: RefreshStep,
/**
 * The process that took it: another than the attempt's where that one died.
 */
owner: string,
/**
 * More about it, by the step.
 */
note?: unknown, };

/**
 * A token container: the thing that `refresh_token_id` names.
 */
export type RefreshToken = { id: TokenId, name: Name, fullname: Fullname, member_id?: MemberId,
/**
 * Id of the organization or integration.
 */
owner_id: string,
/**
 * `organization` or `integration`.
 */
owner_type: string, expires: Timestamp,
/**
 * As `24h`.
 */
token_ttl: string, token_type: TokenType, primary: TokenPair, secondary?: TokenPair, created_at: Timestamp, updated_at: Timestamp, };

/**
 * How a rehearsal stands.
 */
export type Rehearsal = { id: string, provider: ProviderId, fullname: string, version: string,
/**
 * The `type` of the credential.
 */
credential: string,
/**
 * Whether a person authorizes it; otherwise a key is entered.
 */
consent: boolean,
/**
 * Whether its tokens are renewed.
 */
renews: boolean,
/**
 * Whom the simulated provider takes for a person: login and password.
 */
login: string, password: string,
/**
 * The status of the integration.
 */
status: string,
/**
 * Why it needs attention, in words.
 */
cause?: string,
/**
 * Where the person sets out, as long as a consent in a browser is waited for.
 */
open?: string, steps: Array<RehearsalStep>,
/**
 * When it ends by itself.
 */
expires: Timestamp, };

/**
 * What is done next.
 */
export type RehearsalAction = "agree" | "refuse" | "browser" | "key" | "call" | "fault";

/**
 * Who did something in a rehearsal.
 */
export type RehearsalActor = "patchbay" | "provider" | "person" | "director" | "journal";

/**
 * What goes wrong at the provider.
 */
export type RehearsalFault = "expiry" | "reuse" | "lost_answer" | "rate_limit" | "outage" | "slow" | "refuse_window" | "revoke" | "hour" | "quarter";

/**
 * Which rehearsal.
 */
export type RehearsalId = { id: string, };

/**
 * Something that happened in a rehearsal.
 */
export type RehearsalStep = {
/**
 * From 1.
 */
number: number,
/**
 * By the rehearsal's clock.
 */
at: Timestamp, by: RehearsalActor, words: string,
/**
 * Whether it went well.
 */
good: boolean,
/**
 * More, for whoever wants to know.
 */
detail?: string, };

/**
 * How far along it is.
 */
export type Release = {
/**
 * `internal`, `in-development`, `pre-release`, `deprecated` or `generally-available`.
 */
availability: string, environments?: Array<Environment>, };

/**
 * The one thing to change.
 */
export type Remedy = {
/**
 * Who can.
 */
who: Changer,
/**
 * Where.
 */
place: string,
/**
 * What is there now.
 */
from?: Array<string>,
/**
 * What should be there.
 */
to?: string, };

/**
 * An object that a problem speaks of (`resources` on the wire).
 */
export type Resource = {
/**
 * `account`, `integration`, `credential`, ...
 */
type: string,
/**
 * Its id.
 */
id: string,
/**
 * `affected` or `cause`.
 */
rel: string, };

/**
 * Which objects; what is left out is not narrowed.
 */
export type Resources = { accounts?: AccountResources,
/**
 * `["*"]` or the token's own organization, beside which there is none.
 */
organizations?: OrganizationResources, integrations?: IntegrationResources, };

/**
 * Access that is taken back at a provider, and what proves that it ended.
 */
export type Revocation = { id: RevocationId,
/**
 * The account may be gone by now.
 */
account_id: AccountId,
/**
 * The integration may be gone by now.
 */
integration_id: IntegrationId,
/**
 * Its name for people, as it was.
 */
integration_name: string, provider: ProviderId,
/**
 * The receipt of the consent that ended.
 */
receipt_id?: ReceiptId, reason: RevocationReason, state: RevocationState,
/**
 * The state in words.
 */
state_words: string,
/**
 * Whether a person still has to end it at the provider.
 */
needs_person: boolean,
/**
 * By what the provider is asked.
 */
how: RevocationHow,
/**
 * What ends with it, where that is known.
 */
ends?: RevocationEnds,
/**
 * What proves it.
 */
evidence: RevocationEvidence,
/**
 * What a person does at the provider, step by step, where a program cannot.
 */
manual_steps: Array<string>,
/**
 * Where.
 */
manual_url?: string,
/**
 * What happened, in order.
 */
events: Array<RevocationEvent>,
/**
 * How often the provider was asked in this state.
 */
attempts: number,
/**
 * When it is asked next; absent when nothing more is done.
 */
next_attempt_at?: Timestamp,
/**
 * When the last access token ends by itself.
 */
alive_until?: Timestamp,
/**
 * When a person said that it has ended.
 */
confirmed_at?: Timestamp, confirmed_by?: MemberId, created_at: Timestamp, updated_at: Timestamp, };

/**
 * What a revocation ends.
 */
export type RevocationEnds = "grant" | "token";

/**
 * Something that happened.
 */
export type RevocationEvent = {
/**
 * When.
 */
at: Timestamp,
/**
 * What.
 */
step: RevocationStep,
/**
 * The same in words, without anything secret.
 */
words: string, };

/**
 * What would prove that access has ended.
 */
export type RevocationEvidence = "probe" | "introspection" | "nothing";

/**
 * By what a provider is asked.
 */
export type RevocationHow = "endpoint" | "call" | "manual";

/**
 * Access that is taken back at the provider.
 */
export type RevocationId = string;

/**
 * Why access is taken back.
 */
export type RevocationReason = "disconnected" | "deleted" | "replaced" | "withdrawn" | "abandoned";

/**
 * How far a revocation is.
 */
export type RevocationState = "pending" | "sent" | "revoked" | "proven" | "alive" | "manual" | "failed";

/**
 * What happened in a revocation.
 */
export type RevocationStep = "sealed" | "active" | "taken" | "partly" | "refused" | "unreachable" | "renewed" | "dead" | "answered" | "unproven" | "confirmed" | "given_up";

/**
 * A permission set over resources, by name.
 */
export type Role = { id: RoleId, name: string, fullname: Fullname, description?: string,
/**
 * Absent where it is over everything.
 */
resources?: Resources, permission_set: PermissionSet, created_at: Timestamp, updated_at: Timestamp, x_patchbay?: RoleExtra, };

/**
 * What is ours on a role.
 */
export type RoleExtra = {
/**
 * Every organization has it, and it cannot be changed or deleted.
 */
builtin: boolean,
/**
 * How many members have it.
 */
members: number, };

/**
 * A role: named resources and a permission set.
 */
export type RoleId = string;

/**
 * Name of a role: one of the four that are built in, or one of the organization's own.
 */
export type RoleName = string;

/**
 * Body of `keys.rotate`.
 */
export type RotateKeys = {
/**
 * Which key.
 */
key: WhichKey,
/**
 * Where the next master key shall come from: `keyring`, `passphrase`, `file:PATH`, `env:NAME` or `systemd`. Where left
 * out, from where the present one comes.
 */
to?: string,
/**
 * The next passphrase, for `passphrase`.
 */
passphrase?: string, };

/**
 * Params of `file.save`.
 */
export type SaveFile = {
/**
 * Offered in the dialog.
 */
suggested_name: string,
/**
 * Text to write.
 */
content: string, };

/**
 * Result of `file.save`.
 */
export type SavedFile = {
/**
 * Where it was written; absent when the person cancelled.
 */
path?: string, };

/**
 * How a member differs between two versions.
 */
export type SchemaChange = {
/**
 * The member of the configuration, or the `type` of the credential.
 */
member: string, change: ChangeWord,
/**
 * Whether it had to be given.
 */
required_before: boolean,
/**
 * Whether it must be given.
 */
required_after: boolean,
/**
 * Its JSON Schema before.
 */
before?: Record<string, unknown>,
/**
 * Its JSON Schema afterwards.
 */
after?: Record<string, unknown>, };

/**
 * An organization, sealed.
 */
export type SealedImage = {
/**
 * Base64 of an age file.
 */
image: string, };

/**
 * What may be kept of an address.
 */
export type Seen = {
/**
 * Scheme, host and port; the scheme alone where there is no host.
 */
origin: string,
/**
 * Its path; what may be a key or a person in it is `*`.
 */
path: string,
/**
 * Its query. A fragment is never kept.
 */
parameters: Array<SeenParameter>, };

/**
 * One parameter.
 */
export type SeenParameter = {
/**
 * Its name.
 */
name: string,
/**
 * Its value, as far as it is told.
 */
value: Shown, };

/**
 * A step that a window saw.
 */
export type SeenStep = {
/**
 * `navigated`, `redirected`, `popup` or `blocked`.
 */
kind: StepKind,
/**
 * When.
 */
at: Timestamp,
/**
 * The address, redacted.
 */
seen: Seen, };

/**
 * Who is signed in, where.
 */
export type SessionInfo = {
/**
 * Where the interface runs.
 */
host: Host,
/**
 * The store that is open.
 */
store: StoreInfo,
/**
 * The organization.
 */
organization: Organization,
/**
 * Who acts.
 */
member: SessionMember,
/**
 * What the member may do; absent when roles of the organization's own decide.
 */
permission_set?: PermissionSet,
/**
 * Whether the organization is the sample.
 */
sample: boolean,
/**
 * Whether nothing can be changed here.
 */
read_only: boolean,
/**
 * The address at which programs reach the APIs, where it is served.
 */
public_url?: string,
/**
 * The redirect URI of the consent route `link`, where it is served.
 */
link_redirect_uri?: string,
/**
 * Version of Patchbay.
 */
version: string,
/**
 * The token container that the session came from, where it came from one.
 */
token_id?: TokenId,
/**
 * When the session ends; absent in the application.
 */
expires?: Timestamp, };

/**
 * Who acts in a session.
 */
export type SessionMember = {
/**
 * Its id.
 */
id: MemberId,
/**
 * E-mail address, or slug of a service member.
 */
name: Name,
/**
 * Name for people.
 */
fullname: Fullname, };

/**
 * Body of `integrations.preview_version` and `integrations.set_version`: either `definition_id` or `version`.
 */
export type SetVersion = { definition_id?: string, version?: string,
/**
 * The whole configuration then: members of the definition's `config_schema`. Where missing, the present one goes along,
 * without members that the version does not know and with the defaults of new ones that must be given.
 */
config?: Record<string, unknown>,
/**
 * The `updated_at` that the move was prepared from; where the integration has changed since, it is refused with 409.
 */
expected_updated_at?: Timestamp, };

/**
 * A value of a parameter, as far as it is told.
 */
export type Shown = { "clear": string } | { "length": number } | "ours" | "another";

/**
 * Body of `POST /session`: one of an organization token, a member's logon, or a one-time link.
 */
export type SignIn = {
/**
 * An organization access token.
 */
token?: string,
/**
 * Name or id of the organization, for a logon; may be left out when the store holds one.
 */
organization?: string,
/**
 * The member's name, for a logon.
 */
name?: string,
/**
 * The member's password, for a logon; the new password, with a one-time link.
 */
secret?: string,
/**
 * The secret of a one-time link: alone for a set-up link, with `secret` for an invitation or reset.
 */
setup?: string, };

/**
 * What to rehearse.
 */
export type StartRehearsal = { provider: ProviderId,
/**
 * The `type` of the credential; the recommended one where left out.
 */
credential?: string, };

/**
 * Status and sums of the calls of one integration; of one that was never called they are zeros.
 */
export type Status = { account_id: AccountId,
/**
 * Only with `expand=account`.
 */
account?: Account, integration_id: IntegrationId,
/**
 * Only with `expand=integration`.
 */
integration?: Integration,
/**
 * `draft`, `awaiting_consent`, `active`, `needs_attention`, `paused` or `revoked`.
 */
status: string, requests: number,
/**
 * Of the requests, those that ended in a problem.
 */
failed: number,
/**
 * Microseconds in which Patchbay itself worked at the calls; waiting for the provider or the store is not counted.
 */
cpu_time: number,
/**
 * Transactions on the store that the calls began.
 */
db_ops: number,
/**
 * Requests that went to the provider.
 */
api_ops: number,
/**
 * Bytes of bodies that came from the provider.
 */
in_bytes: number,
/**
 * Bytes of bodies that went to the provider.
 */
out_bytes: number, created_at: Timestamp, updated_at: Timestamp, x_patchbay?: StatusExtra, };

/**
 * Calls began to fail, fail in another way, or work again.
 */
export type StatusEvent = { account_id: AccountId, integration_id: IntegrationId, created_at: Timestamp,
/**
 * The integration's status behind it.
 */
status: string,
/**
 * The problem in words; absent when calls work again.
 */
error?: string,
/**
 * Number of the call.
 */
request: number, x_patchbay?: StatusEventExtra, };

/**
 * What is ours on an event.
 */
export type StatusEventExtra = {
/**
 * The code of the problem.
 */
code: string, };

/**
 * What is ours on a status.
 */
export type StatusExtra = {
/**
 * Since when calls are counted: the making of the integration, or the last reset.
 */
counted_since: Timestamp, };

/**
 * Calls over time, without gaps.
 */
export type StatusTimeseries = { start_time: Timestamp,
/**
 * Behind the last point, which is the interval under way.
 */
end_time: Timestamp,
/**
 * Length of an interval: `1m`, `1h` or `24h`.
 */
interval: string, series: Array<TimeseriesPoint>, };

/**
 * What else is kept of a step. What does not belong to it is left out.
 */
export type StepDetail = {
/**
 * By which way.
 */
route?: ConsentRoute,
/**
 * The address.
 */
seen?: Seen,
/**
 * The exact redirect URI that was sent.
 */
redirect_uri?: string,
/**
 * The scopes that were asked for, or given.
 */
scopes?: Array<string>,
/**
 * HTTP status of the provider's answer.
 */
status?: number,
/**
 * The provider's error, as a word.
 */
error?: string,
/**
 * What was said: the provider's words, or one sentence of ours.
 */
words?: string,
/**
 * How it ended, where that was no success.
 */
code?: Code, };

/**
 * What happened.
 */
export type StepKind = "prepared" | "par" | "opened" | "navigated" | "redirected" | "popup" | "blocked" | "callback" | "exchange" | "answer" | "located" | "probe" | "explained" | "ended";

/**
 * The next step of a rehearsal.
 */
export type StepRehearsal = { id: string, action: RehearsalAction,
/**
 * For the action `fault`.
 */
fault?: RehearsalFault, };

/**
 * The store that is open.
 */
export type StoreInfo = {
/**
 * A name for people: the one the person gave, the file's or the server's.
 */
label: string,
/**
 * What it is.
 */
kind: StoreKind,
/**
 * Where it is, without secrets; absent in a browser, whose server does not tell.
 */
url?: string,
/**
 * Whether the person marked it.
 */
mark?: StoreMark,
/**
 * Since when the other Patchbay does not answer; absent while it does, and for other kinds. Where it did not at the start,
 * when it last did. What is read meanwhile was kept earlier, and nothing can be changed. Told by a change of the
 * organization when it begins and when it ends.
 */
offline_since?: Timestamp, };

/**
 * What a store is.
 */
export type StoreKind = "sqlite" | "postgres" | "remote";

/**
 * What a store is for, as the person marked it. The interface shows the mark everywhere, in colour and in a word.
 */
export type StoreMark = "test" | "prod";

/**
 * Long work on the open store.
 */
export type StoreWork = {
/**
 * What is done.
 */
kind: WorkKind,
/**
 * Where a copy goes, without secrets.
 */
to?: string,
/**
 * When it began.
 */
begun_at: Timestamp,
/**
 * How far it has come; absent at the beginning.
 */
step?: WorkStep,
/**
 * When it ended; absent while it goes on.
 */
ended_at?: Timestamp,
/**
 * What came of it; absent while it goes on, and when it was broken off.
 */
outcome?: WorkOutcome, };

/**
 * The end of something at a provider.
 */
export type SunsetFact = {
/**
 * The first day of that, or the month where the vendor names no day.
 */
date: string,
/**
 * What ends: `version`, the dotted name of a fact, or `api.` and a name for a part of the API.
 */
what: string,
/**
 * Whether it has ended by now.
 */
ended: boolean, reason: string,
/**
 * What to use in its place.
 */
instead?: string,
/**
 * Who says so.
 */
source: string, };

/**
 * Body of `connect.switch`.
 */
export type SwitchConnect = {
/**
 * The way; left out, the first that can be gone.
 */
route?: ConsentRoute,
/**
 * As in `connect.begin`.
 */
redirect_uri?: string,
/**
 * As in `connect.begin`.
 */
window?: boolean,
/**
 * As in `connect.begin`.
 */
browser?: boolean, };

/**
 * Params of `consent.switch`: the application goes on with a consent on another way.
 */
export type SwitchRoute = {
/**
 * Which consent.
 */
connect_session_id: string,
/**
 * `window`, `browser` or `paste`.
 */
route: ConsentRoute, };

/**
 * Rows of a table that were written.
 */
export type TableRows = {
/**
 * The table.
 */
table: string,
/**
 * How many rows.
 */
rows: number,
/**
 * SHA-256 of their lines in the image, in hexadecimal digits.
 */
sha256: string, };

/**
 * Parameters of `status.get_integration_timeseries`.
 */
export type TimeseriesParams = {
/**
 * `hour` (the default): the last 24 hours by the hour. `minute`: the last hour by the minute. `day`: the last 7 days by
 * the day.
 */
interval?: "minute" | "hour" | "day", };

/**
 * The calls of one interval.
 */
export type TimeseriesPoint = {
/**
 * When the interval begins.
 */
created_at: Timestamp, succeeded: number, failed: number,
/**
 * Microseconds.
 */
cpu_time: number, in_bytes: number, out_bytes: number, };

/**
 * A point in time, truncated to microseconds: PostgreSQL keeps no more, so both stores compare equal.
 * Written as RFC 3339 with `Z` and six digits, which also sorts as text.
 */
export type Timestamp = string;

/**
 * One secret with what it may do. Later reads have an empty secret.
 */
export type Token = { secret: string, expires: Timestamp, permissions: TokenPermissions, };

/**
 * A token container, called `refresh_token_id` on the wire.
 */
export type TokenId = string;

/**
 * An access secret and the one that refreshes it.
 */
export type TokenPair = { access: Token, refresh: Token, };

/**
 * What a token may do.
 */
export type TokenPermissions = {
/**
 * Roles, where the token acts by those of its member.
 */
role_binding?: Array<string>,
/**
 * A permission set over resources, fixed when the token was minted.
 */
adhoc_role?: AdhocRole,
/**
 * Id of the organization or integration.
 */
resource_id: string,
/**
 * `organization` or `integration`.
 */
resource_type: string,
/**
 * What the resource is in: the account of an integration, else the organization.
 */
parent_id: string,
/**
 * The container's id.
 */
id: TokenId, organization_id: OrganizationId, member_id: MemberId, };

/**
 * How a container came to be (`token_type` on the wire).
 */
export type TokenType = "adhoc" | "logon" | "default";

/**
 * Result of `provider_apps.trust`.
 */
export type TrustPolicy = {
/**
 * The ARN of the organization's own principal.
 */
principal: string,
/**
 * A new external id, for one role of one customer.
 */
external_id: string,
/**
 * The trust policy of the role, as JSON to paste.
 */
policy: string, };

/**
 * PUT of an account: the whole object; what is read-only in it is ignored.
 */
export type UpdateAccount = { name?: string, fullname: string, environment: Environment, labels?: Array<string>, x_patchbay?: AccountExtraInput, };

/**
 * PUT of a credential: the whole object; a `config` with secrets replaces them, one with the kind alone keeps them.
 */
export type UpdateCredential = { name?: string, fullname: string, config?: { type: string } & Record<string, unknown>, expires?: Timestamp, x_patchbay?: UpdateExtra, };

/**
 * PUT of an end user: the whole object; what is read-only in it is ignored.
 */
export type UpdateEndUser = { name?: string, fullname: string, email?: string, external_id?: string, x_patchbay?: UpdateExtra, };

/**
 * What of ours a PUT may carry beside the object.
 */
export type UpdateExtra = {
/**
 * The `updated_at` that the change was made from; where the object has changed since, the PUT is refused with 409.
 */
expected_updated_at?: Timestamp, };

/**
 * PUT of a member: the whole object; what is read-only in it is ignored.
 */
export type UpdateMember = { name?: string, fullname: string, nickname?: string, picture?: string, state?: MemberState,
/**
 * Counted from now where it changes.
 */
ttl?: string, token_ttl?: string, expires?: Timestamp, pin_expires?: Timestamp, role_binding?: Array<string>, x_patchbay?: UpdateExtra, };

/**
 * PUT of the organization: the whole object; what is read-only in it is ignored.
 */
export type UpdateOrganization = { name?: string, fullname: string, contact?: string, reply_to?: string,
/**
 * The URL of a picture, or a PNG, JPEG or WebP picture of at most 96 kB as a data: URL. Connect pages show the latter.
 */
picture?: string, options?: OrganizationOptions, x_patchbay?: UpdateExtra, };

/**
 * PUT of a webhook: the whole object; what is read-only in it is ignored. The secret is changed through its credential.
 */
export type UpdateOrganizationWebhook = { name?: string, fullname: string, environment?: Environment, filters: Array<WebhookFilter>, url: string,
/**
 * Another credential of this webhook, to sign with from now on.
 */
credential_id?: string, x_patchbay?: UpdateExtra, };

/**
 * PUT of a provider app: the whole object; a client secret that is left out is kept, an empty one is removed.
 */
export type UpdateProviderApp = { name?: string, fullname: string, issuer?: string, client_id: string, client_secret?: string, redirect_uris?: Array<string>, scopes?: Array<string>,
/**
 * When the client secret ends at the provider; not known where it is left out.
 */
secret_expires?: Timestamp, x_patchbay?: UpdateExtra, };

/**
 * Answer of `integrations.verify` and `integrations.verify_existing`: without messages all is well.
 */
export type Verified = { messages?: Messages, };

/**
 * Body of `integrations.verify`.
 */
export type VerifyIntegration = { integration: CreateIntegration, };

/**
 * What a move to another version would be.
 */
export type VersionPreview = { from: DefinitionVersion, to: DefinitionVersion,
/**
 * Whether it can be made.
 */
possible: boolean,
/**
 * What forbids it, each as it would be answered.
 */
problems: Array<Problem>,
/**
 * How the schema of the configuration differs.
 */
schema_changes: Array<SchemaChange>,
/**
 * How the credentials that are taken differ.
 */
credential_changes: Array<SchemaChange>,
/**
 * The configuration now, without `type` and `credential`.
 */
config_before: Record<string, unknown>,
/**
 * The configuration that the move would write.
 */
config_after: Record<string, unknown>, };

/**
 * One contradiction between an integration and its point.
 */
export type Violation = {
/**
 * In what.
 */
reason: ViolationReason,
/**
 * The member of the configuration, where it is about one.
 */
member?: string,
/**
 * The same in words, with what to do.
 */
message: string, };

/**
 * In what an integration contradicts its point.
 */
export type ViolationReason = "connector" | "provider_no_longer_allowed" | "locked_value_differs";

/**
 * One try of a delivery.
 */
export type WebhookAttempt = {
/**
 * Counted from 1.
 */
number: number,
/**
 * When it ended.
 */
created_at: Timestamp,
/**
 * The receiver's HTTP status, where it answered.
 */
status?: number,
/**
 * Why it failed.
 */
error?: string,
/**
 * The beginning of what the receiver answered, at most 1 kB.
 */
response?: string, duration_ms: number, };

/**
 * One event on its way to a webhook.
 */
export type WebhookDelivery = {
/**
 * Sent along as `X-Patchbay-Delivery`, the same with every attempt.
 */
id: DeliveryId, webhook_id: WebhookId, event: WebhookFilter, state: DeliveryState,
/**
 * Attempts begun so far.
 */
attempts: number,
/**
 * When it is tried next; absent when it is over.
 */
next_attempt_at?: Timestamp, delivered_at?: Timestamp,
/**
 * The receiver's last HTTP status.
 */
last_status?: number,
/**
 * Why the last attempt failed.
 */
last_error?: string,
/**
 * The delivery that this one repeats.
 */
redelivery_of?: DeliveryId, account_id?: AccountId, integration_id?: IntegrationId,
/**
 * When the event happened.
 */
created_at: Timestamp, updated_at: Timestamp, };

/**
 * A delivery with what is sent and what came of it.
 */
export type WebhookDeliveryDetail = {
/**
 * The body, byte for byte as it is sent and signed: JSON of `{event, account?, integration?, nonce}`.
 */
payload: string,
/**
 * Every attempt, in order.
 */
log: Array<WebhookAttempt>,
/**
 * Sent along as `X-Patchbay-Delivery`, the same with every attempt.
 */
id: DeliveryId, webhook_id: WebhookId, event: WebhookFilter, state: DeliveryState,
/**
 * Attempts begun so far.
 */
attempts: number,
/**
 * When it is tried next; absent when it is over.
 */
next_attempt_at?: Timestamp, delivered_at?: Timestamp,
/**
 * The receiver's last HTTP status.
 */
last_status?: number,
/**
 * Why the last attempt failed.
 */
last_error?: string,
/**
 * The delivery that this one repeats.
 */
redelivery_of?: DeliveryId, account_id?: AccountId, integration_id?: IntegrationId,
/**
 * When the event happened.
 */
created_at: Timestamp, updated_at: Timestamp, };

/**
 * What a webhook is told of, and the name of one such event.
 */
export type WebhookFilter = "all" | "account_create" | "account_update" | "account_delete" | "integration_create" | "integration_update" | "integration_delete" | "operation_complete";

/**
 * An organization webhook.
 */
export type WebhookId = string;

/**
 * The secret of a new webhook; it is sealed and never given back.
 */
export type WebhookSecret = { value: string,
/**
 * From then on nothing is sent until it is replaced.
 */
expires?: Timestamp, };

/**
 * Which key is rotated.
 */
export type WhichKey = "data" | "master";

/**
 * Who took a consent back.
 */
export type Withdrawal = "person" | "member";

/**
 * What is done with the open store.
 */
export type WorkKind = "verify" | "copy";

/**
 * What came of long work.
 */
export type WorkOutcome = { "came": "verified",
/**
 * What is wrong, a sentence each; empty when all is well.
 */
findings: Array<string>,
/**
 * Rows that were read.
 */
rows: number,
/**
 * Sealed values that were opened.
 */
sealed_values: number, } | { "came": "copied",
/**
 * Rows in it.
 */
rows: number,
/**
 * Sealed values among them.
 */
sealed_values: number, } | { "came": "failed",
/**
 * Why.
 */
problem: Problem, };

/**
 * How far long work has come.
 */
export type WorkStep = {
/**
 * What is being done, in words.
 */
doing: string,
/**
 * Which table.
 */
table: string,
/**
 * Rows done.
 */
rows: number,
/**
 * Rows in all.
 */
of: number, };

/**
 * What of ours an integration may be written with. Without it a PUT leaves it alone.
 */
export type WriteIntegrationExtra = {
/**
 * Read on a PUT: the `updated_at` that the change was made from; where the object has changed since, the PUT is refused with 409.
 */
expected_updated_at?: Timestamp,
/**
 * The knobs that are none of the provider; the whole of them. Without it a PUT leaves them alone.
 */
config?: IntegrationConfig, };

/**
 * What of ours a point may be written with. Without it a PUT leaves it alone.
 */
export type WriteIntegrationPointExtra = {
/**
 * Read on a PUT: the `updated_at` that the change was made from; where the object has changed since, the PUT is refused with 409.
 */
expected_updated_at?: Timestamp,
/**
 * Shared configuration and scopes, per provider; the whole of it.
 */
policy?: PointPolicy, };

/** Every command of `/rpc` and of the window: its params and its result. */
export interface Commands {
  "organization.get": { params: Record<string, never>; result: Answer<Organization> };
  "organization.update": { params: { body: UpdateOrganization }; result: Answer<Organization> };
  "organization.patch": { params: { body: Array<PatchOperation> }; result: Answer<Organization> };
  "accounts.list": { params: { query?: ListParams }; result: Listed<Account> };
  "accounts.get": { params: { path: { account_id: string } }; result: Answer<Account> };
  "accounts.create": { params: { body: CreateAccount }; result: Answer<AccountCreated> };
  "accounts.update": { params: { path: { account_id: string }, body: UpdateAccount }; result: Answer<Account> };
  "accounts.patch": { params: { path: { account_id: string }, body: Array<PatchOperation> }; result: Answer<Account> };
  "accounts.delete": { params: { path: { account_id: string }, query?: DeleteParams }; result: Answer<Deletion> };
  "accounts.impact": { params: { path: { account_id: string } }; result: Answer<Impact> };
  "integration_points.list": { params: { query?: ListParams }; result: Listed<IntegrationPoint> };
  "integration_points.get": { params: { path: { integration_point_id: string } }; result: Answer<IntegrationPoint> };
  "integration_points.create": { params: { body: CreateIntegrationPoint }; result: Answer<IntegrationPoint> };
  "integration_points.update": { params: { path: { integration_point_id: string }, body: CreateIntegrationPoint }; result: Answer<IntegrationPoint> };
  "integration_points.patch": { params: { path: { integration_point_id: string }, body: Array<PatchOperation> }; result: Answer<IntegrationPoint> };
  "integration_points.delete": { params: { path: { integration_point_id: string } }; result: Answer<Deletion> };
  "integration_points.impact": { params: { path: { integration_point_id: string } }; result: Answer<Impact> };
  "integration_points.preview": { params: { path: { integration_point_id: string }, body: CreateIntegrationPoint }; result: Answer<PointPreview> };
  "integrations.list": { params: { query?: ListParams }; result: Listed<Integration> };
  "integrations.list_account": { params: { path: { account_id: string }, query?: ListParams }; result: Listed<Integration> };
  "integrations.get": { params: { path: { account_id: string, integration_id: string } }; result: Answer<Integration> };
  "integrations.create": { params: { path: { account_id: string }, body: CreateIntegration }; result: Answer<IntegrationCreated> };
  "integrations.verify": { params: { path: { account_id: string }, body: VerifyIntegration }; result: Verified };
  "integrations.verify_existing": { params: { path: { account_id: string, integration_id: string }, body?: CreateIntegration }; result: Verified };
  "integrations.update": { params: { path: { account_id: string, integration_id: string }, body: CreateIntegration }; result: IntegrationUpdated };
  "integrations.patch": { params: { path: { account_id: string, integration_id: string }, body: Array<PatchOperation> }; result: IntegrationUpdated };
  "integrations.delete": { params: { path: { account_id: string, integration_id: string }, query?: DeleteParams }; result: Answer<Deletion> };
  "integrations.impact": { params: { path: { account_id: string, integration_id: string } }; result: Answer<Impact> };
  "integrations.pause": { params: { path: { account_id: string, integration_id: string } }; result: Answer<Integration> };
  "integrations.resume": { params: { path: { account_id: string, integration_id: string } }; result: Answer<Integration> };
  "integrations.preview_disconnect": { params: { path: { account_id: string, integration_id: string } }; result: Answer<DisconnectPreview> };
  "integrations.disconnect": { params: { path: { account_id: string, integration_id: string } }; result: Answer<Disconnected> };
  "integrations.receipts": { params: { path: { account_id: string, integration_id: string } }; result: Listed<IntegrationReceipt> };
  "integrations.receipt_link": { params: { path: { account_id: string, integration_id: string } }; result: Answer<MadeLink> };
  "integrations.call": { params: { path: { account_id: string, integration_id: string }, body: CallIntegration }; result: Answer<CallAnswer> };
  "integrations.list_versions": { params: { path: { account_id: string, integration_id: string } }; result: Listed<IntegrationVersion> };
  "integrations.journal": { params: { path: { account_id: string, integration_id: string } }; result: Listed<RefreshAttempt> };
  "integrations.preview_version": { params: { path: { account_id: string, integration_id: string }, body: SetVersion }; result: Answer<VersionPreview> };
  "integrations.set_version": { params: { path: { account_id: string, integration_id: string }, body: SetVersion }; result: IntegrationUpdated };
  "integrations.rollback_version": { params: { path: { account_id: string, integration_id: string } }; result: IntegrationUpdated };
  "definitions.list": { params: { query?: ListParams }; result: Listed<Definition> };
  "definitions.get": { params: { path: { definition_id: string } }; result: Answer<Definition> };
  "credentials.list": { params: { path: { owner_id: string }, query?: ListParams }; result: Listed<Credential> };
  "credentials.get": { params: { path: { owner_id: string, credential_id: string } }; result: Answer<Credential> };
  "credentials.lookup": { params: { path: { credential_id: string } }; result: Answer<Credential> };
  "credentials.create": { params: { path: { owner_id: string }, body: CreateCredential }; result: Answer<Credential> };
  "credentials.update": { params: { path: { owner_id: string, credential_id: string }, body: UpdateCredential }; result: Answer<Credential> };
  "credentials.patch": { params: { path: { owner_id: string, credential_id: string }, body: Array<PatchOperation> }; result: Answer<Credential> };
  "credentials.delete": { params: { path: { owner_id: string, credential_id: string } }; result: Answer<Deletion> };
  "credentials.impact": { params: { path: { owner_id: string, credential_id: string } }; result: Answer<Impact> };
  "tokens.create_token": { params: { body: CreateToken }; result: Answer<RefreshToken> };
  "tokens.create_integration_token": { params: { path: { account_id: string, integration_id: string }, body?: CreateIntegrationToken }; result: Answer<Token> };
  "tokens.list": { params: { query?: ListParams }; result: Listed<RefreshToken> };
  "tokens.get": { params: { path: { refresh_token_id: string } }; result: Answer<RefreshToken> };
  "tokens.refresh": { params: { path: { refresh_token_id: string } }; result: Answer<RefreshToken> };
  "tokens.rotate": { params: { path: { owner_id: string, refresh_token_id: string } }; result: Answer<RefreshToken> };
  "tokens.reset": { params: { path: { owner_id: string, refresh_token_id: string } }; result: Answer<RefreshToken> };
  "tokens.remove_secondary": { params: { path: { refresh_token_id: string } }; result: Answer<Done> };
  "tokens.delete": { params: { path: { refresh_token_id: string } }; result: Answer<Done> };
  "tokens.impact": { params: { path: { refresh_token_id: string } }; result: Answer<Impact> };
  "members.list": { params: { query?: ListParams }; result: Listed<Member> };
  "members.get": { params: { path: { member_id: string } }; result: Answer<Member> };
  "members.create": { params: { body: CreateMember }; result: Answer<MemberCreated> };
  "members.update": { params: { path: { member_id: string }, body: UpdateMember }; result: Answer<Member> };
  "members.patch": { params: { path: { member_id: string }, body: Array<PatchOperation> }; result: Answer<Member> };
  "members.delete": { params: { path: { member_id: string } }; result: Answer<Deletion> };
  "members.impact": { params: { path: { member_id: string } }; result: Answer<Impact> };
  "members.create_link": { params: { path: { member_id: string }, body: CreateLink }; result: Answer<MemberLink> };
  "members.unlock": { params: { path: { member_id: string } }; result: Answer<Member> };
  "roles.list": { params: { query?: ListParams }; result: Listed<Role> };
  "roles.get": { params: { path: { role_id: string } }; result: Answer<Role> };
  "roles.create": { params: { body: CreateRole }; result: Answer<Role> };
  "roles.update": { params: { path: { role_id: string }, body: CreateRole }; result: Answer<Role> };
  "roles.patch": { params: { path: { role_id: string }, body: Array<PatchOperation> }; result: Answer<Role> };
  "roles.delete": { params: { path: { role_id: string } }; result: Answer<Deletion> };
  "roles.impact": { params: { path: { role_id: string } }; result: Answer<Impact> };
  "permissionset.list": { params: Record<string, never>; result: Answer<Array<PermissionSetDefinition>> };
  "permissionset.get": { params: { path: { permissionset_id: string } }; result: Answer<PermissionSetDefinition> };
  "auth.logon": { params: { path: { organization_id: string }, body: Logon }; result: Answer<LoggedOn> };
  "auth.change_password": { params: { body: ChangePassword }; result: Answer<PasswordChanged> };
  "auth.logoff": { params: Record<string, never>; result: Answer<Done> };
  "capabilities.list_connectors": { params: { query?: ExpandParams }; result: Listed<ConnectorRow> };
  "capabilities.list_providers": { params: { query?: ExpandParams }; result: Listed<Provider> };
  "capabilities.get_provider": { params: { path: { provider_id: string }, query?: ExpandParams }; result: Answer<Provider> };
  "audit.list": { params: { query?: ListParams }; result: Listed<Audit> };
  "audit.get": { params: { path: { audit_id: string } }; result: Answer<AuditDetail> };
  "audit.export": { params: { query?: ExportParams }; result: Answer<ExportedAudit> };
  "audit.undo": { params: { path: { audit_id: string } }; result: Answer<Audit> };
  "provider_apps.list": { params: { query?: ListParams }; result: Listed<ProviderApp> };
  "provider_apps.get": { params: { path: { provider_app_id: string } }; result: Answer<ProviderApp> };
  "provider_apps.create": { params: { body: CreateProviderApp }; result: Answer<ProviderApp> };
  "provider_apps.update": { params: { path: { provider_app_id: string }, body: UpdateProviderApp }; result: Answer<ProviderApp> };
  "provider_apps.delete": { params: { path: { provider_app_id: string } }; result: Answer<Deletion> };
  "provider_apps.impact": { params: { path: { provider_app_id: string } }; result: Answer<Impact> };
  "provider_apps.trust": { params: { body: ProposeTrust }; result: Answer<TrustPolicy> };
  "provider_apps.checks": { params: { path: { provider_app_id: string } }; result: Answer<AppChecks> };
  "provider_apps.preflight": { params: { path: { provider_app_id: string } }; result: Answer<AppChecks> };
  "connect.routes": { params: { path: { account_id: string, integration_id: string }, query?: PlaceParams }; result: Listed<ConnectOffer> };
  "connect.begin": { params: { body: BeginConnect }; result: Answer<ConnectSession> };
  "connect.get": { params: { path: { connect_session_id: string } }; result: Answer<ConnectSession> };
  "connect.choose": { params: { path: { connect_session_id: string }, body: ChooseConnect }; result: Answer<ConnectSession> };
  "connect.switch": { params: { path: { connect_session_id: string }, body: SwitchConnect }; result: Answer<ConnectSession> };
  "connect.latest": { params: { path: { account_id: string, integration_id: string } }; result: Listed<ConnectSession> };
  "connect.flight": { params: { path: { connect_session_id: string } }; result: Listed<FlightStep> };
  "connect.record": { params: { path: { connect_session_id: string }, body: RecordFlight }; result: Answer<Recorded> };
  "connect.explain": { params: { path: { connect_session_id: string }, body: ExplainPage }; result: Answer<Explained> };
  "connect.finish": { params: { path: { connect_session_id: string }, body: FinishConnect }; result: Answer<ConnectSession> };
  "connect.answer": { params: { body: FinishConnect }; result: Answer<ConnectSession> };
  "connect.cancel": { params: { path: { connect_session_id: string } }; result: Answer<ConnectSession> };
  "status.list": { params: { query?: ListParams }; result: Listed<Status> };
  "status.get_timeseries": { params: Record<string, never>; result: Answer<StatusTimeseries> };
  "status.get": { params: { path: { account_id: string, integration_id: string } }; result: Answer<Status> };
  "status.reset": { params: { path: { account_id: string, integration_id: string } }; result: Answer<Done> };
  "status.list_events": { params: { path: { account_id: string, integration_id: string }, query?: ListParams }; result: Listed<StatusEvent> };
  "status.get_integration_timeseries": { params: { path: { account_id: string, integration_id: string }, query?: TimeseriesParams }; result: Answer<StatusTimeseries> };
  "organization_webhooks.list": { params: { query?: ListParams }; result: Listed<OrganizationWebhook> };
  "organization_webhooks.get": { params: { path: { webhook_id: string } }; result: Answer<OrganizationWebhook> };
  "organization_webhooks.create": { params: { body: CreateOrganizationWebhook }; result: Answer<OrganizationWebhook> };
  "organization_webhooks.update": { params: { path: { webhook_id: string }, body: UpdateOrganizationWebhook }; result: Answer<OrganizationWebhook> };
  "organization_webhooks.patch": { params: { path: { webhook_id: string }, body: Array<PatchOperation> }; result: Answer<OrganizationWebhook> };
  "organization_webhooks.delete": { params: { path: { webhook_id: string } }; result: Answer<Deletion> };
  "organization_webhooks.impact": { params: { path: { webhook_id: string } }; result: Answer<Impact> };
  "organization_webhooks.list_deliveries": { params: { path: { webhook_id: string }, query?: ListParams }; result: Listed<WebhookDelivery> };
  "organization_webhooks.get_delivery": { params: { path: { webhook_id: string, delivery_id: string } }; result: Answer<WebhookDeliveryDetail> };
  "organization_webhooks.test": { params: { path: { webhook_id: string } }; result: Answer<WebhookDeliveryDetail> };
  "organization_webhooks.redeliver": { params: { path: { webhook_id: string, delivery_id: string } }; result: Answer<WebhookDeliveryDetail> };
  "configuration.recipient": { params: Record<string, never>; result: Answer<ImageRecipient> };
  "configuration.copy": { params: { body: CopyConfiguration }; result: Answer<SealedImage> };
  "configuration.fill": { params: { body: FillConfiguration }; result: Answer<ConfigurationFilled> };
  "backups.list": { params: Record<string, never>; result: Answer<Backups> };
  "backups.create": { params: Record<string, never>; result: Answer<Backup> };
  "backups.settings": { params: { body: BackupSettings }; result: Answer<Backups> };
  "deadlines.list": { params: { query?: DeadlineParams }; result: Answer<Deadlines> };
  "deadlines.feed": { params: Record<string, never>; result: Answer<ExportedCalendar> };
  "deadlines.feed_link": { params: Record<string, never>; result: Answer<FeedLink> };
  "deadlines.make_feed_link": { params: Record<string, never>; result: Answer<MadeLink> };
  "deadlines.revoke_feed_link": { params: Record<string, never>; result: Answer<Done> };
  "keys.status": { params: Record<string, never>; result: Answer<KeyStatus> };
  "keys.rotate": { params: { body: RotateKeys }; result: Answer<KeyStatus> };
  "keys.forget": { params: Record<string, never>; result: Answer<KeyStatus> };
  "connect_links.list": { params: { query?: ListParams }; result: Listed<ConnectLink> };
  "connect_links.create": { params: { body: CreateConnectLink }; result: Answer<ConnectLinkCreated> };
  "connect_links.revoke": { params: { path: { connect_link_id: string } }; result: Answer<ConnectLink> };
  "revocations.list": { params: { query?: ListParams }; result: Listed<Revocation> };
  "revocations.get": { params: { path: { revocation_id: string } }; result: Answer<Revocation> };
  "revocations.confirm": { params: { path: { revocation_id: string } }; result: Answer<Revocation> };
  "revocations.retry": { params: { path: { revocation_id: string } }; result: Answer<Revocation> };
  "end_users.list": { params: { path: { account_id: string }, query?: ListParams }; result: Listed<EndUser> };
  "end_users.get": { params: { path: { account_id: string, end_user_id: string } }; result: Answer<EndUser> };
  "end_users.create": { params: { path: { account_id: string }, body: CreateEndUser }; result: Answer<EndUser> };
  "end_users.update": { params: { path: { account_id: string, end_user_id: string }, body: UpdateEndUser }; result: Answer<EndUser> };
  "end_users.erase": { params: { path: { account_id: string, end_user_id: string } }; result: Answer<Done> };
  "end_users.impact": { params: { path: { account_id: string, end_user_id: string } }; result: Answer<ErasureImpact> };
  "end_users.receipts": { params: { path: { account_id: string, end_user_id: string }, query?: ListParams }; result: Listed<ConsentReceipt> };
  "deletions.undo": { params: { path: { deletion_id: string } }; result: Answer<Done> };
  "manifests.schema": { params: Record<string, never>; result: Record<string, unknown> };
  "manifests.list": { params: Record<string, never>; result: Listed<ManifestEntry> };
  "manifests.check": { params: { body: ManifestText }; result: Answer<ManifestCheck> };
  "manifests.add": { params: { body: ManifestText }; result: Answer<ManifestEntry> };
  "manifests.withdraw": { params: { path: { manifest_id: string } }; result: Answer<ManifestEntry> };
  "meta.management_openapi_spec": { params: Record<string, never>; result: Record<string, unknown> };
  "meta.engine_openapi_spec": { params: Record<string, never>; result: Record<string, unknown> };
  "overview.get": { params: Record<string, never>; result: Answer<Overview> };
  "configuration.export": { params: { body?: ExportConfiguration }; result: Answer<ExportedConfiguration> };
  "session.info": { params: Record<string, never>; result: SessionInfo };
  "app.state": { params: Record<string, never>; result: AppState };
  "app.create_store": { params: CreateStore; result: AppState };
  "app.open_store": { params: OpenStore; result: AppState };
  "app.create_sample": { params: Record<string, never>; result: AppState };
  "app.recent": { params: Record<string, never>; result: Array<RecentStore> };
  "app.reconnect": { params: Record<string, never>; result: AppState };
  "app.handed": { params: AwaitHanded; result: HandedOver };
  "app.forget_store": { params: ForgetStore; result: Array<RecentStore> };
  "app.mark_store": { params: MarkStore; result: Array<RecentStore> };
  "store.work": { params: Record<string, never>; result: StoreWork | null };
  "store.verify": { params: Record<string, never>; result: StoreWork };
  "store.copy": { params: CopyStore; result: StoreWork };
  "consent.connect": { params: Connect; result: ConnectSession };
  "consent.switch": { params: SwitchRoute; result: ConnectSession };
  "file.save": { params: SaveFile; result: SavedFile };
  "rehearse.start": { params: StartRehearsal; result: Rehearsal };
  "rehearse.step": { params: StepRehearsal; result: Rehearsal };
  "rehearse.state": { params: RehearsalId; result: Rehearsal };
  "rehearse.end": { params: RehearsalId; result: null };
}
