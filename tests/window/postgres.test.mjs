// A team's store on a real PostgreSQL, opened by the window's own form: what is wrong is said in a sentence, the work of another
// process appears, the switcher leads to a file and back, and a server that goes away is waited for.

import { after, before, test } from "node:test";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { assert, built, Desktop, firstLine, peer, root, until, written } from "./desktop.mjs";

const pictures = join(root, ".cache/screenshots/window");
const patchbay = join(built, "patchbay");
const passwords = { patchbay: "pass-of-patchbay-4711", stranger: "pass-of-a-stranger-4712" };
let desktop, window, cluster, key, server, token, second;

/** Runs statements as the administrator of the database server. */
function sql(text, database = "postgres") {
  const { bin, port, user, password } = cluster.facts;
  const words = ["-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", String(port), "-U", user, "-d", database, "-f", "-"];
  execFileSync(join(bin, "psql"), words, { input: text, env: { PATH: process.env.PATH, PGPASSWORD: password } });
}

/** An address of the database, with the password of the login or without. */
const address = (login, database = "team", password = "") => `postgres://${login}${password && `:${password}`}@127.0.0.1:${cluster.facts.port}/${database}`;

/** One result of a command, or a failed test with the problem's words. */
async function ask(command, params) {
  const { value, problem } = await window.rpc(command, params);
  assert.equal(problem, undefined, `${command}: ${problem?.message}`);
  return value.result ?? value;
}

/** A request to the second process that has the store open. */
async function elsewhere(method, path, body) {
  const answer = await fetch(`${second}${path}`, { method, headers: { authorization: `Bearer ${token}`, "content-type": "application/json" }, body: JSON.stringify(body) });
  assert.ok(answer.ok, `${method} ${path}: ${answer.status}`);
  return (await answer.json()).result;
}

async function open(where, password) {
  await window.fill("Address of the database", where);
  if (password) await window.fill("Password", password);
  await window.click("button", "Open store");
}

const focused = () => window.script(() => [...(document.activeElement?.labels ?? [])].map((label) => label.textContent.trim()).join());

before(async () => {
  [cluster, desktop] = await Promise.all([peer("python3", "tests/peers/postgres.py"), Desktop.open()]);
  key = join(desktop.folder, "team.key");
  for (const [login, rights] of [["patchbay", "CREATEROLE"], ["stranger", ""]]) sql(`CREATE ROLE ${login} LOGIN ${rights} PASSWORD '${passwords[login]}'`);
  sql("CREATE DATABASE team OWNER patchbay");
  sql("CREATE DATABASE bare OWNER patchbay");
  const store = ["--store", address("patchbay", "team", passwords.patchbay), "--key-source", `file:${key}`, "--output", "json"];
  const made = JSON.parse(await firstLine(desktop.run(patchbay, ["init", ...store, "--organization", "Team Ltd"])));
  token = made.organization.token.access.secret;
  server = desktop.run(patchbay, ["serve", ...store, "--listen", "127.0.0.1:0"]);
  second = JSON.parse(await firstLine(server)).listening;
  window = await desktop.start();
  await window.fill("Organization", "Own Ltd");
  await window.click("button", "Create store");
  await window.sees("Connect your first customer");
});

after(async () => {
  await desktop?.close();
  await cluster?.close();
});

test("what keeps the database shut is said in a sentence, and the store before stays open", async () => {
  await window.go("/store/open");
  await window.click("radio", "PostgreSQL");
  await window.click("radio", "Key file");
  await window.fill("Path of the key file", key);
  await open("postgres://127.0.0.1", "");
  await window.sees("The address begins with postgres:// and ends with the name of the database.");

  await open(address("patchbay"), "not the password");
  await window.sees("The database server does not let this login in.");
  await window.sees("Check the user in the address and its password");
  assert.match(await focused(), /^Password/, "the person is put where the answer is");
  await window.picture(join(pictures, "postgres-wrong-password.png"));

  await open(address("nobody"), passwords.patchbay);
  await window.sees('password authentication failed for user "nobody"');

  await open(address("patchbay", "missing"), passwords.patchbay);
  await window.sees("The database server has no database of this name.");

  await open(address("patchbay", "bare"), passwords.patchbay);
  await window.sees("create a store there with `patchbay init`");

  await open(address("stranger"), passwords.stranger);
  await window.sees("The login `stranger` may not make \"stranger\" a member of patchbay_management");
  await window.sees("GRANT patchbay_management TO \"stranger\";");
  await window.picture(join(pictures, "postgres-missing-role.png"));

  assert.equal((await ask("session.info")).organization.fullname, "Own Ltd");
  assert.equal((await ask("app.recent")).length, 1, "what did not open is not remembered");
});

test("a wrong key opens nothing, and is not taken for a wrong password", async () => {
  const other = join(desktop.folder, "other.key");
  writeFileSync(other, `${randomBytes(32).toString("base64")}\n`, { mode: 0o600 });
  await window.fill("Path of the key file", other);
  await open(address("patchbay"), passwords.patchbay);
  await window.sees("The key does not belong to this store");
  await window.fill("Path of the key file", key);
});

