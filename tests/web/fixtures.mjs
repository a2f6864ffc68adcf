// Answers in the shapes of the contract, for looking at screens without a server. Test code only.
const ID = (n) => `0192f000-0000-7000-8000-${String(n).padStart(12, '0')}`;
const NOW = Date.parse('2026-11-22T06:00:00Z');
const ago = (minutes) => new Date(NOW - minutes * 60_000).toISOString();

const NAMES = ['Acme Industries', 'Borealis Freight', 'Cobalt Dental', 'Delta Insurance', 'Evergreen Foods', 'Fjord Shipping', 'Granite Builders', 'Harbour Clinics', 'Indigo Media', 'Juniper Travel', 'Keystone Legal', 'Lumen Optics', 'Meridian Bank', 'Northwind Energy', 'Orchard Schools', 'Pinnacle Sports', 'Quarry Mining', 'Ridgeline Outdoor', 'Sable Fashion', 'Tidewater Hotels'];
const slug = (text) => text.toLowerCase().replace(/[^a-z0-9]+/g, '-');

export const organization = { id: ID(1), refresh_token_id: ID(2), organization_type: 'root', name: 'halcyon', fullname: 'Halcyon Software', contact: 'help@halcyon.example', options: { invite_duration: '72h', minimum_password_length: 12 }, created_at: ago(90000), updated_at: ago(90000), x_patchbay: { sample: false } };
export const me = { id: ID(10), name: 'ada@halcyon.example', fullname: 'Ada Lindqvist' };

export const accounts = Array.from({ length: 260 }, (_, n) => {
  const fullname = n < NAMES.length ? NAMES[n] : `${NAMES[n % NAMES.length]} ${Math.floor(n / NAMES.length) + 1}`;
  return {
    id: ID(1000 + n), organization_id: ID(1), name: slug(fullname), fullname, environment: n % 5 === 4 ? 'test' : 'prod',
    ...(n % 3 === 0 ? { labels: n % 2 ? ['emea', 'gold'] : ['emea'] } : {}),
    created_at: ago(80000 - n * 60), updated_at: ago(900 + n * 37),
    x_patchbay: { external_id: slug(fullname), integrations: n % 4 },
  };
});

const token = { kind: 'token', type: 'token', title: 'API key of a user', schema: { type: 'object', required: ['secret'], properties: { secret: { type: 'string', title: 'API key', writeOnly: true, format: 'password' } } } };
const basic = { kind: 'basic', type: 'basic', title: 'Name and password', schema: { type: 'object', required: ['username', 'secret'], properties: { username: { type: 'string', title: 'Name' }, secret: { type: 'string', title: 'Password', writeOnly: true, format: 'password' } } } };
const user = { kind: 'o_auth_user', type: 'o_auth_user', title: 'Sign in of a person', schema: { type: 'object', properties: {} } };
const URL_FIELD = { type: 'string', format: 'uri', title: 'URL', description: 'Address of the server, with its path if it has one.', examples: ['https://redmine.example.com'] };
const filters = [{ name: 'status', type: 'string', operators: ['eq', 'ne', 'in'] }, { name: 'priority', type: 'enum', operators: ['eq', 'in'], values: ['URGENT', 'HIGH', 'MEDIUM', 'LOW'] }, { name: 'project', type: 'string', operators: ['eq'] }];
const ticketing = (offered) => [
  ['list_projects', 'GET', '/v1/ticketing/projects'], ['query_tickets', 'GET', '/v1/ticketing/tickets'], ['get_ticket', 'GET', '/v1/ticketing/tickets/{ticket_id}'],
  ['create_ticket', 'POST', '/v1/ticketing/tickets'], ['patch_ticket', 'PATCH', '/v1/ticketing/tickets/{ticket_id}'], ['list_comments', 'GET', '/v1/ticketing/tickets/{ticket_id}/comments'],
  ['create_comment', 'POST', '/v1/ticketing/tickets/{ticket_id}/comments'], ['create_attachment', 'POST', '/v1/ticketing/attachments/{ticket_id}'], ['list_on_call', 'GET', '/v1/ticketing/escalation-policies/{escalation_policy_id}/on-call'],
].map(([name, request_method, request_path]) => ({
  id: `ticketing_${name}`, name, fullname: name.replaceAll('_', ' ').replace(/^./, (c) => c.toUpperCase()), request_method, request_path, supported: offered(name),
  ...(name === 'query_tickets' ? { filters, orders: [{ name: 'updated_at', directions: ['asc', 'desc'] }] } : {}),
  ...(name === 'create_ticket' ? { required_fields: ['name'], request_body: { required: true, schema: { type: 'object', required: ['name'], properties: { name: { type: 'string' }, description: { type: 'string' }, priority: { enum: ['URGENT', 'HIGH', 'MEDIUM', 'LOW'] }, tags: { type: 'array', items: { type: 'string' } } } } } } : {}),
}));
const provider = (id, fullname, vendor, connector_id, description, properties, required, credentials, consent, mock = false) => ({
  id, name: id, fullname, vendor, description, connector_id, connector: connector_id, release: { availability: mock ? 'internal' : 'pre-release', environments: ['test', 'prod'] },
  operations: connector_id === 'ticketing' ? ticketing((name) => name !== 'list_on_call') : [],
  x_patchbay: { version: '1', docs_url: 'https://www.redmine.org/projects/redmine/wiki/Rest_api', auth_type: credentials[0]?.kind ?? 'none', mock, config: { schema: { type: 'object', required, properties }, order: Object.keys(properties) }, credentials, facts: 16, unverified: 5, sunsets: id === 'ticketing_jira' ? [{ date: '2027-01-31', what: 'server.main.scopes.default', ended: false, reason: 'These scopes are replaced by granular ones.', instead: 'Ask for granular scopes.', source: 'unverified' }] : [], ...(consent ? { consent: { device: false, rotation: 'rotates', revocable: false, ...consent } } : {}) },
});
const mapping = { type: 'array', title: 'Custom field mappings', description: 'Names under which fields of the provider appear in custom_fields.', items: { type: 'object', required: ['name', 'project_id'], properties: { name: { type: 'string', title: 'Name' }, project_id: { type: 'string', title: 'Project', description: 'Id of the project in which it holds, or * for all.' } } } };
export const providers = [
  provider('ticketing_redmine', 'Redmine', 'Redmine', 'ticketing', 'Issues of a Redmine server: projects, issues, notes and attachments.', { url: URL_FIELD, default_project: { type: 'string', title: 'Default project', description: 'Identifier of the project for tickets that name none.' } }, ['url'], [token, basic]),
  provider('ticketing_jira', 'Jira', 'Atlassian', 'ticketing', 'Issues of a Jira Cloud site, over the platform REST API version 3.', { url: { ...URL_FIELD, title: 'Site' }, default_project: { type: 'string' }, custom_field_mappings: mapping }, ['url'], [basic, user], { needs_provider_app: true, needs_issuer: false, embedded_window: true, loopback_any_port: true, default_scopes: ['read:jira-work', 'offline_access'] }),
  provider('ticketing_mock_ticketing', 'Mock ticketing', 'Patchbay', 'ticketing', 'Keeps tickets inside Patchbay, for tests and demonstrations.', { name: { type: 'string' } }, [], [], undefined, true),
  provider('identity_openid', 'OpenID Connect', 'OpenID Foundation', 'identity', 'Any authorization server with OpenID Connect discovery.', {}, [], [user], { needs_provider_app: true, needs_issuer: true, embedded_window: true, loopback_any_port: true, default_scopes: ['openid', 'profile', 'offline_access'] }),
];
export const connectors = [
  { id: 'ticketing', name: 'ticketing', fullname: 'Ticketing', description: 'Tickets, comments and attachments.', provider_ids: ['ticketing_redmine', 'ticketing_jira', 'ticketing_mock_ticketing'] },
  { id: 'identity', name: 'identity', fullname: 'Identity', description: 'People and groups.', provider_ids: ['identity_openid'] },
];

