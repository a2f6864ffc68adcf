// Consent where the store is a server: it begins and finishes each consent at a real authorization server. The application goes
// where it is sent, stops at the exact callback and hands that address back; what passes between the two is recorded.

import { after, before, test } from "node:test";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { assert, built, Desktop, firstLine, peer, root, until } from "./desktop.mjs";
import { lineTo } from "./line.mjs";

const pictures = join(root, ".cache/screenshots/window");
const patchbay = join(built, "patchbay");
let desktop, window, oidc, store, token, plain, secure, line, account, app, newest;

/** One result of a command in the window, or a failed test with the problem's words. */
async function ask(command, params) {
  const { value, problem } = await window.rpc(command, params);
  assert.equal(problem, undefined, `${command}: ${problem?.message}`);
  return value.result ?? value;
}

/** A request to the server itself, as a program of the organization makes it. */
async function api(method, path, body) {
  const answer = await fetch(`${plain}${path}`, { method, headers: { authorization: `Bearer ${token.access.secret}`, "content-type": "application/json" }, body: JSON.stringify(body) });
  const text = await answer.text();
  assert.ok(answer.ok, `${method} ${path}: ${text}`);
  return text === "" ? null : JSON.parse(text).result;
}

const atPeer = async (path) => (await fetch(`${oidc.facts.url}/peer/${path}`)).json();

async function serve(host, ...options) {
  const child = desktop.run(patchbay, ["serve", ...store, "--listen", `${host}:0`, "--allow-private-networks", "--output", "json", ...options]);
  return JSON.parse(await firstLine(child)).listening;
}

/** A certificate for this machine's loopback address, by an authority that the desktop trusts from now on. */
function certify() {
  const at = (name) => join(desktop.folder, name);
  const openssl = (...words) => execFileSync("openssl", words, { stdio: "ignore" });
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc", "-days", "2"];
  openssl("req", "-x509", ...key, "-subj", "/CN=Authority of this test", "-keyout", at("ca.key"), "-out", at("ca.pem"));
  openssl("req", "-x509", ...key, "-subj", "/CN=Server of this test", "-addext", "subjectAltName=IP:127.0.0.2", "-addext", "basicConstraints=critical,CA:FALSE",
    "-CA", at("ca.pem"), "-CAkey", at("ca.key"), "-keyout", at("tls.key"), "-out", at("tls.pem"));
  desktop.environment.SSL_CERT_FILE = at("ca.pem");
  return ["--tls-cert", at("tls.pem"), "--tls-key", at("tls.key")];
}

/** An integration that awaits its consent, with its dialog open in the window. */
async function awaiting(fullname) {
  const body = { fullname, provider_config: { type: "identity_openid", issuer: oidc.facts.issuer, credential: { type: "o_auth_user" } } };
  const { integration } = await api("POST", `/v1/integrations/${account}`, body);
  await window.go(`/integrations/${account}/${integration.id}?do=connect`);
  await window.sees(`Connect ${fullname}`);
  newest = integration.id;
  return integration.id;
}

/** Has the provider app know this redirect URI alone. Its client secret stays. */
const register = (uri) => api("PUT", `/v1/x/provider-apps/${app.id}`, { name: app.name, fullname: app.fullname, issuer: app.issuer, client_id: app.client_id, redirect_uris: [uri], scopes: [] });

const statusOf = async (id) => (await api("GET", `/v1/integrations/${account}/${id}`)).x_patchbay.status;

/** Waits until this page of the provider is in the consent window, and gives it the keys. */
async function page(title, before) {
  await until(`the page "${title}"`, async () => (await atPeer("shown")).slice(before).includes(title));
  // What the provider has sent, the window must have taken before it has the keys.
  await until("the page in the window", async () => (await recorded()) >= (await atPeer("shown")).length - before);
  await desktop.windowNamed("Connect OpenID");
}

/** How many pages the window of the newest consent has shown. */
async function recorded() {
  const [session] = await ask("connect.latest", { path: { account_id: account, integration_id: newest } });
  const steps = await ask("connect.flight", { path: { connect_session_id: session.id } });
  return steps.filter(({ kind }) => kind === "navigated").length;
}

