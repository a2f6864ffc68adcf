#!/usr/bin/env node
// A real authorization server on a free loopback port: npm `oidc-provider` with a login and a consent page of our own that
// load nothing from elsewhere.
//
//   node tests/peers/oidc.mjs [--stdin]
//
// Prints one JSON line when it listens and ends on SIGTERM (or, with --stdin, when standard input closes).
//   PEER_ACCESS_TTL, PEER_REFRESH_TTL   lifetimes in seconds (3600, 1209600)
//   PEER_PUSHED=1                       takes pushed authorization requests, and says so in its metadata
//   PEER_POST=1                         takes client secrets in the form alone, and says so in its metadata
//   PEER_REDIRECT_URIS                  further redirect URIs, separated by spaces, of the confidential client
//
// GET  /peer/requests   what the token endpoint answered, oldest first
// GET  /peer/issued     every code, verifier and token that passed, for tests that look for them elsewhere
// GET  /peer/granted    the tokens that people gave, set by set, oldest first: {client_id, access_token, refresh_token}
// GET  /peer/asked      what came to its endpoints for revocation and introspection, oldest first: {endpoint, client_id, method, hint,
//                       kind, status, error, active, lost}: by which method the client proved itself, of which kind the token was that
//                       the provider found (null where it found none), and what it said
// GET  /peer/shown      titles of the pages that browsers have shown and made ready, oldest first
// POST /peer/settings   {access_ttl?, refresh_ttl?, refuse_tokens?, lose_answers?, ahead?, unsupported?, refuse?, lose?, ignore?}: new
//                       lifetimes; answer 503 to the next n token requests; handle the next n token requests but drop the connection
//                       instead of answering; a clock so many seconds ahead of the machine's; a kind of token (`RefreshToken`) that
//                       cannot be revoked. Of any path (`/me`, `/token/revocation`), as a map
//                       of numbers: answer 503 to the next n requests; handle them and drop the connection; drop it unhandled
// POST /peer/revoke     every grant dies at once, as when a user withdraws it at the provider
// GET  /peer/service    who a token is of that a client got for itself, or by a JWT; 401 for any other
// POST /peer/assertion  gives such a token for a JWT (RFC 7523 section 2.1)
// POST /peer/forget     those tokens are good no more

import { createServer } from 'node:http';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { jwtVerify } from 'jose';
import { Provider, errors } from 'oidc-provider';

const PASSWORD = 'correct horse battery';
const people = new Map([
  ['ada', { sub: 'ada', name: 'Ada Lovelace', preferred_username: 'ada', email: 'ada@example.com', email_verified: true }],
  ['zoe', { sub: 'zoe', name: 'Zoë Ångström', preferred_username: 'zoe', email: 'zoe@example.com', email_verified: true }],
]);

// The library remarks on its defaults when they are first used; on standard output there is one line, and then nobody reads it.
console.info = console.error;

const settings = {
  access_ttl: Number(process.env.PEER_ACCESS_TTL ?? 3600),
  refresh_ttl: Number(process.env.PEER_REFRESH_TTL ?? 14 * 86400),
  refuse_tokens: 0,
  lose_answers: 0,
  ahead: 0,
  unsupported: null,
  refuse: {},
  lose: {},
  ignore: {},
};
const machine = Date.now;
Date.now = () => machine() + settings.ahead * 1000;
const requests = [];
const granted = [];
const asked = [];
const shown = [];
const issued = new Set();
const grants = new Set();
const services = new Map();

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const signingKey = { ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'RS256', kid: 'peer' };
const loopback = ['127.0.0.1', '[::1]', 'localhost'].flatMap((host) => ['/oauth/callback', '/callback'].map((path) => `http://${host}${path}`));
const secret = randomBytes(24).toString('base64url');
const pushed = process.env.PEER_PUSHED === '1';
const bySecret = process.env.PEER_POST === '1' ? 'client_secret_post' : 'client_secret_basic';
// A key of each kind with which a client can sign (private_key_jwt), as people have them.
const keys = {
  RS256: generateKeyPairSync('rsa', { modulusLength: 2048 }),
  PS256: generateKeyPairSync('rsa', { modulusLength: 2048 }),
  ES256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
};
const DEVICE_CODE = 'urn:ietf:params:oauth:grant-type:device_code';
const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
const wrapped = {
  RS256: (key) => key.export({ type: 'pkcs1', format: 'pem' }),
  PS256: (key) => JSON.stringify({ ...key.export({ format: 'jwk' }), alg: 'PS256' }),
  ES256: (key) => key.export({ type: 'sec1', format: 'pem' }),
};