export const points = [
  { id: ID(500), name: 'support-desk', fullname: 'Support desk', description: 'Tickets of our customers, read by the assistant.', connector: 'ticketing', environments: { test: ['*'], prod: ['ticketing_redmine', 'ticketing_jira'] }, created_at: ago(70000), updated_at: ago(5000), x_patchbay: { integrations: 41, policy: { providers: { ticketing_redmine: { locked: { url: 'https://redmine.example.com' }, defaults: { default_project: 'support' } }, ticketing_jira: { scopes: ['read:jira-work', 'offline_access'] } } } } },
  { id: ID(501), name: 'people', fullname: 'People directory', connector: 'identity', environments: { prod: ['*'] }, created_at: ago(60000), updated_at: ago(9000), x_patchbay: { integrations: 12, policy: { providers: {} } } },
];

const STATES = [
  { status: 'active' }, { status: 'active' },
  { status: 'needs_attention', cause: 'credential_refused', cause_words: 'The provider refuses the credential.', next_step: 'Replace the credential, then test the connection.' },
  { status: 'active' }, { status: 'awaiting_consent', next_step: 'Connect it.', consent_needed: true },
  { status: 'paused', next_step: 'Resume it.' }, { status: 'draft', next_step: 'Complete its configuration and credential.' },
  { status: 'needs_attention', cause: 'refresh_refused', cause_words: 'The provider refuses to renew the access; the grant was revoked or has expired.', next_step: 'Connect again.', consent_needed: true },
  { status: 'revoked', next_step: 'Connect it again.' }, { status: 'active' },
];
export const integrations = Array.from({ length: 140 }, (_, n) => {
  const account = accounts[n % accounts.length];
  const of = providers[n % providers.length];
  const state = STATES[n % STATES.length];
  const consent = of.x_patchbay.credentials[0]?.kind === 'o_auth_user' || state.consent_needed;
  return {
    id: ID(3000 + n), name: slug(of.fullname), fullname: `${of.fullname} of ${account.fullname.split(' ')[0]}`, refresh_token_id: ID(7000 + n), account_id: account.id, account, category: of.connector_id,
    provider_config: { type: of.id, ...(of.id === 'ticketing_redmine' ? { url: 'https://redmine.example.com', default_project: 'support', credential: { type: 'token_id', value: ID(9000 + n) } } : {}), ...(of.id === 'ticketing_jira' ? { url: 'https://acme.atlassian.net', credential: { type: 'basic_id', value: ID(9000 + n) } } : {}) },
    provider_fullname: of.fullname, provider_type: of.id, ...(of.connector_id === 'ticketing' ? { integration_point_id: ID(500) } : {}), created_at: ago(40000 - n), updated_at: ago(800 + n * 11),
    x_patchbay: { consent_needed: false, ...state, status_since: ago(30 + n * n * 3), definition_version: '1', definition_id: ID(700), config: n % 5 === 0 ? { polling_interval: '15m' } : {}, ...(n === 2 ? { governed_problems: [{ reason: 'locked_value_differs', member: 'url', message: 'The point `support-desk` locks url to https://redmine.example.com. Change the integration, or the point.' }] } : {}), last_used_at: n % 3 ? ago(n * 7 + 2) : undefined, last_connected_at: ago(n * 9 + 5), credential_kind: consent ? 'o_auth_user' : of.x_patchbay.credentials[0]?.kind },
  };
});

const destinations = [
  { host: 'api.acme.example', only: [], carries: ['credentials'], facts: ['base.fixed.url'] },
  { host: 'login.acme.example', only: [], carries: ['people', 'grants'], facts: ['server.main.endpoints.fixed.authorize', 'server.main.endpoints.fixed.token'] },
  { host: '{config.url}', only: ['.acme.example'], carries: ['credentials'], facts: ['probe.call.url'] },
];
const manifestText = 'format = 2\nid = "custom_acme"\nversion = "1"\nfullname = "Acme Desk"\nvendor = "Acme"\nconnector = "custom"\ndescription = "The desk of Acme."\ndocs_url = "https://docs.acme.example/api"\nbase = { fixed = { url = "https://api.acme.example/v1" } }\n\n[[credential]]\ntype = "token"\nkind = "token"\ntitle = "Key"\ndescription = "A key from the settings of Acme."\nauth = "plain"\nplace = "bearer"\n';
const manifests = [
  { id: ID(980), provider: 'custom_acme', fullname: 'Acme Desk', connector: 'custom', version: '1+4f1c9a.1', status: 'active', overrides: false, integrations: 3, destinations, manifest: manifestText, created_at: ago(900), updated_at: ago(900) },
  { id: ID(981), provider: 'ticketing_redmine', fullname: 'Our Redmine', connector: 'ticketing', version: '3+4f1c9a.2', status: 'deprecated', overrides: true, integrations: 12, destinations: destinations.slice(2), manifest: manifestText, created_at: ago(4000), updated_at: ago(4000) },
];
const checkedGood = { good: true, findings: [], provider: 'ticketing_redmine', fullname: 'Our Redmine', version: '3+4f1c9a.3', overrides: '3', differences: [{ fact: 'fullname', before: 'Redmine', after: 'Our Redmine' }, { fact: 'limits.concurrent', after: 4 }, { fact: 'probe.call.url', before: '/users/current.json', after: '/my/account.json' }], destinations, facts: 31, unverified: 12 };
const checkedBad = { good: false, findings: [{ line: 3, column: 11, key: 'version', message: 'invalid type: integer `1`, expected a string' }, { line: 9, column: 1, key: 'base', message: '`{config.site}` is not a property of the configuration; name one, or write the host out' }], differences: [], destinations: [], facts: 0, unverified: 0 };
const claims = [
  { fact: 'base.config.property', value: 'url', source: 'https://www.redmine.org/projects/redmine/wiki/Rest_api', verified: true },
  { fact: 'credential.token.place.header', value: 'X-Redmine-API-Key', source: 'https://www.redmine.org/projects/redmine/wiki/Rest_api', verified: true },
  { fact: 'probe.call.url', value: '/users/current.json', source: 'observed: Redmine 5.1', verified: true },
  { fact: 'limits.retry_after_seconds', value: 5, source: 'unverified', verified: false },
];
const rehearsalStep = (number, by, words, good = true, detail) => ({ number, at: ago(30 - number), by, words, good, ...(detail ? { detail } : {}) });
const rehearsal = {
  id: 'f3', provider: 'ticketing_jira', fullname: 'Jira', version: '3', credential: 'o_auth_user', consent: true, renews: true, login: 'ada', password: 'simulated', status: 'needs_attention',
  cause: 'The provider refuses to renew the access; the grant was revoked or has expired.', expires: ago(-1500),
  steps: [
    rehearsalStep(1, 'patchbay', 'An integration with Jira was made in a store of this rehearsal\'s own.'),
    rehearsalStep(2, 'patchbay', 'The consent begins; the person is taken to auth.atlassian.com.'),
    rehearsalStep(3, 'provider', 'authorize at auth.atlassian.com/authorize: shown'),
    rehearsalStep(4, 'person', 'The person signs in and agrees.'),
    rehearsalStep(5, 'provider', 'authorization code at auth.atlassian.com/oauth/token: granted', true, 'sent sim_code_1; gave sim_access_2, sim_refresh_3; X-Request-Id 0192f000-0000-7000-8000-000000000400'),
    rehearsalStep(6, 'patchbay', 'The answer was checked, and the tokens are sealed.'),
    rehearsalStep(7, 'director', 'Somebody else used the refresh token first, and the access token ends now.'),
    rehearsalStep(8, 'journal', 'Renewal: written down before it is sent', true, '{"reason":"refused","sends":1}'),
    rehearsalStep(9, 'provider', 'refresh token at auth.atlassian.com/oauth/token: invalid grant', false, 'sent sim_refresh_3'),
    rehearsalStep(10, 'journal', 'Renewal: the provider refuses the token for good', false),
    rehearsalStep(11, 'patchbay', 'Jira no longer accepts the credential of `rehearsal`. Connect it again.', false, 'needs_reconnect'),
  ],
};
const attempt = (n, outcome, steps, more = {}) => ({ id: ID(990 + n), token: 'main', owner: 'halcyon-1 4711', reason: 'due', sends: 1, outcome, token_before: '9f31c0aa', steps: steps.map((step, at) => ({ at: new Date(NOW - n * 3_600_000 + at * 400).toISOString(), step, owner: step === 'taken_over' ? 'halcyon-2 812' : 'halcyon-1 4711' })), ...more });
const journal = [
  attempt(1, 'proven', ['intent', 'sent', 'granted', 'activated', 'proven'], { token_before: '77e0b1c4', token_after: 'd2a90f13' }),
  attempt(2, 'lost', ['intent', 'sent', 'lost'], { token_before: '77e0b1c4', sends: 2, reason: 'refused' }),
  attempt(4, 'attention', ['intent', 'sent', 'dead', 'attention'], { token: 'user', token_before: '51be02d8' }),
  attempt(3, 'dead', ['intent', 'taken_over', 'dead'], { token_before: '9f31c0aa' }),
];