const shown = async () => (await atPeer("shown")).length;

/** Signs in at the provider, in the consent window, and allows what is asked. */
async function allow({ login, password }, picture) {
  const before = await shown();
  await window.click("button", "Connect in a window");
  await page("Sign in", before);
  await type(login, password);
  await desktop.xdotool("key", "Return");
  await page("Allow access", before);
  if (picture) await desktop.picture(picture);
  await desktop.xdotool("key", "Return");
}

async function type(...words) {
  for (const [at, word] of words.entries()) {
    if (at > 0) await desktop.xdotool("key", "Tab");
    await desktop.xdotool("type", "--delay", "30", word);
  }
}

const windowGone = () =>
  until("the consent window to close", async () => (await desktop.xdotool("search", "--onlyvisible", "--name", "Connect OpenID").catch(() => "")) === "");

before(async () => {
  desktop = await Desktop.open();
  const tls = certify();
  store = ["--store", `sqlite:${join(desktop.folder, "far.db")}`, "--key-source", `file:${join(desktop.folder, "far.key")}`];
  ({ token } = JSON.parse(await firstLine(desktop.run(patchbay, ["init", ...store, "--organization", "Far Ltd", "--output", "json"]))).organization);
  // The provider knows the usual loopback address as that of native clients alone, who have no HTTPS there.
  [plain, secure] = [await serve("127.0.0.1"), await serve("127.0.0.2", ...tls)];
  line = await lineTo(Number(new URL(plain).port));
  oidc = await peer("env", `PEER_REDIRECT_URIS=${secure}/oauth/callback`, "node", "tests/peers/oidc.mjs");
  desktop.browseAs(oidc.facts.users[0]);
  ({ id: account } = (await api("POST", "/v1/accounts", { fullname: "Globex Corporation" })).account);
  const { client_id, client_secret } = oidc.facts.confidential;
  app = await api("POST", "/v1/x/provider-apps", {
    provider: "identity_openid", name: "login", fullname: "Login of Far", issuer: oidc.facts.issuer, client_id, client_secret, redirect_uris: ["http://127.0.0.1:47811/oauth/callback"], scopes: [],
  });
  const own = JSON.parse(await firstLine(desktop.run(patchbay, ["token", "mint", ...store, "--output", "json"])));
  window = await desktop.start();
  await window.click("button", "Open a store");
  await window.click("radio", "Patchbay server");
  await window.fill("Address of the server", line.url);
  await window.fill("Access token", own.primary.access.secret);
  await window.fill("Refresh secret", own.primary.refresh.secret);
  await window.click("button", "Open store");
  await window.sees("Far Ltd");
});

after(async () => {
  line?.cut();
  await desktop?.close();
  await oidc?.close();
});

test("the consent window stops at the callback, and the server finishes", async () => {
  const integration = await awaiting("Sign in");
  await allow(oidc.facts.users[0], join(pictures, "consent-afar.png"));
  await window.sees("accepted the connection");
  assert.equal(await statusOf(integration), "active");
  await windowGone();
  await window.picture(join(pictures, "consent-afar-done.png"));
});

test("verifier, client secret and tokens never left the server", async () => {
  const [exchange] = await atPeer("requests");
  assert.deepEqual([exchange.grant_type, exchange.client_id, exchange.status], ["authorization_code", "patchbay-confidential", 200]);
  const passed = line.passed();
  const [, code] = passed.match(/\/oauth\/callback\?(?:[^"\s]*?&)?code=([^&"\s]+)/);
  const issued = await atPeer("issued");
  assert.ok(issued.includes(code), "the code went back to the server, in the address at which the window stopped");
  assert.ok(issued.length >= 4, "code, verifier, access and refresh token are known");
  assert.deepEqual(issued.filter((secret) => passed.includes(secret)), [code], "and nothing else that the provider gave or was given");
  assert.ok(!passed.includes(oidc.facts.confidential.client_secret), "the client secret was not told");
  const html = await window.script(() => document.documentElement.outerHTML);
  assert.deepEqual(issued.filter((secret) => html.includes(secret)), []);
  assert.ok(!desktop.driver.log.includes(code), "nor is the code in the application's log");
});