// A person enters the code, sees whom it is for, and signs in; our pages need no script for it.
const deviceFlow = {
  enabled: true,
  async userCodeInputSource(ctx, form, _out, error) {
    ctx.body = page('Enter the code', `${error ? '<p role="alert">Nobody knows this code, or it has ended.</p>' : ''}${form}<button type="submit" form="op.deviceInputForm">Continue</button>`);
  },
  async userCodeConfirmSource(ctx, form, client, _info, userCode) {
    ctx.body = page('Is this your device?', `<p><b>${escape(client.clientName)}</b> shows <code>${escape(userCode)}</code></p>${form}<button autofocus type="submit" form="op.deviceConfirmForm">Continue</button>`);
  },
  async successSource(ctx) {
    ctx.body = page('Your device is connected', '<p>You can close this page.</p>');
  },
};

// What the library does by itself (a public client is not told that a token is another's), and a kind of token that cannot be revoked.
async function mayRevoke(_ctx, client, token) {
  if (settings.unsupported === token.kind) throw new errors.CustomOIDCProviderError('unsupported_token_type', 'this kind of token cannot be revoked');
  if (token.clientId === client.clientId) return true;
  if (client.clientAuthMethod === 'none') return false;
  throw new errors.InvalidRequest('client is not authorized to revoke the presented token');
}

function configuration() {
  const shared = { grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'], application_type: 'native' };
  return {
    // Loopback redirects of a native client match on any port (RFC 8252, section 7.3).
    clients: [
      { ...shared, client_id: 'patchbay-native', client_name: 'Patchbay', token_endpoint_auth_method: 'none', redirect_uris: loopback },
      {
        ...shared, grant_types: [...shared.grant_types, DEVICE_CODE], client_id: 'patchbay-confidential', client_name: 'Patchbay (confidential)', client_secret: secret,
        token_endpoint_auth_method: bySecret,
        redirect_uris: [...loopback, ...(process.env.PEER_REDIRECT_URIS ?? '').split(' ').filter(Boolean)],
      },
      // Asks for nothing but these scopes.
      { ...shared, client_id: 'patchbay-narrow', client_name: 'Patchbay (narrow)', token_endpoint_auth_method: 'none', redirect_uris: loopback, scope: 'openid offline_access' },
      ...(pushed ? [{ ...shared, client_id: 'patchbay-pushing', client_name: 'Patchbay (pushing)', token_endpoint_auth_method: 'none', redirect_uris: loopback, require_pushed_authorization_requests: true }] : []),
      // Asks the provider of anybody's tokens, for tests that want its own word.
      { client_id: 'patchbay-judge', client_name: 'Patchbay (judge)', client_secret: secret, token_endpoint_auth_method: bySecret, grant_types: ['client_credentials'], response_types: [], redirect_uris: [] },
      // What a person enters elsewhere, and clients that speak for themselves.
      { ...shared, grant_types: [DEVICE_CODE, 'refresh_token'], response_types: [], client_id: 'patchbay-device', client_name: 'Patchbay (device)', token_endpoint_auth_method: 'none', redirect_uris: [] },
      { client_id: 'patchbay-service', client_name: 'Patchbay (service)', client_secret: secret, token_endpoint_auth_method: bySecret, grant_types: ['client_credentials'], response_types: [], redirect_uris: [] },
      {
        client_id: 'patchbay-assertion', client_name: 'Patchbay (assertion)', grant_types: ['client_credentials'], response_types: [], redirect_uris: [],
        token_endpoint_auth_method: 'private_key_jwt', token_endpoint_auth_signing_alg: 'ES256', jwks: { keys: [{ ...keys.ES256.publicKey.export({ format: 'jwk' }), use: 'sig', alg: 'ES256' }] },
      },
      ...Object.entries(keys).map(([alg, { publicKey }]) => ({
        ...shared, client_id: `patchbay-${alg}`, client_name: `Patchbay (${alg})`, redirect_uris: loopback,
        token_endpoint_auth_method: 'private_key_jwt', token_endpoint_auth_signing_alg: alg, jwks: { keys: [{ ...publicKey.export({ format: 'jwk' }), use: 'sig', alg }] },
      })),
    ],
    clientAuthMethods: ['none', bySecret, 'private_key_jwt'],
    enabledJWA: { clientAuthSigningAlgValues: Object.keys(keys) },
    jwks: { keys: [signingKey] },
    cookies: { keys: [randomBytes(24).toString('hex')] },
    pkce: { required: () => true },
    scopes: ['openid', 'profile', 'email', 'offline_access'],
    claims: { openid: ['sub'], profile: ['name', 'preferred_username'], email: ['email', 'email_verified'] },
    features: { devInteractions: { enabled: false }, revocation: { enabled: true, allowedPolicy: mayRevoke }, introspection: { enabled: true }, pushedAuthorizationRequests: { enabled: pushed }, clientCredentials: { enabled: true }, deviceFlow },
    rotateRefreshToken: true,
    // Its default of 15 s would let tokens live on after the lifetimes that tests ask for.
    clockTolerance: 0,
    issueRefreshToken: async (_ctx, client) => client.grantTypeAllowed('refresh_token'),
    expiresWithSession: async () => false,
    ttl: {
      AccessToken: () => settings.access_ttl, ClientCredentials: () => settings.access_ttl, DeviceCode: 600, RefreshToken: () => settings.refresh_ttl,
      AuthorizationCode: 60, IdToken: 3600, Interaction: 3600, Session: 86400, Grant: 14 * 86400,
    },
    interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
    findAccount: async (_ctx, id) => (people.has(id) ? { accountId: id, claims: async () => people.get(id) } : undefined),
    renderError: async (ctx, out) => {
      ctx.type = 'html';
      ctx.body = page('This did not work', `<p id="error">${escape(out.error)}: ${escape(out.error_description ?? '')}</p>`);
    },
  };
}

const escape = (text) => String(text).replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);