export const members = [
  { ...me, state: 'enabled', last_logon: ago(12), ttl: '0s', token_ttl: '1h', expires: '9999-12-31T23:59:59Z', pin_expires: '9999-12-31T23:59:59Z', role_binding: ['root_administrator'], type: 'personal', created_at: ago(90000), updated_at: ago(90000) },
  { id: ID(11), name: 'bruno@halcyon.example', fullname: 'Bruno Okafor', state: 'invited', last_logon: '1970-01-01T00:00:00Z', ttl: '0s', token_ttl: '1h', expires: '9999-12-31T23:59:59Z', pin_expires: ago(-4000), role_binding: ['member'], type: 'personal', created_at: ago(400), updated_at: ago(400) },
  { id: ID(12), name: 'deploy', fullname: 'Deployment pipeline', state: 'enabled', last_logon: ago(300), ttl: '0s', token_ttl: '24h', expires: '9999-12-31T23:59:59Z', pin_expires: '9999-12-31T23:59:59Z', role_binding: ['viewer'], type: 'service', created_at: ago(4000), updated_at: ago(4000) },
];

const CRUD = ['list', 'get', 'create', 'update', 'patch', 'delete'];
const APIS = { accounts: CRUD, audit: ['list'], auth: ['change_password'], credentials: [...CRUD, 'lookup'], integration_points: CRUD, integrations: [...CRUD, 'verify', 'list_account'], members: CRUD, organization: ['get', 'update', 'patch'], permissionset: ['list', 'get'], roles: CRUD, status: ['list', 'get', 'reset'], tokens: ['list', 'get', 'create', 'create_integration', 'delete', 'refresh', 'remove_secondary', 'reset', 'rotate'], webhooks: CRUD };
const allowed = (keep) => Object.fromEntries(Object.entries(APIS).map(([api, actions]) => [api, { actions: actions.filter((action) => keep(api, action)) }]));
const reads = (_, action) => action.startsWith('list') || action === 'get' || action === 'lookup';
export const permissionSets = [
  ['administrator', 'Everything in the organization.', () => true], ['viewer', 'Lists and reads everything, changes nothing.', reads],
  ['member', 'Works on accounts, integrations and credentials.', (api, action) => reads(api, action) || (['accounts', 'integrations', 'credentials'].includes(api) && action !== 'delete')],
  ['account-manager', 'The same within its accounts, and their tokens.', (api) => ['accounts', 'integrations', 'credentials', 'tokens', 'status'].includes(api)],
  ['connect-ui', 'Integrations and credentials of its account.', (api, action) => api === 'integrations' || api === 'credentials' || (api === 'integration_points' && reads(api, action))],
  ['token-issuer', 'Mints integration tokens and nothing else.', (api, action) => api === 'tokens' && action === 'create_integration'],
  ['account-provisioner', 'Makes accounts and their first token.', (api, action) => api === 'accounts' && action === 'create'],
].map(([name, description, keep]) => ({ name, description, resource_restrictions: ['accounts', 'integrations'], permissions: allowed(keep) }));
const role = (n, name, fullname, permission_set, members, extra = {}) => ({ id: ID(900 + n), name, fullname, permission_set, created_at: ago(80000), updated_at: ago(4000 * n + 300), x_patchbay: { builtin: n < 4, members }, ...extra });
export const roles = [
  role(0, 'root_administrator', 'Root administrator', 'administrator', 1), role(1, 'administrator', 'Administrator', 'administrator', 0), role(2, 'member', 'Member', 'member', 1), role(3, 'viewer', 'Viewer', 'viewer', 1),
  role(4, 'emea-support', 'EMEA support', 'account-manager', 6, { description: 'The support team in Rotterdam.', resources: { accounts: { ids: ['*'], labels: ['emea'] }, integrations: { categories: ['ticketing'] } } }),
  role(5, 'sandbox', 'Sandbox', 'administrator', 2, { resources: { accounts: { ids: ['*'], environments: ['test'] } } }),
  role(6, 'key-accounts', 'Key accounts', 'viewer', 0, { resources: { accounts: { ids: [ID(1000), ID(1001)] } } }),
];

const half = (permissions, minutes, secret = '') => ({ secret, expires: ago(-minutes), permissions: { resource_id: ID(1), resource_type: 'organization', parent_id: ID(1), id: ID(7), organization_id: ID(1), member_id: me.id, ...permissions } });
const connectLink = (number, rest) => ({ id: ID(number), account_id: ID(1000), member_id: ID(10), created_at: ago(1500), ...rest });
const container = (n, fullname, permissions, extra = {}, secret = '') => ({
  id: ID(7000 + n), name: slug(fullname), fullname, member_id: me.id, owner_id: ID(1), owner_type: 'organization', expires: ago(-100000), token_ttl: '24h', token_type: 'adhoc',
  primary: { access: half(permissions, 1300, secret && `pbo_${secret}`), refresh: half(permissions, 100000, secret && `pbr_${secret}`) }, created_at: ago(2000 * n), updated_at: ago(1000 * n), ...extra,
});
export const tokens = [
  container(1, 'Provisioning service', { adhoc_role: { resources: { accounts: { ids: ['*'] } }, permission_set: 'account-provisioner' } }),
  container(2, 'Reporting', { adhoc_role: { resources: { accounts: { ids: [ID(1000), ID(1001)] } }, permission_set: 'viewer' } }, { secondary: { access: half({}, 30), refresh: half({}, 9000) } }),
  container(3, 'Redmine of Acme', { resource_type: 'integration', parent_id: ID(1000) }, { owner_type: 'integration', owner_id: ID(3000), token_ttl: '10m', token_type: 'default' }),
];

export const audit = Array.from({ length: 130 }, (_, n) => {
  const [operation, problem, code] = [['accounts.create', '', '201'], ['integrations.create', '', '201'], ['integrations.call', 'provider_unreachable', '502'], ['tokens.create_token', '', '201'], ['accounts.update', 'name_taken', '409'], ['integrations.pause', '', '200']][n % 6];
  return {
    created_at: ago(3 + n * 17), environment: 'prod', audit_type: problem ? 'ERROR' : 'API', remote_addr: n % 2 ? '198.51.100.7' : '', user_agent: n % 2 ? 'Synqly-Python-SDK/2.0.97' : '', method: n % 2 ? 'POST' : 'RPC', path: n % 2 ? '/v1/accounts' : operation, code,
    ...(problem ? { status: problem } : {}), member_id: me.id, ...(n % 3 ? { account_id: accounts[n % 20].id } : {}),
    body: n % 6 === 4 ? { before: { fullname: 'Acme' }, after: { fullname: 'Acme Industries' } } : { fullname: 'Acme Industries', environment: 'prod' },
    x_patchbay: { id: ID(6000 + n), origin: ['desktop', 'api', 'web', 'cli', 'background'][n % 5], operation, problem, object_kind: operation.startsWith('tokens') ? 'token' : operation.startsWith('accounts') ? 'account' : 'integration', object_id: ID(1000 + (n % 20)), has_before: !problem && n % 6 !== 0 && n % 6 !== 1, has_after: !problem, undoable: !problem, ...(n === 6 ? { undone_by: ID(6000), undoable: false } : {}), ...(n === 12 ? { undo_of: ID(6018) } : {}) },
  };
});

