// The first whole journey in the native window: a new store, a customer, a connection authorized in the consent window at a
// real authorization server, and the tickets of a real Redmine through the unified API.

import { after, before, test } from "node:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { assert, Desktop, pause, peer, root, until } from "./desktop.mjs";

const pictures = join(root, ".cache/screenshots/window");
let desktop, window, oidc, redmine;

before(async () => {
  [oidc, redmine, desktop] = await Promise.all([peer("node", "tests/peers/oidc.mjs"), peer("python3", "tests/peers/redmine.py"), Desktop.open()]);
  window = await desktop.start();
});

after(async () => {
  await desktop?.close();
  await Promise.all([oidc?.close(), redmine?.close()]);
});

/** Runs in the page: keeps what goes over IPC and what comes back. */
function record() {
  const plain = window.fetch;
  window.__traffic = [];
  window.fetch = async (address, options) => {
    const answer = await plain(address, options);
    if (String(address).includes("ipc")) {
      const one = { sent: typeof options?.body === "string" ? options.body : new TextDecoder().decode(options?.body ?? new Uint8Array()), came: "" };
      window.__traffic.push(one);
      one.came = await answer.clone().text();
    }
    return answer;
  };
}

/** One result of a command, or a failed test with the problem's words. */
async function ask(command, params) {
  const { value, problem } = await window.rpc(command, params);
  assert.equal(problem, undefined, `${command}: ${problem?.message}`);
  return value.result ?? value;
}

test("first run makes a store whose key is in the keyring", async () => {
  await window.sees("Welcome to Patchbay");
  await window.picture(join(pictures, "first-run.png"));
  await window.fill("Organization", "Acme Cloud");
  await window.click("button", "Create store");
  await window.sees("Connect your first customer");
  const info = await ask("session.info");
  assert.equal(info.organization.fullname, "Acme Cloud", "the organization is the one that was typed");
  assert.equal(info.host, "desktop", "the window knows where it runs");
});

test("an account is made through its form", async () => {
  await window.click("link", "Create account");
  await window.fill("Account", "Globex Corporation");
  await window.click("button", "Create account", { within: "form" });
  await window.sees("Globex Corporation");
  const [account] = await ask("accounts.list", {});
  assert.equal(account.name, "globex-corporation", "the name is derived from the full name");
});

test("a provider app is set up with the redirect URI to register", async () => {
  await window.go("/providers/apps/new");
  await window.pick("Provider", "OpenID");
  await window.fill("Issuer", oidc.facts.issuer);
  await window.fill("Client ID", oidc.facts.client_id);
  await window.click("button", "Add provider app");
  const [app] = await until("the provider app", async () => {
    const apps = await ask("provider_apps.list", {});
    return apps.length > 0 && apps;
  });
  assert.equal(app.client_id, oidc.facts.client_id);
  assert.ok(app.redirect_uris.length > 0, "the form proposes a redirect URI");
});

test("consent in the second window makes the integration active", async () => {
  await window.go("/integrations/new");
  await window.pick("Account", "Globex");
  await window.pick("Provider", "OpenID");
  await window.fill("Issuer", oidc.facts.issuer);
  await window.click("button", "Create and connect");
  await window.picture(join(pictures, "connect.png"));
  await window.click("button", "Connect in a window");

  await desktop.windowNamed("Connect OpenID");
  await until("the provider's page in the strip", () => desktop.xdotool("search", "--onlyvisible", "--name", "Connect OpenID"));
  await pause(2500);
  await desktop.picture(join(pictures, "consent-sign-in.png"));
  await desktop.xdotool("type", "--delay", "30", oidc.facts.users[0].login);
  await desktop.xdotool("key", "Tab");
  await desktop.xdotool("type", "--delay", "30", oidc.facts.users[0].password);
  await desktop.xdotool("key", "Return");
  await pause(2000);
  await desktop.picture(join(pictures, "consent-allow.png"));
  await desktop.xdotool("key", "Return");

  const integration = await until("the integration to be active", async () => {
    const [one] = await ask("integrations.list", {});
    return one.x_patchbay.status === "active" && one;
  });
  assert.equal(integration.provider_config.credential.type, "o_auth_user_id", "the configuration refers to the sealed tokens");
  await window.sees("Active");
  await window.picture(join(pictures, "connected.png"));
});

test("tickets of a real Redmine appear in Try it", async () => {
  await window.script(record);
  await window.go("/integrations/new");
  await window.pick("Account", "Globex");
  await window.pick("Provider", "Redmine");
  await window.fill("Server", redmine.facts.url);
  await window.fill("API access key", redmine.facts.users[0].api_key);
  await window.click("button", "Test connection");
  await window.sees("accepted the connection");
  await window.click("button", "Create integration", { within: "form" });
  const integration = await until("the Redmine integration", async () => {
    const all = await ask("integrations.list", {});
    return all.find((one) => one.provider_type === "ticketing_redmine");
  });
  assert.equal(integration.x_patchbay.status, "active");

  await window.click("link", "Try it", { within: "main" });
  await window.click("button", "Run");
  await window.sees("Unified answer");
  const tickets = await ask("integrations.call", {
    path: { account_id: integration.account_id, integration_id: integration.id },
    body: { operation: "query_tickets", query: { limit: 5 } },
  });
  const summary = tickets.answer.result[0].summary;
  await window.sees(summary);
  await window.picture(join(pictures, "try-it.png"));
  const page = await window.script(() => document.documentElement.outerHTML);
  assert.ok(!page.includes(redmine.facts.users[0].api_key), "the API key is nowhere in the page");
});

test("the API key crossed IPC only with the commands that enter it, and never came back", async () => {
  const traffic = await window.script(() => window.__traffic);
  const key = redmine.facts.users[0].api_key;
  const entering = traffic.filter((one) => one.sent.includes(key)).map((one) => JSON.parse(one.sent).command);
  assert.deepEqual([...new Set(entering)].sort(), ["integrations.create", "integrations.verify"]);
  assert.ok(traffic.length > 10, "the traffic was recorded");
  assert.ok(!traffic.some((one) => one.came.includes(key)), "no answer holds the key");
  const revealing = traffic.filter((one) => /pb[oirwk]_[0-9A-Za-z]{40}/.test(one.came)).map((one) => JSON.parse(one.sent).command);
  assert.deepEqual(revealing, ["integrations.create"], "a new token is revealed once, in the answer that makes it");
});

test("a command cannot be given a token, and no connector call is a command", async () => {
  for (const command of ["ticketing.query_tickets", "query_tickets", "/v1/ticketing/tickets"]) {
    const { problem } = await window.rpc(command, { token: "pbi_x" });
    assert.equal(problem?.status, 404, `${command} must not be a command`);
  }
});

test("a second process hands over to the first and ends", async () => {
  await desktop.startAgain();
  assert.equal((await window.rpc("app.state")).value.state, "open", "the first still has its store open");
});

test("the configuration is exported without secrets", async () => {
  const exported = await ask("configuration.export", {});
  const text = exported.content ?? exported.text ?? JSON.stringify(exported);
  assert.match(text, /globex-corporation/);
  assert.ok(!text.includes(redmine.facts.users[0].api_key), "no API key in the export");
  const files = readFileSync(join(desktop.folder, "data/dev.patchbay.desktop/patchbay.db"));
  assert.ok(!files.includes(redmine.facts.users[0].api_key), "no API key in the database file");
});