test("an answer is taken once, and only at the address that was registered", async () => {
  const callback = line.passed().match(/http:\/\/127\.0\.0\.1:47811\/oauth\/callback\?[^"\s]+/)[0];
  const sessions = [...line.passed().matchAll(/"connect_session_id":"([0-9a-f-]{36})"/g)].map(([, id]) => id);
  const again = await window.rpc("connect.finish", { path: { connect_session_id: sessions[0] }, body: { callback_url: callback } });
  assert.equal(again.problem?.code, "consent_replayed");
  const id = await awaiting("Elsewhere");
  const session = await ask("connect.begin", { body: { integration_id: id, route: "window" } });
  const state = new URL(session.authorize_url).searchParams.get("state");
  for (const elsewhere of ["http://127.0.0.1:47812/oauth/callback", "http://localhost:47811/oauth/callback", "https://127.0.0.1:47811/oauth/callback", "http://127.0.0.1:47811/oauth/callback/"]) {
    const { problem } = await window.rpc("connect.finish", { path: { connect_session_id: session.id }, body: { callback_url: `${elsewhere}?code=x&state=${state}` } });
    assert.equal(problem?.code, "consent_callback_mismatch", elsewhere);
  }
  assert.notEqual(await statusOf(id), "active");
});

test("a refusal at the provider and a window that is closed are told in words", async () => {
  const refused = await awaiting("Refused");
  let before = await shown();
  await window.click("button", "Connect in a window");
  await page("Sign in", before);
  // Login, password and Sign in come before Cancel.
  await desktop.xdotool("key", "Tab", "Tab", "Tab", "Return");
  await window.sees("Connect again and agree");
  await windowGone();
  assert.equal(await statusOf(refused), "awaiting_consent");
  before = await shown();
  await window.click("button", "Connect in a window");
  await page("Sign in", before);
  await desktop.xdotool("key", "alt+c");
  await window.sees("The consent was cancelled. Nothing was changed.");
  await windowGone();
});

test("over HTTPS the browser comes back to this machine", async () => {
  const own = JSON.parse(await firstLine(desktop.run(patchbay, ["token", "mint", ...store, "--output", "json"])));
  await window.go("/store/open");
  await window.click("radio", "Patchbay server");
  await window.fill("Address of the server", secure);
  await window.fill("Access token", own.primary.access.secret);
  await window.fill("Refresh secret", own.primary.refresh.secret);
  await window.click("button", "Open store");
  await until("the store over HTTPS", async () => (await ask("session.info")).store.url === secure);
  const integration = await awaiting("By the browser");
  await window.click("button", "Connect in my browser");
  await window.sees("accepted the connection");
  assert.equal(await statusOf(integration), "active");
});

test("a provider app that knows only the server has the answer sent there", async () => {
  await register(`${secure}/oauth/callback`);
  const browsed = await awaiting("By the server's address");
  await window.click("button", "Connect in my browser");
  await window.sees("accepted the connection");
  assert.equal(await statusOf(browsed), "active");
  // The window needs nobody at that address: it stops before it goes there.
  const seen = await awaiting("In the window");
  await allow(oidc.facts.users[1]);
  await window.sees("accepted the connection");
  assert.equal(await statusOf(seen), "active");
});

test("an address that leads nowhere is told with what to register", async () => {
  await register("https://elsewhere.example.com/oauth/callback");
  await awaiting("Nowhere");
  await window.sees("has no redirect URI on this computer that the provider would take");
  await window.sees(`${secure}/oauth/callback`);
  const log = readFileSync(join(desktop.folder, "config/dev.patchbay.desktop/stores.json"), "utf8");
  assert.ok(!/pb[or]_/.test(log), "the list of stores holds no token");
});