export const apps = [
  { id: ID(800), name: 'jira-app', fullname: 'Jira of Halcyon', provider: 'ticketing_jira', client_id: '4kC0aZ9qDemoClient', has_client_secret: true, redirect_uris: ['https://patchbay.halcyon.example/oauth/callback'], scopes: [], preflight: 'bad', created_at: ago(9000), updated_at: ago(3000) },
  { id: ID(801), name: 'openid-app', fullname: 'OpenID of Halcyon', provider: 'identity_openid', issuer: 'https://login.example.com', client_id: 'halcyon', has_client_secret: false, redirect_uris: ['https://patchbay.halcyon.example/oauth/callback'], scopes: ['openid', 'offline_access'], created_at: ago(9000), updated_at: ago(3000) },
];

export const webhooks = [
  { id: ID(850), name: 'provisioning', fullname: 'Provisioning service', environment: 'prod', filters: ['all'], url: 'https://hooks.halcyon.example/patchbay', credential_id: ID(9600), created_at: ago(20000), updated_at: ago(3000) },
  { id: ID(851), name: 'billing', fullname: 'Billing', environment: 'prod', filters: ['account_create', 'account_delete'], url: 'https://billing.halcyon.example/in/patchbay', credential_id: ID(9601), created_at: ago(18000), updated_at: ago(9000) },
  { id: ID(852), name: 'staging', fullname: 'Staging', environment: 'test', filters: ['integration_create', 'integration_update', 'integration_delete'], url: 'https://staging.halcyon.example/patchbay', credential_id: ID(9602), created_at: ago(9000), updated_at: ago(900) },
];
export const deliveries = Array.from({ length: 60 }, (_, n) => {
  const [state, last_status, last_error] = n === 0 ? ['pending', 503, 'The receiver answered 503.'] : n === 5 ? ['failed', undefined, 'The receiver did not answer within 10 seconds.'] : ['delivered', 200];
  return {
    id: ID(8600 + n), webhook_id: ID(850), event: ['account_create', 'integration_create', 'integration_update', 'account_update'][n % 4], state, attempts: n === 0 ? 3 : n === 5 ? 8 : 1, last_status, last_error,
    ...(n === 0 ? { next_attempt_at: ago(-4) } : {}), ...(state === 'delivered' ? { delivered_at: ago(n * 31 + 4) } : {}), account_id: accounts[n % 20].id, ...(n % 2 ? { integration_id: ID(3000 + n) } : {}), ...(n === 3 ? { redelivery_of: ID(8605) } : {}), created_at: ago(n * 31 + 4), updated_at: ago(n * 31 + 3),
  };
});
const delivery = (id) => ({ ...deliveries.find((one) => one.id === id), payload: JSON.stringify({ event: 'account_create', account: { id: ID(1000), name: 'acme-industries', fullname: 'Acme Industries', environment: 'prod' }, nonce: '7d1f0c2a' }), log: [{ number: 1, created_at: ago(60), error: 'No connection: connection refused.', duration_ms: 12 }, { number: 2, created_at: ago(59), status: 503, error: 'The receiver answered 503.', response: '{"error":"maintenance"}', duration_ms: 131 }, { number: 3, created_at: ago(54), status: 503, error: 'The receiver answered 503.', response: '{"error":"maintenance"}', duration_ms: 118 }] });

const SCHEMA = { type: 'object', required: ['url'], properties: { url: URL_FIELD, default_project: { type: 'string', title: 'Default project' }, polling_interval: { type: 'string', title: 'Polling interval', description: 'How often programs that poll shall ask; at least 5 minutes.' }, webhook_url: { type: 'string', format: 'uri', title: 'Webhook URL' } } };
export const definitions = [['ticketing_redmine', 'Redmine', '2', 'active', 12], ['ticketing_redmine', 'Redmine', '1', 'deprecated', 23], ['ticketing_jira', 'Jira', '2', 'active', 35], ['ticketing_jira', 'Jira', '1', 'withdrawn', 0], ['identity_openid', 'OpenID Connect', '2', 'active', 35]].map(([provider, provider_fullname, version, status, count], n) => ({ id: ID(700 + n), provider, provider_fullname, connector: 'ticketing', version, auth_type: 'token,basic', docs_url: 'https://www.redmine.org/projects/redmine/wiki/Rest_api', status, config_schema: SCHEMA, credentials_schema: { type: 'object', properties: { secret: { type: 'string', title: 'API key', writeOnly: true } } }, created_at: ago(90000 - n), updated_at: ago(90000 - n), integrations: count }));
const versionOf = (n) => ({ definition_id: definitions[n].id, version: definitions[n].version, status: definitions[n].status, created_at: definitions[n].created_at });
const versionPreview = { from: versionOf(1), to: versionOf(0), possible: true, problems: [], schema_changes: [{ member: 'polling_interval', change: 'added', required_before: false, required_after: false }, { member: 'webhook_url', change: 'added', required_before: false, required_after: false }], credential_changes: [], config_before: { url: 'https://redmine.example.com', default_project: 'support' }, config_after: { url: 'https://redmine.example.com', default_project: 'support', polling_interval: '15m' } };
const pointPreview = { affected: 3, mended: 1, environments: { prod: { affected: 2, connector: 0, provider_no_longer_allowed: 1, locked_value_differs: 1 }, test: { affected: 1, connector: 0, provider_no_longer_allowed: 0, locked_value_differs: 1 } }, integrations: integrations.slice(0, 3).map((one, n) => ({ id: one.id, name: one.name, account_id: one.account_id, account_name: one.account.name, environment: n === 2 ? 'test' : 'prod', provider_type: one.provider_type, violations: [n === 1 ? { reason: 'provider_no_longer_allowed', message: 'The provider is not allowed in prod.' } : { reason: 'locked_value_differs', member: 'url', message: 'url is locked to another value.' }], already: n === 2 })) };

const series = (steps, minutes, most) => ({
  start_time: ago(steps * minutes), end_time: ago(0), interval: minutes === 1 ? '1m' : minutes === 60 ? '1h' : '24h',
  series: Array.from({ length: steps }, (_, n) => {
    const wave = most === 0 ? 0 : Math.max(0, Math.round(most * (0.55 + 0.45 * Math.sin(n / 5)) + ((n * 7919) % 5) - 2));
    const failed = most > 0 && n > steps * 0.55 && n < steps * 0.68 ? Math.ceil(wave / 2) : 0;
    return { created_at: ago((steps - n) * minutes), succeeded: wave - failed, failed, cpu_time: wave * 900, in_bytes: wave * 2100, out_bytes: wave * 300 };
  }),
});
const status = (id) => {
  const integration = integrations.find((one) => one.id === id);
  const n = Number(id.slice(-2));
  return { account_id: integration.account_id, integration_id: id, integration, status: integration.x_patchbay.status, requests: 4120 + n * 311, failed: 87 - n * 9, cpu_time: 3_710_000, db_ops: 8240, api_ops: 5233, in_bytes: 18_734_000, out_bytes: 1_204_000, created_at: ago(40000), updated_at: ago(1), x_patchbay: { counted_since: ago(20000) } };
};

const ticketRows = Array.from({ length: 12 }, (_, n) => ({ id: String(100 + n), name: String(100 + n), summary: ['Label printer drops the last digit', 'Invoices show the old address', 'Login page asks twice', 'Export stops at 10,000 rows'][n % 4], status: ['New', 'In progress', 'Resolved'][n % 3], priority: ['HIGH', 'MEDIUM', 'LOW'][n % 3], project: 'support', assignee: 'mira', created_at: ago(900 * n), updated_at: ago(60 * n) }));
const call = {
  status: 200, answer: { result: ticketRows, cursor: 'eyJvIjoxMn0' }, request: { method: 'GET', path: '/v1/ticketing/tickets?limit=25' },
  exchanges: [{ request: { method: 'GET', url: 'https://redmine.example.com/issues.json?limit=25&offset=0&status_id=*', headers: [['accept', 'application/json'], ['x-redmine-api-key', '***']] }, response: { status: 200, headers: [['content-type', 'application/json; charset=utf-8'], ['x-request-id', '9f3d1a7e']], body: JSON.stringify({ issues: [{ id: 100, subject: 'Label printer drops the last digit', status: { id: 1, name: 'New' } }], total_count: 12 }), duration_ms: 121 } }],
};