function page(title, body) {
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${escape(title)}</title>
<meta name="viewport" content="width=device-width"><style>
body{font:16px/1.5 sans-serif;margin:3rem auto;max-width:24rem;padding:0 1rem;color:#222;background:#fff}
label{display:block;margin:.75rem 0 .25rem}input{font:inherit;width:100%;padding:.4rem;box-sizing:border-box}
button{font:inherit;margin:1.25rem .5rem 0 0;padding:.45rem 1.1rem}[role=alert]{color:#a00}
</style></head><body><h1>${escape(title)}</h1>${body}
<script>addEventListener('load', () => requestAnimationFrame(() => fetch('/peer/shown', { method: 'POST', body: document.title })))</script></body></html>`;
}

function loginPage(uid, client, wrong) {
  return page('Sign in', `<p>to continue to ${escape(client)}</p>${wrong ? '<p role="alert">The login or the password is wrong.</p>' : ''}
<form method="post" action="/interaction/${uid}/login" autocomplete="off">
<label for="login">Login</label><input id="login" name="login" autofocus required>
<label for="password">Password</label><input id="password" name="password" type="password" required>
<button id="sign-in">Sign in</button></form>
<form method="post" action="/interaction/${uid}/deny"><button id="cancel">Cancel</button></form>`);
}

function consentPage(uid, client, scopes) {
  return page('Allow access', `<p><b>${escape(client)}</b> asks for:</p><ul>${scopes.map((scope) => `<li>${escape(scope)}</li>`).join('')}</ul>
<form method="post" action="/interaction/${uid}/allow"><button id="allow" autofocus>Allow</button></form>
<form method="post" action="/interaction/${uid}/deny"><button id="deny">Deny</button></form>`);
}

async function read(request) {
  const parts = [];
  for await (const part of request) parts.push(part);
  return Buffer.concat(parts).toString();
}

function send(response, status, body, type = 'text/html; charset=utf-8') {
  response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' }).end(body);
}

async function interact(provider, request, response, step) {
  const { uid, prompt, params, session, grantId } = await provider.interactionDetails(request, response);
  const client = (await provider.Client.find(params.client_id))?.clientName ?? params.client_id;
  if (!step) {
    return send(response, 200, prompt.name === 'login' ? loginPage(uid, client, false) : consentPage(uid, client, params.scope.split(' ')));
  }
  if (step === 'deny') {
    const refusal = { error: 'access_denied', error_description: 'the person refused' };
    return provider.interactionFinished(request, response, refusal, { mergeWithLastSubmission: false });
  }
  if (step === 'login') {
    const form = new URLSearchParams(await read(request));
    const login = form.get('login') ?? '';
    if (!people.has(login) || form.get('password') !== PASSWORD) return send(response, 200, loginPage(uid, client, true));
    return provider.interactionFinished(request, response, { login: { accountId: login } }, { mergeWithLastSubmission: false });
  }
  const known = grantId && (await provider.Grant.find(grantId));
  const grant = known || new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
  grant.addOIDCScope(params.scope);
  if (prompt.details.missingOIDCClaims) grant.addOIDCClaims(prompt.details.missingOIDCClaims);
  const id = await grant.save();
  grants.add(id);
  return provider.interactionFinished(request, response, { consent: { grantId: id } }, { mergeWithLastSubmission: true });
}

// RFC 7523 section 2.1: a JWT signed with the key of a known client speaks for somebody. The library has no such grant; the signature
// is verified by the one with which it verifies its own.
async function assertion(provider, request, response) {
  const form = new URLSearchParams(await read(request));
  const refuse = (status, error, why) => send(response, status, JSON.stringify({ error, error_description: why }), 'application/json');
  if (form.get('grant_type') !== JWT_BEARER) return refuse(400, 'unsupported_grant_type', 'this endpoint takes assertions');
  const client = await provider.Client.find('patchbay-assertion');
  try {
    const wanted = { issuer: client.clientId, audience: `${url}/peer/assertion`, requiredClaims: ['sub', 'exp', 'iat'], maxTokenAge: '1h' };
    const { payload } = await jwtVerify(form.get('assertion') ?? '', keys.ES256.publicKey, wanted);
    const token = new provider.ClientCredentials({ client, scope: form.get('scope') ?? undefined });
    const value = await token.save();
    services.set(value, payload.sub);
    issued.add(value).add(form.get('assertion'));
    requests.push({ grant_type: JWT_BEARER, client_id: client.clientId, status: 200, error: null, lost: false });
    return send(response, 200, JSON.stringify({ access_token: value, token_type: 'Bearer', expires_in: settings.access_ttl }), 'application/json');
  } catch (error) {
    requests.push({ grant_type: JWT_BEARER, client_id: client.clientId, status: 400, error: 'invalid_grant', lost: false });
    return refuse(400, 'invalid_grant', error.message);
  }
}

async function peer(provider, request, response, path) {
  if (path === 'requests') return send(response, 200, JSON.stringify(requests), 'application/json');
  if (path === 'issued') return send(response, 200, JSON.stringify([...issued]), 'application/json');
  if (path === 'granted') return send(response, 200, JSON.stringify(granted), 'application/json');
  if (path === 'asked') return send(response, 200, JSON.stringify(asked), 'application/json');
  if (path === 'shown') {
    if (request.method === 'POST') shown.push(await read(request));
    return send(response, 200, JSON.stringify(shown), 'application/json');
  }
  if (path === 'service') {
    const value = (request.headers.authorization ?? '').replace(/^Bearer /, '');
    const token = await provider.ClientCredentials.find(value);
    if (!token?.isValid) return send(response, 401, JSON.stringify({ error: 'invalid_token' }), 'application/json');
    return send(response, 200, JSON.stringify({ client_id: token.clientId, acts_for: services.get(value) ?? null, scope: token.scope ?? null }), 'application/json');
  }
  if (path === 'assertion') return assertion(provider, request, response);
  if (path === 'forget') {
    for (const value of services.keys()) await (await provider.ClientCredentials.find(value))?.destroy();
    services.clear();
    return send(response, 200, '{}', 'application/json');
  }
  if (path === 'settings') {
    Object.assign(settings, JSON.parse(await read(request)));
    return send(response, 200, JSON.stringify(settings), 'application/json');
  }
  if (path === 'revoke') {
    for (const id of grants) {
      await provider.AccessToken.adapter.revokeByGrantId(id);
      await provider.RefreshToken.adapter.revokeByGrantId(id);
      await (await provider.Grant.find(id))?.destroy();
    }
    grants.clear();
    return send(response, 200, '{}', 'application/json');
  }
  return send(response, 404, '{}', 'application/json');
}

const server = createServer();
await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
const url = `http://127.0.0.1:${server.address().port}`;
const provider = new Provider(url, configuration());

// Whether a fault is ordered for this path; each is met so often as was said.
function ordered(fault, path) {
  if (!(settings[fault][path] > 0)) return false;
  settings[fault][path] -= 1;
  return true;
}

function dropped(ctx) {
  ctx.respond = false;
  ctx.req.socket.destroy();
}

provider.use(async (ctx, next) => {
  if (ordered('ignore', ctx.path)) return dropped(ctx);
  if (ordered('refuse', ctx.path)) {
    ctx.status = 503;
    ctx.body = 'come back later';
    return undefined;
  }
  await next();
  const [, endpoint] = /^\/token\/(revocation|introspection)$/.exec(ctx.path) ?? [];
  const lost = ordered('lose', ctx.path);
  if (endpoint) {
    const { client, params, entities } = ctx.oidc ?? {};
    const kind = ['RefreshToken', 'AccessToken', 'ClientCredentials'].find((name) => entities?.[name]) ?? null;
    const sent = ctx.get('authorization') ? 'client_secret_basic' : params?.client_secret ? 'client_secret_post' : params?.client_assertion ? 'private_key_jwt' : 'none';
    asked.push({ endpoint, client_id: client?.clientId ?? params?.client_id ?? null, method: sent, hint: params?.token_type_hint ?? null, kind, status: ctx.status, error: ctx.body?.error ?? null, active: ctx.body?.active ?? null, lost });
  }
  return lost ? dropped(ctx) : undefined;
});
provider.use(async (ctx, next) => {
  const token = ctx.path === '/token';
  if (token && settings.refuse_tokens > 0) {
    settings.refuse_tokens -= 1;
    requests.push({ grant_type: null, status: 503 });
    ctx.status = 503;
    ctx.body = 'come back later';
    return;
  }
  await next();
  if (!token) return;
  if (ctx.oidc?.params?.grant_type === 'client_credentials' && ctx.body?.access_token) services.set(ctx.body.access_token, null);
  for (const secret of ['code', 'code_verifier', 'refresh_token', 'device_code'].map((name) => ctx.oidc?.params?.[name])) if (secret) issued.add(secret);
  for (const secret of ['access_token', 'refresh_token', 'id_token'].map((name) => ctx.body?.[name])) if (secret) issued.add(secret);
  if (ctx.body?.refresh_token) granted.push({ client_id: ctx.oidc.client.clientId, access_token: ctx.body.access_token, refresh_token: ctx.body.refresh_token });
  const lost = settings.lose_answers > 0;
  requests.push({ grant_type: ctx.oidc?.params?.grant_type ?? null, client_id: ctx.oidc?.client?.clientId ?? null, status: ctx.status, error: ctx.body?.error ?? null, lost });
  if (lost) {
    settings.lose_answers -= 1;
    ctx.respond = false;
    ctx.req.socket.destroy();
  }
});
const answer = provider.callback();

server.on('request', (request, response) => {
  const [, area, name, step] = new URL(request.url, url).pathname.split('/');
  const handled = area === 'interaction' ? interact(provider, request, response, step) : area === 'peer' ? peer(provider, request, response, name) : answer(request, response);
  Promise.resolve(handled).catch((error) => send(response, 400, page('This did not work', `<p id="error">${escape(error.message)}</p>`)));
});

console.log(JSON.stringify({
  url, issuer: url, client_id: 'patchbay-native', confidential: { client_id: 'patchbay-confidential', client_secret: secret }, pushing: 'patchbay-pushing', narrow: 'patchbay-narrow', device: 'patchbay-device',
  by_secret: bySecret, judge: { client_id: 'patchbay-judge', client_secret: secret }, service: { client_id: 'patchbay-service', client_secret: secret }, assertion: { client_id: 'patchbay-assertion', private_key: wrapped.ES256(keys.ES256.privateKey) },
  signing: Object.fromEntries(Object.entries(keys).map(([alg, { privateKey: key }]) => [alg, { client_id: `patchbay-${alg}`, private_key: wrapped[alg](key) }])),
  users: [...people.keys()].map((login) => ({ login, password: PASSWORD, name: people.get(login).name })),
}));

const stop = () => process.exit(0);
process.on('SIGTERM', stop);
process.on('SIGINT', stop);
if (process.argv.includes('--stdin')) process.stdin.on('end', stop).resume();
