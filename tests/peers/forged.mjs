#!/usr/bin/env node
// An authorization server that says what no sound one says: npm `oauth2-mock-server` behind a front on a free loopback port that spoils
// answers on their way, where the library itself cannot.
//
//   node tests/peers/forged.mjs [--stdin]
//
// Prints one JSON line when it listens and ends on SIGTERM (or, with --stdin, when standard input closes). It knows every client, and
// every person agrees at once; the library has no endpoint for devices, so the front has one.
//
// POST /peer/forge     {path, how, times}: spoils the next answers at a path (`/token`, `/device`); `times` 0 forgets what was ordered
// POST /peer/redirect  {set, twice, drop}: what the next way back says beside or otherwise; `set` and `twice` are maps, `drop` a list
// POST /peer/agree     {agreed}: whether the person at a device has agreed
// GET  /peer/service   who a token is of: anybody's
// GET  /peer/requests  what was asked at `/token` and `/device`, oldest first: {path, grant_type, forged}

import { createServer } from 'node:http';
import { OAuth2Server } from 'oauth2-mock-server';

const MIB = 1 << 20;
const json = { 'content-type': 'application/json' };
const PAGE = '<!doctype html><html><body><a href="/?access_token=stolen&error=x">Sign in</a></body></html>';

// Each gets the answer as it would be, and sends another. Those with `body` are made by the library itself (`beforeResponse`).
const forgeries = {
  html: { send: (response) => response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(PAGE) },
  html_400: { send: (response) => response.writeHead(400, { 'content-type': 'text/html' }).end(PAGE) },
  error_200: { body: () => ({ error: 'temporarily_unavailable', error_description: 'come back later' }) },
  // More than is read of any answer, without an end in sight for whoever waits for one.
  large: {
    send: (response, whole) => {
      response.writeHead(200, json).write(whole.slice(0, -1));
      let left = 64;
      const more = () => {
        while (left-- > 0) if (!response.write(' '.repeat(MIB))) return void response.once('drain', more);
        response.end('}');
      };
      response.on('error', () => {});
      more();
    },
  },
  empty: { send: (response) => response.writeHead(200, json).end() },
  truncated: {
    send: (response, whole) => {
      response.writeHead(200, { ...json, 'content-length': Buffer.byteLength(whole) });
      response.write(whole.slice(0, whole.length / 2), () => response.destroy());
    },
  },
  cut: { send: (response, whole) => response.writeHead(200, json).end(whole.slice(0, whole.length / 2)) },
  picture: { send: (response) => response.writeHead(200, { 'content-type': 'image/png' }).end(Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex')) },
  array: { send: (response, whole) => response.writeHead(200, json).end(`[${whole}]`) },
  nul: { body: (body) => Object.fromEntries(Object.entries(body).map(([name, value]) => [name, typeof value === 'string' ? `${value}\u0000` : value])) },
  number: { body: (body) => Object.fromEntries(Object.keys(body).map((name) => [name, 17])) },
  // What was given before, once more.
  same: { body: (body) => ({ ...body, access_token: 'the-access-token-of-before', refresh_token: 'the-refresh-token-of-before' }) },
  nothing: { send: (response) => response.destroy() },
};

const orders = new Map();
const requests = [];
let redirect = null;
let agreed = false;

const inner = new OAuth2Server();
await inner.issuer.keys.generate('RS256');
await inner.start(0, '127.0.0.1');
const behind = `http://127.0.0.1:${inner.address().port}`;

// One answer of the library is under way at a time, so that an order meets the one that it is for.
let spoiling = null;
inner.service.on('beforeResponse', (answer) => {
  if (spoiling?.body) answer.body = spoiling.body(answer.body);
});
inner.service.on('beforeAuthorizeRedirect', ({ url }) => {
  if (!redirect) return;
  for (const [name, value] of Object.entries(redirect.set ?? {})) url.searchParams.set(name, value);
  for (const [name, value] of Object.entries(redirect.twice ?? {})) url.searchParams.append(name, value);
  for (const name of redirect.drop ?? []) url.searchParams.delete(name);
  redirect = null;
});

async function read(request) {
  const parts = [];
  for await (const part of request) parts.push(part);
  return Buffer.concat(parts);
}

function taken(path) {
  const order = orders.get(path);
  if (!order || order.times <= 0) return null;
  order.times -= 1;
  return order.how;
}

const answerOf = (response, status, body) => response.writeHead(status, json).end(JSON.stringify(body));

async function control(path, request, response) {
  const body = request.method === 'POST' ? JSON.parse((await read(request)).toString() || '{}') : {};
  if (path === '/peer/service') return request.headers.authorization?.startsWith('Bearer ') ? answerOf(response, 200, { client_id: 'forged-client' }) : answerOf(response, 401, {});
  if (path === '/peer/requests') return answerOf(response, 200, requests);
  if (path === '/peer/forge' && (body.times === 0 || forgeries[body.how])) {
    orders.set(body.path, { how: body.how, times: body.times ?? 1 });
    return answerOf(response, 200, {});
  }
  if (path === '/peer/redirect') {
    redirect = body;
    return answerOf(response, 200, {});
  }
  if (path === '/peer/agree') {
    ({ agreed } = body);
    return answerOf(response, 200, {});
  }
  return answerOf(response, 404, {});
}

/** What the library answers, with its body as text. */
async function asked(request, path, body) {
  const headers = { ...request.headers };
  for (const name of ['host', 'connection', 'content-length']) delete headers[name];
  const answer = await fetch(`${behind}${path}`, { method: request.method, headers, body: request.method === 'GET' ? undefined : body, redirect: 'manual' });
  return { status: answer.status, headers: answer.headers, text: await answer.text() };
}

async function handle(request, response) {
  const { pathname, search } = new URL(request.url, url);
  if (pathname.startsWith('/peer/')) return control(pathname, request, response);
  let body = await read(request);
  const fields = new URLSearchParams(body.toString());
  const forged = ['/token', '/device'].includes(pathname) ? taken(pathname) : null;
  if (pathname === '/token' || pathname === '/device') requests.push({ path: pathname, grant_type: fields.get('grant_type'), forged });
  if (pathname === '/device') {
    let codes = { device_code: `dc-${requests.length}`, user_code: 'WDJB-MJHT', verification_uri: `${url}/enter`, expires_in: 600, interval: 5 };
    const how = forgeries[forged];
    if (how?.send) return how.send(response, JSON.stringify(codes));
    if (how?.body) codes = how.body(codes);
    return answerOf(response, 200, codes);
  }
  if (pathname === '/token' && fields.get('grant_type')?.endsWith('device_code')) {
    if (!agreed) return answerOf(response, 400, { error: 'authorization_pending' });
    // The library gives no tokens for this grant; what it gives a client has the same form.
    body = new URLSearchParams({ grant_type: 'client_credentials', scope: 'openid' }).toString();
    request.headers['content-type'] = 'application/x-www-form-urlencoded';
  }
  spoiling = forged ? forgeries[forged] : null;
  const answer = await asked(request, `${pathname}${search}`, body);
  spoiling = null;
  if (forged && forgeries[forged].send) return forgeries[forged].send(response, answer.text);
  if (pathname === '/.well-known/openid-configuration') {
    return answerOf(response, 200, { ...JSON.parse(answer.text), device_authorization_endpoint: `${url}/device`, grant_types_supported: ['authorization_code', 'refresh_token', 'client_credentials'] });
  }
  const headers = { 'content-type': answer.headers.get('content-type') ?? 'text/plain' };
  if (answer.headers.has('location')) headers.location = answer.headers.get('location');
  return response.writeHead(answer.status, headers).end(answer.text);
}

const server = createServer((request, response) => {
  handle(request, response).catch((error) => response.destroy(error));
});
await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
const url = `http://127.0.0.1:${server.address().port}`;
inner.issuer.url = url;

console.log(JSON.stringify({ url, issuer: url, client_id: 'forged-client', forgeries: Object.keys(forgeries) }));

const stop = () => process.exit(0);
process.on('SIGTERM', stop);
process.on('SIGINT', stop);
if (process.argv.includes('--stdin')) process.stdin.on('end', stop).resume();