const keyStatus = () => ({
  master: { source: 'keyring', ...(world.state ? { key_source: 'keyring' } : {}), rotated_at: ago(60_000), replaced: 2, may_rotate: world.state !== undefined, ...(world.rotating ? { pending: { source: 'file', begun_at: ago(3), opened_here: false } } : {}) },
  data_keys: [{ id: ID(1), active: true, created_at: ago(2), values: world.rotating ? 61_200 : 104_512 }, ...(world.rotating ? [{ id: ID(2), active: false, created_at: ago(60_000), values: 43_312 }] : [])],
  database_keys: [], values: 104_512, data_rotated_at: ago(60_000), ...(world.rotating ? { rotation: { begun_at: ago(2), remaining: 43_312, running: false } } : {}),
});

export const works = {
  running: { kind: 'verify', begun_at: ago(1), step: { doing: 'Looking through', table: 'integration_instances', rows: 41_000, of: 104_512 } },
  well: { kind: 'verify', begun_at: ago(2), ended_at: ago(1), outcome: { came: 'verified', findings: [], rows: 104_512, sealed_values: 8_211 } },
  wrong: { kind: 'verify', begun_at: ago(2), ended_at: ago(1), outcome: { came: 'verified', findings: ['The sealed value of integration 0192f000-0000-7000-8000-000000003000 does not open: it belongs to another row. Replace the credential.', 'The token 0192f000-0000-7000-8000-000000007002 belongs to a member that is not there.'], rows: 104_512, sealed_values: 8_210 } },
  copied: { kind: 'copy', to: 'postgres://ada@db.halcyon.example/patchbay', begun_at: ago(2), ended_at: ago(1), outcome: { came: 'copied', rows: 104_512, sealed_values: 8_211 } },
};

const ends = (id, kind, what, days, object, next_step, who_acts = 'person') => ({ id, kind, what, object, at: ago(-days * 1440), who_acts, next_step });
const deadlines = [
  ends('secret-main-1', 'secret', 'Entered credential', -3, { type: 'credential', id: ID(7301), name: 'API key of Redmine', account_id: ID(1001), account_name: 'Borealis Freight' }, 'Get a new one from the provider and enter it before then. Afterwards calls are refused.'),
  ends('access-main-3', 'access', 'Access token', 0.03, { type: 'credential', id: ID(7303), name: 'Consent of jira', account_id: ID(1000), account_name: 'Acme Industries', integration_id: ID(3000), integration_name: 'Jira of Acme', provider: 'ticketing_jira' }, 'Patchbay renews it when it is next used.', 'patchbay'),
  ends('secret-main-2', 'secret', 'Client secret', 9, { type: 'provider_app', id: ID(800), name: 'Halcyon at Atlassian', provider: 'ticketing_jira' }, 'Make a new client secret at the provider and enter it before then. Afterwards nobody can connect and no access is renewed.'),
  ends('certificate-main-4', 'certificate', 'Certificate', 41, { type: 'credential', id: ID(7304), name: 'Client certificate', account_id: ID(1002), account_name: 'Cobalt Dental' }, 'Get a new certificate and enter it before then, with its key.'),
  ends('sunset-ticketing_jira-1-version', 'sunset', 'Version 1 of Jira Cloud', 86, { type: 'provider', id: 'ticketing_jira', name: 'Jira Cloud', provider: 'ticketing_jira' }, 'The search of version 2 is taken away. Move its integrations to the next version. 12 integrations use it.'),
  ends('refresh_absolute-main-5', 'refresh_absolute', 'What a person authorized', 212, { type: 'credential', id: ID(7305), name: 'Consent of jira', account_id: ID(1000), account_name: 'Acme Industries', integration_id: ID(3000), integration_name: 'Jira of Acme', provider: 'ticketing_jira' }, 'Connect Jira of Acme again before then: the provider ends it then, however much it is used.'),
];

const backups = {
  offered: true, folder: '/home/ada/.local/share/patchbay/backups', settings: { enabled: true, daily: 7, weekly: 4 }, next_due: ago(-700),
  backups: [[1, true], [740, false], [2180, false], [3620, false], [5060, false], [6500, false], [7940, false], [9380, false], [19460, false], [29540, false], [39620, false]].map(([minutes, by_hand]) => ({ name: `patchbay-2026-11-${String(22 - Math.floor(minutes / 1440)).padStart(2, "0")}T05${by_hand ? "59" : "00"}Z.age`, created_at: ago(minutes), by_hand, bytes: 48_213_000 - minutes * 311 })),
  failure: { at: ago(20), code: 'backup_failed', message: 'The backup could not be written: no space left on the device. Free some; it is tried again every hour.', count: 2 },
};

const yaml = `version: 1
organization:
  name: halcyon
  fullname: Halcyon Software
integration_points:
  support-desk:
    connector: ticketing
    environments:
      test: ["*"]
      prod: [ticketing_redmine, ticketing_jira]
provider_apps:
  jira-app:
    provider: ticketing_jira
    client_id: 4kC0aZ9qDemoClient
    client_secret: { secret: omitted }
accounts:
${accounts.slice(0, 30).map((one) => `  ${one.name}:\n    fullname: ${one.fullname}\n    environment: ${one.environment}\n    integrations:\n      redmine:\n        provider_config:\n          type: ticketing_redmine\n          url: https://redmine.example.com\n          credential: { type: token, secret: omitted }`).join('\n')}
`;

const mismatch = (cause, words, quote) => ({ cause, words, quote, change: { who: 'administrator', place: 'Redirect URIs of the app at OpenID Connect', from: ['http://127.0.0.1/oauth/callback', 'https://old.halcyon.example/oauth/callback'], to: 'https://patchbay.halcyon.example/oauth/callback' } });
const choosingConsent = () => ({
  id: ID(400), account_id: ID(1000), integration_id: ID(3004), route: 'link', redirect_uri: 'https://patchbay.halcyon.example/oauth/callback', scopes: ['accounting.invoices'], state: 'choosing',
  places: [{ id: '4c1b6a52-3f0e-4d6c-9a34-2f8c8e0f1a77', name: 'Halcyon Trading (UK)' }, { id: '93d2a5f0-77e1-4a0b-8a51-0b1df6f0c2de', name: 'Halcyon Trading (NZ)' }, { id: 'b0a7c8e4-11f2-4a7f-8d2b-6cf7c1d0a955', name: 'Demo Company' }],
  expires: new Date(Date.now() + 1_140_000).toISOString(), created_at: ago(0), updated_at: ago(0),
});
const failedConsent = {
  id: ID(400), account_id: ID(1000), integration_id: ID(3002), route: 'link', redirect_uri: 'https://patchbay.halcyon.example/oauth/callback', scopes: ['openid'], state: 'failed', code: 'consent_denied',
  message: 'Register exactly https://patchbay.halcyon.example/oauth/callback at the provider.', expires: ago(-10), created_at: ago(3), updated_at: ago(2),
  explanation: mismatch('redirect_mismatch', 'OpenID Connect does not know the address to which it should send the person back.', 'invalid_redirect_uri: redirect_uri did not match any of the client’s registered redirect_uris'),
};
const seenAt = (origin, where, parameters = []) => ({ origin, path: where, parameters });
const flight = [
  ['prepared', { route: 'link', redirect_uri: 'https://patchbay.halcyon.example/oauth/callback', scopes: ['openid', 'profile', 'offline_access'] }],
  ['opened', { route: 'link', seen: seenAt('https://login.example.com', '/oauth2/v1/authorize', [{ name: 'response_type', value: { clear: 'code' } }, { name: 'client_id', value: { clear: 'halcyon' } }, { name: 'redirect_uri', value: { clear: 'https://patchbay.halcyon.example/oauth/callback' } }, { name: 'state', value: 'ours' }, { name: 'code_challenge', value: { length: 43 } }]) }],
  ['redirected', { seen: seenAt('https://login.example.com', '/oauth2/v1/authorize') }],
  ['navigated', { seen: seenAt('https://login.example.com', '/interaction/*/login') }],
  ['blocked', { seen: seenAt('data:', '') }],
  ['explained', { seen: seenAt('https://login.example.com', '/error'), words: 'This did not work invalid_redirect_uri: redirect_uri did not match any of the client’s registered redirect_uris' }],
  ['callback', { seen: seenAt('https://patchbay.halcyon.example', '/oauth/callback', [{ name: 'error', value: { clear: 'invalid_request' } }, { name: 'state', value: 'ours' }]) }],
  ['ended', { code: 'consent_denied', words: 'Register exactly https://patchbay.halcyon.example/oauth/callback at the provider.' }],
].map(([kind, detail], n) => ({ number: n + 1, kind, at: ago(3 - n / 8), detail }));
const appChecks = [
  { kind: 'reached', at: ago(90), outcome: 'good' },
  { kind: 'client', at: ago(90), outcome: 'bad', explanation: { cause: 'wrong_secret', words: 'Jira does not accept the client secret.', quote: 'access_denied: Unauthorized', change: { who: 'administrator', place: 'Client secret of provider app `jira-app`', from: [] } } },
  { kind: 'redirect_uri', subject: 'https://patchbay.halcyon.example/oauth/callback', at: ago(90), outcome: 'cannot_tell', why: 'Atlassian asks the person to sign in before it judges the request.' },
  { kind: 'scopes', at: ago(90), outcome: 'cannot_tell', why: 'Atlassian asks the person to sign in before it judges the request.' },
];

function page(rows, { query = {} } = {}, keep = () => true) {
  const kept = rows.filter(keep).filter((row) => (query.filter ?? []).every((text) => matches(row, text)));
  const [field, direction] = /^([^[]+)(?:\[(\w+)\])?/.exec(query.order?.[0] ?? 'name')?.slice(1) ?? ['name'];
  kept.sort((a, b) => String(value(a, field)).localeCompare(String(value(b, field))) * (direction === 'desc' ? -1 : 1));
  const start = query.start_after ? kept.findIndex((row) => (row.id ?? row.x_patchbay?.id) === query.start_after) + 1 : 0;
  const result = kept.slice(start, start + (query.limit ?? 100));
  const last = result.at(-1);
  return { result, ...(query.total ? { total: kept.length } : {}), ...(start + result.length < kept.length && last ? { next: last.id ?? last.x_patchbay.id } : {}) };
}
const value = (row, field) => row[field] ?? row.x_patchbay?.[field] ?? '';
function matches(row, text) {
  const [, field, op, wanted] = /^([^[]+)\[([^\]]+)\](.*)$/s.exec(text);
  const has = String(value(row, field));
  if (op === 'like') return new RegExp(`^${wanted.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replace(/[*%]/g, '.*')}$`, 'i').test(has);
  if (op === 'in') return wanted.split(',').includes(has);
  return op === 'ne' ? has !== wanted : has === wanted;
}
const find = (rows, id) => {
  const result = rows.find((row) => row.id === id);
  if (!result) throw { status: 404, code: 'not_found', title: 'Not found', type: 'urn:patchbay:problem:not_found', message: `There is no object \`${id}\` here. Check the id or name, and that the token covers it.`, occurred_at: ago(0), instance: 'urn:uuid:0' };
  return { result };
};

