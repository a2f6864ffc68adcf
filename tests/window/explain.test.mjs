// "Explain this page" in the consent window, against a simulated provider: its text is read when that is pressed and at no other time,
// never where a password can be entered, and nobody gets it before the person has seen it.

import { after, before, test } from "node:test";
import { join } from "node:path";
import { assert, built, Desktop, firstLine, pause, root, until } from "./desktop.mjs";

const pictures = join(root, ".cache/screenshots/window");
const patchbay = join(built, "patchbay");
let desktop, window, simulator, server, token, account;

async function ask(command, params) {
  const { value, problem } = await window.rpc(command, params);
  assert.equal(problem, undefined, `${command}: ${problem?.message}`);
  return value.result ?? value;
}

async function api(method, path, body) {
  const answer = await fetch(`${server}${path}`, { method, headers: { authorization: `Bearer ${token.primary.access.secret}`, "content-type": "application/json" }, body: JSON.stringify(body) });
  const text = await answer.text();
  assert.ok(answer.ok, `${method} ${path}: ${text}`);
  return JSON.parse(text).result;
}

/** Opens the provider's page in the consent window. */
async function connect(fullname) {
  const provider = simulator.providers[0];
  const provider_config = { ...provider.sample_config, type: provider.id, credential: { type: "o_auth_user" } };
  const { integration } = await api("POST", `/v1/integrations/${account}`, { fullname, provider_config });
  await window.go(`/integrations/${account}/${integration.id}?do=connect`);
  await window.sees(`Connect ${fullname}`);
  const before = await log();
  await window.click("button", "Connect in a window");
  await desktop.windowNamed("Connect Jira");
  await until("the provider's page", async () => (await log()).length > before.length);
  const [session] = await ask("connect.latest", { path: { account_id: account, integration_id: integration.id } });
  // What was asked for is there at once; drawing it takes a moment more.
  await until("the page to be recorded", async () => (await flight(session)).some(({ kind }) => kind === "navigated"));
  return session;
}

const log = async () => (await (await fetch(`${simulator.control}/log`)).json()).filter(({ what }) => what === "authorize");
const flight = (session) => ask("connect.flight", { path: { connect_session_id: session.id } });
const kinds = async (session) => (await flight(session)).map(({ kind }) => kind);
const dialog = (title) => desktop.windowNamed(title);
const gone = (title) => until(`"${title}" to close`, async () => (await desktop.xdotool("search", "--onlyvisible", "--name", title).catch(() => "")) === "");

before(async () => {
  desktop = await Desktop.open();
  simulator = JSON.parse(await firstLine(desktop.run(patchbay, ["simulate", "--provider", "ticketing_jira", "--output", "json"])));
  const store = ["--store", `sqlite:${join(desktop.folder, "far.db")}`, "--key-source", `file:${join(desktop.folder, "far.key")}`];
  await firstLine(desktop.run(patchbay, ["init", ...store, "--sample", "--output", "json"]));
  token = JSON.parse(await firstLine(desktop.run(patchbay, ["token", "mint", ...store, "--output", "json"])));
  server = JSON.parse(await firstLine(desktop.run(patchbay, ["serve", ...store, "--listen", "127.0.0.1:0", "--allow-private-networks", "--rehearse", simulator.listening, "--output", "json"]))).listening;
  ({ id: account } = (await api("POST", "/v1/accounts", { fullname: "Pages of Globex" })).account);
  const { id, client_id, client_secret, redirect_uris } = simulator.providers[0];
  await api("POST", "/v1/x/provider-apps", { provider: id, fullname: "Played", client_id, client_secret, redirect_uris: redirect_uris.filter((uri) => uri.includes("sim.invalid")), scopes: [] });
  const own = JSON.parse(await firstLine(desktop.run(patchbay, ["token", "mint", ...store, "--output", "json"])));
  window = await desktop.start();
  await window.click("button", "Open a store");
  await window.click("radio", "Patchbay server");
  await window.fill("Address of the server", server);
  await window.fill("Access token", own.primary.access.secret);
  await window.fill("Refresh secret", own.primary.refresh.secret);
  await window.click("button", "Open store");
  await until("the store", async () => (await ask("session.info")).store.url === server);
});

after(() => desktop?.close());

test("a page with a password field is not read", async () => {
  const session = await connect("Signing in");
  await desktop.xdotool("key", "alt+e");
  await dialog("This page was not read");
  await desktop.picture(join(pictures, "explain-password.png"));
  await desktop.xdotool("key", "Return");
  await gone("This page was not read");
  assert.deepEqual((await kinds(session)).filter((kind) => kind === "explained"), [], "nothing of it was recorded");
  await desktop.windowNamed("Connect Jira");
  await desktop.xdotool("key", "alt+c");
  await window.sees("The consent was cancelled. Nothing was changed.");
});

test("a refusal is read when that is asked for, shown first, and explained", async () => {
  await fetch(`${simulator.control}/faults`, { method: "POST", body: JSON.stringify({ fault: "refuse_window", times: 20 }) });
  const session = await connect("Refused in windows");
  await desktop.xdotool("key", "alt+e");
  await dialog("Explain this page");
  await desktop.picture(join(pictures, "explain-shown.png"));
  await pause(500);
  assert.ok(!(await kinds(session)).includes("explained"), "nobody has it before the person has seen it");
  await desktop.xdotool("key", "alt+d");
  await gone("Explain this page");
  assert.ok(!(await kinds(session)).includes("explained"), "nor when they do not want that");

  await desktop.windowNamed("Connect Jira");
  await desktop.xdotool("key", "alt+e");
  await dialog("Explain this page");
  await desktop.xdotool("key", "alt+s");
  await dialog("What this page means");
  await desktop.picture(join(pictures, "explain-explained.png"));
  await window.sees("does not show its page in windows of applications");
  const steps = await flight(session);
  const explained = steps.filter(({ kind }) => kind === "explained");
  assert.equal(explained.length, 1);
  assert.match(explained[0].detail.words, /disallowed_useragent/);
  assert.ok(steps.some(({ kind, detail }) => kind === "navigated" && detail.seen.path.endsWith("/authorize")), JSON.stringify(steps));
  await window.picture(join(pictures, "explain-dialog.png"));
  await desktop.xdotool("key", "alt+l");
  await gone("What this page means");
  await desktop.windowNamed("Connect Jira");
  await desktop.xdotool("key", "alt+c");
  await window.sees("What happened");
  await until("the end to be recorded", async () => (await kinds(session)).at(-1) === "ended");
});
