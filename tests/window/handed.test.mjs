// An address that is handed over by starting the application once more, as operating systems and persons do it: the one at which
// a browser came back finishes its consent, and whatever else it may be is refused in words and changes nothing.

import { after, before, test } from "node:test";
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { assert, Desktop, peer, root, until, written } from "./desktop.mjs";

const pictures = join(root, ".cache/screenshots/window");
const REDIRECT = "http://127.0.0.1:47811/oauth/callback";
let desktop, window, oidc, account, opened;
/** What must be in nobody's log. */
const secrets = [];
const logs = [];

async function ask(command, params) {
  const { value, problem } = await window.rpc(command, params);
  assert.equal(problem, undefined, `${command}: ${problem?.message}`);
  return value.result ?? value;
}

/** Starts the application once more with these arguments. */
async function handOver(...words) {
  logs.push(await desktop.startAgain(...words));
}

/** What the window says of it, in a dialog that is then closed. */
async function told(title, words, picture) {
  await window.sees(title);
  await window.sees(words);
  if (picture) await window.picture(join(pictures, picture));
  await window.click("button", "Close", { within: "dialog[open] footer" });
  await until("the dialog to close", async () => !(await window.text()).includes(title));
}

const refused = (words, picture) => told("Nothing was connected", words, picture);

/** Where the browser of a person who allowed it would end. */
function callbackOf(url) {
  const { login, password } = oidc.facts.users[0];
  const program = "import sys; sys.path.insert(0, sys.argv[1]); from person import callback; print(callback(*sys.argv[2:]))";
  const callback = execFileSync("python3", ["-c", program, join(root, "tests/peers"), url, login, password], { encoding: "utf8" }).trim();
  const { searchParams } = new URL(callback);
  secrets.push(searchParams.get("code"), searchParams.get("state"));
  return callback;
}

async function awaiting(fullname) {
  const provider_config = { type: "identity_openid", issuer: oidc.facts.issuer, credential: { type: "o_auth_user" } };
  const { integration } = await ask("integrations.create", { path: { account_id: account }, body: { fullname, provider_config } });
  return integration.id;
}

const statusOf = async (id) => (await ask("integrations.get", { path: { account_id: account, integration_id: id } })).x_patchbay.status;
const begin = (id) => ask("connect.begin", { body: { integration_id: id, route: "paste" } });
const stateOf = async (session) => (await ask("connect.get", { path: { connect_session_id: session.id } })).state;

before(async () => {
  [oidc, desktop] = await Promise.all([peer("node", "tests/peers/oidc.mjs"), Desktop.open({ environment: { RUST_LOG: "trace" } })]);
  // A browser that is opened and never comes back by itself.
  const programs = join(desktop.folder, "bin");
  mkdirSync(programs);
  opened = join(desktop.folder, "opened");
  writeFileSync(join(programs, "xdg-open"), `#!/bin/sh\necho "$1" > '${opened}.new' && mv '${opened}.new' '${opened}'\n`, { mode: 0o755 });
  desktop.environment.PATH = `${programs}:${desktop.environment.PATH}`;
  window = await desktop.start();
});

after(async () => {
  await desktop?.close();
  await oidc?.close();
});

test("before a store is open an address waits for one", async () => {
  await window.sees("Welcome to Patchbay");
  await handOver(`${REDIRECT}?code=early&state=early`);
  await told("An address waits for a store", "Open the one in which that was begun", "handed-early.png");
  await window.fill("Organization", "Acme Cloud");
  await window.click("button", "Create store");
  await refused("belongs to no consent that was begun here");
  await window.sees("Connect your first customer");
  ({ id: account } = (await ask("accounts.create", { body: { fullname: "Globex" } })).account);
  await ask("provider_apps.create", {
    body: { provider: "identity_openid", fullname: "App", issuer: oidc.facts.issuer, client_id: oidc.facts.client_id, redirect_uris: [REDIRECT], scopes: [] },
  });
});

test("the address at which the browser came back finishes its consent, once", async () => {
  const id = await awaiting("People");
  await window.go(`/integrations/${account}/${id}?do=connect`);
  await window.click("button", "Connect in my browser");
  const start = await until("the browser to be opened", () => readFileSync(opened, "utf8").trim());
  const callback = callbackOf(start);
  await handOver(callback);
  await window.sees("Connected. ");
  await window.sees("People is connected.");
  await window.picture(join(pictures, "handed-connected.png"));
  assert.equal(await statusOf(id), "active");
  await window.click("button", "Done");

  await handOver(callback);
  await refused("This answer was used before", "handed-replayed.png");
  assert.equal(await statusOf(id), "active", "what came twice harms nothing");
});

test("what was forged, went elsewhere or is no address changes nothing, and is told", async () => {
  const id = await awaiting("Forged");
  const session = await begin(id);
  const callback = callbackOf(session.authorize_url);
  const altered = (name, value) => {
    const url = new URL(callback);
    url.searchParams.set(name, value);
    return url.href;
  };
  for (const [words, ...given] of [
    ["belongs to no consent that was begun here", altered("state", "forged")],
    ["came to another address", callback.replace("127.0.0.1", "localhost")],
    ["came to another address", callback.replace("/oauth/callback", "/oauth/callback/")],
    ["it has no `state`", REDIRECT],
    ["several arguments", callback, callback],
    ["does not begin with https://", callback.replace("http:", "patchbay:")],
    ["does not begin with https://", "file:///etc/passwd"],
    ["is no web address", "../../etc/passwd"],
    ["is no web address", "--version"],
    ["too long", `${callback}&x=${"x".repeat(100_000)}`],
  ]) {
    await handOver(...given);
    await refused(words);
    assert.deepEqual([await stateOf(session), await statusOf(id)], ["begun", "awaiting_consent"], given[0].slice(0, 80));
  }
  // And the right one still does what it would have done.
  await handOver(callback);
  await window.sees("Forged is connected.");
  assert.equal(await statusOf(id), "active");
});

test("a start with the address is as good as a second one", async () => {
  const id = await awaiting("After a restart");
  const callback = callbackOf((await begin(id)).authorize_url);
  logs.push(desktop.driver.log);
  window = await desktop.restart(callback);
  await window.sees("After a restart is connected.");
  assert.equal(await statusOf(id), "active");
  await window.click("button", "Show it");
  await window.element("heading", "After a restart");
});

test("codes and states are in no log, no page and no file", async () => {
  logs.push(desktop.driver.log, await window.script(() => document.documentElement.outerHTML));
  assert.equal(secrets.length, 6, "there was something to be found");
  assert.match(logs.join("\n"), /finished no consent/, "and somewhere to look");
  for (const secret of secrets) {
    assert.ok(!logs.some((log) => log.includes(secret)), "a code or state was logged");
    for (const [name, text] of ["data", "config", "cache"].flatMap((part) => written(join(desktop.folder, part)))) {
      assert.ok(!text.includes(secret), `a code or state lies in ${name}`);
    }
  }
});