export const SECRET = 'exampleexampleexampleexampleexampleexample012345';
/** `state` is the application's, `mark` and `offline` are those of the open store; without `state` it is a browser. */
export const world = { empty: false };

const stores = [
  { url: 'sqlite:/home/ada/.local/share/patchbay/customers.db', kind: 'sqlite', label: 'customers.db', named: false, key_source: 'keyring' },
  { url: 'postgres://ada@db.halcyon.example/patchbay', kind: 'postgres', label: 'Halcyon live', named: true, mark: 'prod', key_source: 'file:/home/ada/keys/patchbay.key' },
  { url: 'https://staging.patchbay.halcyon.example', kind: 'remote', label: 'staging.patchbay.halcyon.example', named: false, mark: 'test' },
];
const opened = () => ({ ...stores[world.store ?? 0], ...(world.mark ? { mark: world.mark } : {}) });
const storeInfo = () => {
  if (!world.state) return { label: 'halcyon.db', kind: 'sqlite' };
  const { label, kind, url, mark } = opened();
  return { label, kind, url, ...(mark ? { mark } : {}), ...(world.offline ? { offline_since: ago(4) } : {}) };
};
const problem = (status, code, title, message, pointer) => ({ status, code, title, type: `urn:patchbay:problem:${code}`, message, occurred_at: ago(0), instance: '', ...(pointer ? { context: { parameter: { id: pointer, location: 'body' } } } : {}) });

const MANUAL = ['Sign in at Atlassian with the account that gave the consent.', 'Open Account settings, Connected apps.', 'Find the app by its name and remove its access.'];
const WORDS = { pending: 'The provider will be asked to end the access.', manual: 'This provider cannot be asked by a program. A person ends the access there.', proven: 'The access has ended: what was given before is refused.' };
const revocation = (number, state, events) => ({
  id: ID(number), account_id: ID(1000), integration_id: ID(3008), integration_name: 'Jira Cloud of Halcyon', provider: 'ticketing_jira', reason: 'disconnected', state, state_words: WORDS[state], needs_person: state === 'manual', how: state === 'manual' ? 'manual' : 'endpoint', evidence: 'probe',
  manual_steps: MANUAL, manual_url: 'https://id.atlassian.com/manage-profile/apps', events: events.map(([step, words], index) => ({ at: ago(120 - index), step, words })), attempts: 1, created_at: ago(120), updated_at: ago(118),
});