test("the form opens it, and the password stays in the keyring", async () => {
  await window.click("radio", "Production");
  // As it is pasted from elsewhere: the password goes to its own field.
  await window.fill("Address of the database", "x");
  await window.script((pasted) => {
    document.activeElement.value = pasted;
    document.activeElement.dispatchEvent(new InputEvent("input", { bubbles: true, inputType: "insertFromPaste" }));
  }, address("patchbay", "team", passwords.patchbay));
  assert.equal(await window.script(() => document.activeElement.value), address("patchbay"), "the password is out of sight");
  await window.click("button", "Open store");
  await window.sees("Team Ltd");
  const info = await ask("session.info");
  assert.deepEqual([info.store.kind, info.store.url, info.store.mark], ["postgres", address("patchbay"), "prod"]);
  assert.equal(await window.script(() => document.documentElement.dataset.band), "prod");
  await window.go("/store");
  await window.sees(`Key file ${key}`);
  await window.picture(join(pictures, "postgres-store.png"));
  const page = await window.script(() => document.documentElement.outerHTML);
  assert.ok(!page.includes(passwords.patchbay), "the password is nowhere in the page");
  for (const [name, text] of ["home", "data", "config", "cache"].flatMap((name) => written(join(desktop.folder, name)))) {
    assert.ok(!text.includes(passwords.patchbay), `${name} holds no password`);
  }
});

test("an account and an integration are made, and lie in the database", async () => {
  await window.go("/accounts/new");
  await window.fill("Account", "Globex Corporation");
  await window.click("button", "Create account", { within: "form" });
  await window.sees("Globex Corporation");
  await window.go("/integrations/new");
  await window.pick("Account", "Globex");
  await window.pick("Provider", "Mock Ticketing");
  await window.click("button", "Create integration", { within: "form" });
  const integration = await until("the integration", async () => (await ask("integrations.list", {}))[0]);
  assert.deepEqual([integration.provider_type, integration.x_patchbay.status], ["ticketing_mock_ticketing", "active"]);
  await window.sees("Active");
  await window.picture(join(pictures, "postgres-integration.png"));
  const [account] = await elsewhere("GET", "/v1/accounts");
  assert.equal(account.name, "globex-corporation", "the other process sees it");
  const { answer } = await ask("integrations.call", {
    path: { account_id: integration.account_id, integration_id: integration.id },
    body: { operation: "create_ticket", body: { name: "A ticket through the database" } },
  });
  assert.equal(answer.result.name, "A ticket through the database", "the sealed token in the database opens and works");
});

test("what another process does appears by itself", async () => {
  await window.go("/accounts");
  await window.sees("1 account");
  const { account } = await elsewhere("POST", "/v1/accounts", { fullname: "Initech" });
  await window.sees("Initech", 5_000);
  await elsewhere("PATCH", `/v1/accounts/${account.id}`, [{ op: "replace", path: "/fullname", value: "Initech International" }]);
  await window.sees("Initech International", 5_000);
});

test("the switcher leads to the file and back, without a password", async () => {
  const switchTo = async (label, organization) => {
    await window.script(() => document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "o", ctrlKey: true, bubbles: true })));
    await window.sees("All stores");
    await window.picture(join(pictures, "postgres-switcher.png"));
    await window.click("link", label);
    await until(`the window to be with ${organization}`, () => window.script((name) => document.querySelector("header strong").textContent === name, organization));
  };
  await switchTo("patchbay.db", "Own Ltd");
  await window.go("/accounts");
  await window.sees("0 accounts");
  assert.ok(!(await window.text()).includes("Initech"), "nothing of the other store is on screen");
  const team = `team on 127.0.0.1:${cluster.facts.port}`;
  await switchTo(team, "Team Ltd");
  await window.go("/accounts");
  await window.sees("Initech International");
  await elsewhere("POST", "/v1/accounts", { fullname: "After the switch" });
  await window.sees("After the switch", 5_000);
  await switchTo("patchbay.db", "Own Ltd");
  await switchTo(team, "Team Ltd");
});

test("a database server that ends is told of in a sentence, and found again", async () => {
  await window.go("/overview");
  await cluster.tell("stop");
  const { problem } = await window.rpc("accounts.create", { body: { fullname: "Lost" } });
  assert.equal(problem?.code, "store_busy");
  assert.match(problem.message, /database server of this store cannot be reached/);
  await window.go("/members");
  await window.sees("The database server of this store cannot be reached at the moment", 30_000);
  await window.picture(join(pictures, "postgres-gone.png"));
  await cluster.tell("start");
  await until("the database", async () => (await window.rpc("accounts.list", {})).problem === undefined, 30_000);
  await window.go("/accounts");
  await window.sees("After the switch", 30_000);
  // The other process is there again too, and its changes still reach the window.
  await until("the other process", async () => (await fetch(`${second}/readyz`)).ok, 30_000);
  await elsewhere("POST", "/v1/accounts", { fullname: "After the break" });
  await window.sees("After the break", 30_000);
});

test("the next start opens it by the keyring, or says what is in the way", async () => {
  window = await desktop.restart();
  await window.sees("Team Ltd");
  assert.equal((await ask("session.info")).store.kind, "postgres");
  await cluster.tell("stop");
  window = await desktop.restart();
  await window.sees("The store does not open", 30_000);
  await window.sees("The database server of this store cannot be reached at the moment");
  await window.picture(join(pictures, "postgres-locked.png"));
  await cluster.tell("start");
  await window.click("button", "Open store");
  await window.sees("Team Ltd");
});

test("a password that was changed is asked for, and the new one is kept", async () => {
  const renewed = "another-pass-of-patchbay-4713";
  sql(`ALTER ROLE patchbay PASSWORD '${renewed}'`);
  window = await desktop.restart();
  await window.sees("The database asks for a password");
  await window.picture(join(pictures, "postgres-asks.png"));
  await window.fill("Password", renewed);
  await window.click("button", "Open store");
  await window.sees("Team Ltd");
  window = await desktop.restart();
  await window.sees("Team Ltd");
});