/** Answers one command, or throws a problem. */
export function answer(command, params = {}) {
  const { path = {}, body = {} } = params;
  const some = (rows) => (world.empty ? [] : rows);
  switch (command) {
    case 'session.info': return { host: world.state ? 'desktop' : 'web', store: storeInfo(), organization, member: me, permission_set: 'administrator', sample: false, read_only: world.readOnly === true, public_url: 'https://patchbay.halcyon.example', link_redirect_uri: 'https://patchbay.halcyon.example/oauth/callback', version: '0.1.0' };
    case 'overview.get': {
      const by = new Map();
      for (const one of some(integrations)) by.set(one.x_patchbay.status, (by.get(one.x_patchbay.status) ?? 0) + 1);
      const of = new Map();
      for (const one of some(integrations)) of.set(one.provider_type, (of.get(one.provider_type) ?? 0) + 1);
      return { result: { accounts: some(accounts).length, integration_points: some(points).length, integrations: some(integrations).length, test_accounts: some(accounts).filter((one) => one.environment === 'test').length, members: members.length, by_status: [...by].map(([kind, count]) => ({ kind, count })), by_provider: [...of].map(([provider, count]) => ({ provider, count })), attention: some(integrations).filter((one) => ['needs_attention', 'awaiting_consent'].includes(one.x_patchbay.status)).slice(0, 20), recent: some(audit).slice(0, 10) } };
    }
    case 'organization.get': return { result: organization };
    case 'accounts.list': return page(some(accounts), params);
    case 'accounts.get': return find(accounts, path.account_id);
    case 'accounts.impact': return { result: { takes: [{ kind: 'integration', count: 3 }, { kind: 'credential', count: 5 }, { kind: 'token', count: 4 }], used_by: [], affects: [], used_today: 2 } };
    case 'accounts.create': throw { status: 409, code: 'name_taken', title: 'Name taken', type: 'urn:patchbay:problem:name_taken', message: `The name \`${body.name}\` is used by another account. Choose another name.`, occurred_at: ago(0), instance: 'urn:uuid:1', context: { parameter: { id: '/name', location: 'body' } } };
    case 'accounts.delete': return { result: { id: ID(1), undo_until: new Date(Date.now() + 600_000).toISOString() } };
    case 'deletions.undo': return { result: {} };
    case 'integrations.list': return page(some(integrations), params);
    case 'integrations.list_account': return page(some(integrations), params, (row) => row.account_id === path.account_id);
    case 'integrations.get': return find(integrations, path.integration_id);
    case 'integrations.verify_existing': return {};
    case 'integrations.verify': return { messages: { problems: [{ status: 502, code: 'provider_refused', title: 'Provider refused', type: '', message: 'Redmine at https://redmine.example.com refuses the API key. Check the key, and that the REST API is switched on.', occurred_at: ago(0), instance: '', context: { raw_error: '401 Unauthorized' } }] } };
    case 'integrations.impact': return { result: { takes: [{ kind: 'credential', count: 1 }, { kind: 'token', count: 2 }], used_by: [], affects: [], used_today: 0 } };
    case 'integrations.preview_disconnect': return { result: { already: false, how: 'endpoint', ends: 'grant', evidence: 'probe', manual_steps: MANUAL, manual_url: 'https://id.atlassian.com/manage-profile/apps', consents: 1, affects: [{ type: 'integration', id: ID(3004), rel: 'affected' }], used_today: 2 } };
    case 'integrations.disconnect': return { result: { integration: find(integrations, path.integration_id).result, revocation: revocation(980, 'pending', []) } };
    case 'integrations.receipts': return { result: some([{ id: ID(960), account_id: path.account_id, integration_id: path.integration_id, provider: 'ticketing_jira', scopes: ['read:jira-work', 'offline_access'], granted: [{ scope: 'read:jira-work', words: 'Read projects and issues' }, { scope: 'offline_access', words: 'Stay connected while you are away' }], end_user_id: ID(950), end_user_name: 'Mira Halvorsen', granted_at: ago(900), expires_at: ago(-500000) }, { id: ID(961), account_id: path.account_id, integration_id: path.integration_id, provider: 'ticketing_jira', scopes: ['read:jira-work'], granted: [{ scope: 'read:jira-work', words: 'Read projects and issues' }], granted_at: ago(20000), ended_at: ago(900), withdrawn_by: 'person' }]) };
    case 'integrations.receipt_link': return { result: { id: ID(982), url: `https://patchbay.halcyon.example/connect/receipt/${SECRET}`, expires: ago(-527040) } };
    case 'revocations.list': return { result: some(params.query?.filter?.some((one) => one.startsWith('state')) ? [revocation(981, 'manual', [['sealed', 'It was removed here, and nothing of it is kept.']])] : [revocation(981, 'manual', [['sealed', 'It was removed here, and nothing of it is kept.']]), revocation(980, 'proven', [['sealed', 'It was taken out of the integration and sealed for this alone.'], ['taken', "The provider's revocation endpoint took it."], ['dead', 'The provider refuses the access token before its time.']])]) };
    case 'revocations.confirm': return { result: { ...revocation(981, 'manual', []), needs_person: false, confirmed_at: ago(0) } };
    case 'deadlines.feed_link': return { result: { exists: true, created_at: ago(40000), expires: ago(-480000) } };
    case 'deadlines.make_feed_link': return { result: { id: ID(983), url: `https://patchbay.halcyon.example/calendar/${SECRET}.ics`, expires: ago(-527040) } };
    case 'integrations.call': return { result: call };
    case 'integration_points.list': return page(some(points), params);
    case 'integration_points.get': return find(points, path.integration_point_id);
    case 'integration_points.impact': return { result: { takes: [], used_by: integrations.slice(0, 12).map((one) => ({ type: 'integration', id: one.id, rel: 'affected' })), affects: [], used_today: 0 } };
    case 'credentials.list': return { result: world.empty ? [] : path.owner_id?.startsWith(ID(3).slice(0, 30)) && integrations.some((one) => one.id === path.owner_id) ? [{ id: ID(9000), integration_id: path.owner_id, owner_type: 'integration', name: 'redmine', fullname: 'Redmine', config: { type: 'token' }, managed: 'Managed', created_at: ago(8000), updated_at: ago(8000), x_patchbay: { public: {}, secret_set_at: ago(8000) } }] : [{ id: ID(9500), account_id: path.owner_id, owner_type: 'account', name: 'shared', fullname: 'Shared API key', config: { type: 'token' }, managed: 'Unmanaged', created_at: ago(8000), updated_at: ago(8000), x_patchbay: { public: {}, secret_set_at: ago(8000) } }] };
    case 'tokens.list': return page(some(tokens), params);
    case 'tokens.create_token': return { result: container(9, body.fullname ?? 'Token', { adhoc_role: { resources: {}, permission_set: 'viewer' } }, {}, SECRET) };
    case 'tokens.rotate': case 'tokens.reset': return { result: container(2, 'Reporting', {}, {}, SECRET) };
    case 'members.list': return page(members, params);
    case 'members.get': return find(members, path.member_id);
    case 'capabilities.list_providers': return { result: providers };
    case 'capabilities.get_provider': { const { result } = find(providers, path.provider_id); return { result: { ...result, x_patchbay: { ...result.x_patchbay, claims } } }; }
    case 'manifests.list': return { result: world.empty ? [] : manifests };
    case 'manifests.check': return { result: body.manifest.includes('example.com') ? checkedGood : checkedBad };
    case 'rehearse.start': case 'rehearse.step': case 'rehearse.state': return rehearsal;
    case 'rehearse.end': return null;
    case 'integrations.journal': return { result: world.empty ? [] : journal };
    case 'capabilities.list_connectors': return { result: connectors };
    case 'audit.list': return page(some(audit), params);
    case 'audit.get': { const { result } = find(audit.map((one) => ({ ...one, id: one.x_patchbay.id })), path.audit_id); return { result: { ...result, diff: [], ...(result.x_patchbay.has_before ? { before: { fullname: 'Acme', environment: 'test', labels: ['emea'], external_id: 'acme' } } : {}), ...(result.x_patchbay.has_after ? { after: { fullname: 'Acme Industries', environment: 'prod', labels: ['emea', 'gold'], external_id: 'acme' } } : {}) } }; }
    case 'audit.undo': return { result: audit[12] };
    case 'provider_apps.list': return page(some(apps), params);
    case 'provider_apps.get': return find(apps, path.provider_app_id);
    case 'organization_webhooks.list': return page(some(webhooks), params);
    case 'organization_webhooks.get': return find(webhooks, path.webhook_id);
    case 'organization_webhooks.impact': return { result: { takes: [{ kind: 'credential', count: 1 }, { kind: 'webhook_delivery', count: 60 }], used_by: [], affects: [], used_today: 0 } };
    case 'organization_webhooks.list_deliveries': return page(some(deliveries), params);
    case 'organization_webhooks.get_delivery': return { result: delivery(path.delivery_id) };
    case 'credentials.get': return { result: { id: path.credential_id, organization_webhook_id: path.owner_id, owner_type: 'organization_webhook', name: 'signing-secret', fullname: 'Signing secret', config: { type: 'secret' }, managed: 'Managed', created_at: ago(20000), updated_at: ago(20000), x_patchbay: { public: {}, secret_set_at: ago(20000) } } };
    case 'tokens.impact': return { result: { takes: [], used_by: [], affects: [], used_today: 1 } };
    case 'credentials.impact': return { result: { takes: [], used_by: [], affects: [{ type: 'integration', id: ID(3000), rel: 'affected' }, { type: 'integration', id: ID(3004), rel: 'affected' }], used_today: 1 } };
    case 'provider_apps.impact': return { result: { takes: [], used_by: [], affects: [], used_today: 0 } };
    case 'roles.list': return page(roles, params);
    case 'roles.get': return find(roles, path.role_id);
    case 'roles.impact': return { result: { takes: [], used_by: [{ type: 'member', id: ID(11), rel: 'affected' }], affects: [], used_today: 0 } };
    case 'permissionset.list': return { result: permissionSets };
    case 'status.get_timeseries': return { result: series(60, 1, world.empty ? 0 : 9) };
    case 'status.get_integration_timeseries': return { result: params.query?.interval === 'day' ? series(7, 1440, 900) : params.query?.interval === 'hour' ? series(24, 60, 60) : series(60, 1, 6) };
    case 'status.get': return { result: status(path.integration_id) };
    case 'status.list': return { result: world.empty ? [] : integrations.slice(0, 4).map((one) => status(one.id)) };
    case 'status.list_events': return { result: [{ error: undefined, request: 4105, created_at: ago(52) }, { error: 'Redmine at https://redmine.example.com did not answer within 30 seconds.', request: 4096, created_at: ago(61), x_patchbay: { code: 'provider_timeout' } }, { error: 'Redmine answered with status 503.', request: 3991, created_at: ago(260), x_patchbay: { code: 'provider_refused' } }].map((one) => ({ account_id: path.account_id, integration_id: path.integration_id, status: one.error ? 'needs_attention' : 'active', ...one })) };
    case 'integration_points.preview': return { result: pointPreview };
    case 'definitions.list': return page(definitions, params);
    case 'definitions.get': return find(definitions, path.definition_id);
    case 'integrations.list_versions': return { result: [{ ...versionOf(1), definition_id: ID(700), pinned: true, rollback: false }, { ...versionOf(0), definition_id: ID(701), pinned: false, rollback: false }] };
    case 'integrations.preview_version': return { result: versionPreview };
    case 'members.impact': return { result: { takes: [{ kind: 'token', count: 2 }, { kind: 'web_session', count: 1 }], used_by: [], affects: [], used_today: 1 } };
    case 'members.create': return { result: { member: { ...members[1], ...body } } };
    case 'members.create_link': return { result: { url: `https://patchbay.halcyon.example/#/welcome/${SECRET}`, purpose: body.purpose, expires: ago(-4320) } };
    case 'end_users.list': return { result: some([{ id: ID(950), account_id: path.account_id, name: 'mira', fullname: 'Mira Halvorsen', email: 'mira@acme.example', external_id: 'u-4711', last_seen_at: ago(900), created_at: ago(9000), updated_at: ago(900) }, { id: ID(951), account_id: path.account_id, name: 'jonas', fullname: 'Jonas Weber', email: 'jonas@acme.example', created_at: ago(400), updated_at: ago(400) }]) };
    case 'end_users.receipts': return { result: [{ id: ID(960), account_id: path.account_id, integration_id: ID(3000), provider: 'ticketing_jira', subject: '557058:9f1c', scopes: ['read:jira-work', 'offline_access'], granted_at: ago(900) }, { id: ID(961), account_id: path.account_id, integration_id: ID(3000), provider: 'ticketing_jira', scopes: ['read:jira-work'], granted_at: ago(20000), ended_at: ago(900) }] };
    case 'connect_links.list': return { result: some([connectLink(970, { integration_point_id: ID(2000), uses_left: 1, state: 'live', expires: ago(-8000) }), connectLink(971, { provider: 'ticketing_jira', uses_left: 0, state: 'used', expires: ago(-3000), last_used_at: ago(240) }), connectLink(972, { provider: 'ticketing_redmine', uses_left: 1, state: 'revoked', expires: ago(-900), revoked_at: ago(1300) })]) };
    case 'connect_links.create': return { result: { ...connectLink(973, { ...body, uses_left: body.uses, state: 'live', expires: ago(-10080) }), url: `https://patchbay.halcyon.example/connect/${SECRET}`, qr: '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 29 29"><path fill="#fff" d="M0 0h29v29H0z"/><path d="M4 4h7v7H4zM18 4h7v7h-7zM4 18h7v7H4zM13 13h3v3h-3z"/></svg>' } };
    case 'end_users.impact': return { result: { takes: [{ kind: 'consent_receipt', count: 2 }, { kind: 'audit', count: 5 }], used_by: [], keeps: [{ kind: 'integration', count: 1 }], undoable: false } };
    case 'connect.routes': return { result: [{ route: 'link', recommended: true, redirect_uri: 'https://patchbay.halcyon.example/oauth/callback', any_port: false }, { route: 'paste', recommended: false, redirect_uri: 'https://patchbay.halcyon.example/oauth/callback', any_port: false }, { route: 'window', recommended: false, any_port: false, why_not: 'There is no window here.' }, { route: 'browser', recommended: false, any_port: false, why_not: 'No browser can be opened from here.' }] };
    case 'connect.begin': return { result: { id: ID(400), account_id: ID(1000), integration_id: body.integration_id, route: body.route, redirect_uri: 'https://patchbay.halcyon.example/oauth/callback', start_url: 'https://patchbay.halcyon.example/connect/start/4f1c9a', scopes: ['openid'], state: 'begun', expires: new Date(Date.now() + 600_000).toISOString(), created_at: ago(0), updated_at: ago(0) } };
    case 'connect.get': return { result: world.consent === 'failed' ? failedConsent : world.consent === 'choosing' ? choosingConsent() : { id: ID(400), account_id: ID(1000), integration_id: ID(3004), route: 'link', redirect_uri: 'https://patchbay.halcyon.example/oauth/callback', scopes: ['openid'], state: 'begun', expires: new Date(Date.now() + 600_000).toISOString(), created_at: ago(0), updated_at: ago(0) } };
    case 'connect.latest': return { result: path.integration_id === ID(3002) ? [failedConsent] : world.consent === 'choosing' && path.integration_id === ID(3004) ? [choosingConsent()] : [] };
    case 'connect.flight': return { result: flight };
    case 'provider_apps.checks': case 'provider_apps.preflight': return { result: { checks: appChecks, next_check_at: ago(-700) } };
    case 'connect.cancel': return { result: { state: 'cancelled' } };
    case 'configuration.export': return { result: { file_name: 'patchbay.yaml', content: yaml } };
    case 'app.state':
      if (world.state === 'open') return { state: 'open', store: opened() };
      if (world.state === 'opening') return { state: 'opening', store: stores[world.store ?? 0], default_path: '/home/ada/.local/share/patchbay/patchbay.db' };
      if (world.state === 'locked') return { state: 'locked', store: stores[world.store ?? 0], default_path: '/home/ada/.local/share/patchbay/patchbay.db', ...world.refusal };
      return { state: 'no_store', default_path: '/home/ada/.local/share/patchbay/patchbay.db' };
    case 'app.handed':
      if (world.handed === 'early' && params.after === 0) return { number: 1, problem: problem(404, 'store_missing', 'Store missing', 'Patchbay was started with an address that may answer a consent, and no store is open. Open the one in which that was begun; the address waits for it.') };
      if (world.handed && params.after === 0) return { number: 1, problem: problem(400, 'consent_unknown', 'Consent unknown', 'This answer belongs to no consent that was begun here. Begin the consent again, and use the newest link only.') };
      // Nobody starts the application once more.
      return new Promise(() => {});
    case 'app.recent': return world.empty ? [] : stores;
    case 'app.mark_store': case 'app.forget_store': return stores;
    case 'app.open_store':
      if (params.url.startsWith('postgres')) throw problem(503, 'store_busy', 'Store busy', 'The database at db.halcyon.example does not answer. Check that it is running and that the network is up, then try again.');
      if (params.url.startsWith('https')) throw problem(401, 'token_invalid', 'Token invalid', 'The token has ended or was revoked. Enter a new one.', '/token');
      return { state: 'open', store: opened() };
    case 'store.work': return world.work ?? null;
    case 'store.verify': return { kind: 'verify', begun_at: ago(0) };
    case 'keys.status': return { result: keyStatus() };
    case 'keys.rotate': throw problem(400, 'key_unavailable', 'Key unavailable', 'The keyring of this computer is locked and cannot keep the key. Unlock it, or choose a passphrase or a key file.', '/to');
    case 'deadlines.list': return { result: { more: false, deadlines: world.empty ? [] : deadlines.filter((one) => params.query?.who !== 'person' || one.who_acts === 'person') } };
    case 'backups.list': return { result: world.empty ? { offered: false, reason: 'This store is a PostgreSQL database. Its operator makes the backups.', backups: [] } : backups };
    case 'backups.create': throw problem(507, 'backup_failed', 'Backup failed', 'The backup could not be written to /home/ada/.local/share/patchbay/backups: no space left on the device. Free some, then try again.');
    case 'backups.settings': return { result: { ...backups, settings: body } };
    case 'app.create_store': throw { status: 500, code: 'key_unavailable', title: 'Key unavailable', type: '', message: 'The keyring of this computer is locked and cannot keep the key. Unlock it, or choose a passphrase or a key file.', occurred_at: ago(0), instance: '' };
    default: throw { status: 404, code: 'not_found', title: 'Not found', type: '', message: `There is no command \`${command}\` here.`, occurred_at: ago(0), instance: '' };
  }
}

export const ids = { account: ID(1000), integration: ID(3000), broken: ID(3002), brokenAccount: accounts[2].id, waiting: ID(3004), waitingAccount: accounts[4].id, point: ID(500), token: ID(7002), event: ID(6005), app: ID(800), member: ID(11), role: ID(904), definition: ID(700), webhook: ID(850), delivery: ID(8600) };
