// A Patchbay server as the store of the window: opened with a token pair, worked on, cut off, found again, and opened anew from
// the keyring at the next start.

import { after, before, test } from "node:test";
import { join } from "node:path";
import { assert, built, Desktop, firstLine, until, written } from "./desktop.mjs";
import { lineTo } from "./line.mjs";

const patchbay = join(built, "patchbay");
let desktop, window, store, pair, line, listening;

/** One result of a command, or a failed test with the problem's words. */
async function ask(command, params) {
  const { value, problem } = await window.rpc(command, params);
  assert.equal(problem, undefined, `${command}: ${problem?.message}`);
  return value.result ?? value;
}

before(async () => {
  desktop = await Desktop.open();
  store = ["--store", `sqlite:${join(desktop.folder, "server.db")}`, "--key-source", `file:${join(desktop.folder, "server.key")}`];
  const made = JSON.parse(await firstLine(desktop.run(patchbay, ["init", ...store, "--organization", "Acme Cloud", "--output", "json"])));
  pair = made.organization.token;
  ({ listening } = JSON.parse(await firstLine(desktop.run(patchbay, ["serve", ...store, "--listen", "127.0.0.1:0", "--output", "json"]))));
  line = await lineTo(Number(new URL(listening).port));
  window = await desktop.start();
});

after(async () => {
  line?.cut();
  await desktop?.close();
});

test("a server is opened with a token pair, which goes into the keyring", async () => {
  await window.click("button", "Open a store");
  await window.click("radio", "Patchbay server");
  await window.fill("Address of the server", line.url);
  await window.fill("Access token", pair.access.secret);
  await window.fill("Refresh secret", pair.refresh.secret);
  await window.click("button", "Open store");
  await window.sees("Connect your first customer");
  const info = await ask("session.info");
  assert.equal(info.organization.fullname, "Acme Cloud");
  assert.deepEqual([info.host, info.store.kind, info.store.url], ["desktop", "remote", line.url]);
  const page = await window.script(() => document.documentElement.outerHTML);
  assert.ok(!page.includes(pair.access.secret) && !page.includes(pair.refresh.secret), "no token is in the page");
});

test("work in the window is work on the server", async () => {
  await window.go("/accounts/new");
  await window.fill("Account", "Globex Corporation");
  await window.click("button", "Create account", { within: "form" });
  await window.sees("Globex Corporation");
  const headers = { authorization: `Bearer ${pair.access.secret}`, "content-type": "application/json" };
  const { result } = await (await fetch(`${listening}/v1/accounts`, { headers })).json();
  assert.deepEqual(result.map((account) => account.name), ["globex-corporation"], "it is there, as others see it");
  await window.go("/accounts");
  const made = await fetch(`${listening}/v1/accounts`, { method: "POST", headers, body: JSON.stringify({ fullname: "Initech" }) });
  assert.equal(made.status, 201);
  await window.sees("Initech");
});

test("without a connection what was seen stays, and nothing can be changed", async () => {
  await window.go("/accounts");
  await window.sees("Initech");
  const seen = await ask("accounts.list", {});
  line.cut();
  await until("the window to know", async () => (await ask("session.info")).store.offline_since);
  assert.deepEqual(await ask("accounts.list", {}), seen, "what was read is still there");
  await window.go("/overview");
  await window.go("/accounts");
  await window.sees("Initech");
  const { problem } = await window.rpc("accounts.create", { body: { fullname: "Umbrella" } });
  assert.equal(problem?.code, "server_unreachable");
  assert.match(problem.message, /nothing can be changed now/);
  assert.equal((await ask("session.info")).read_only, true);
  await line.mend();
  await ask("app.reconnect");
  await until("the connection", async () => !(await ask("session.info")).store.offline_since);
  await ask("accounts.create", { body: { fullname: "Umbrella" } });
  await window.sees("Umbrella");
});

test("the next start opens the server by the keyring, also while it cannot be reached", async () => {
  window = await desktop.restart();
  await window.sees("Acme Cloud");
  assert.equal((await ask("session.info")).store.kind, "remote");
  line.cut();
  window = await desktop.restart();
  await window.sees("Acme Cloud");
  const info = await ask("session.info");
  assert.ok(info.store.offline_since, "it says that it is offline");
  await line.mend();
  await ask("app.reconnect");
  await until("the connection", async () => !(await ask("session.info")).store.offline_since);
});

test("neither tokens nor answers lie readable in the application's files", async () => {
  const files = ["home", "data", "config", "cache"].flatMap((name) => written(join(desktop.folder, name)));
  assert.ok(files.some(([name]) => name.endsWith(".answer")), "answers are kept");
  for (const [name, text] of files) {
    // The keyring's own file is sealed by its password.
    assert.ok(!text.includes(pair.access.secret) && !text.includes(pair.refresh.secret), `${name} holds no token`);
    if (name.endsWith(".answer")) assert.ok(!text.includes("globex"), `${name} cannot be read`);
  }
  const [known] = await ask("app.recent");
  assert.deepEqual([known.kind, known.url], ["remote", line.url]);
  assert.ok(known.account.length > 0 && !JSON.stringify(known).includes("pb"), "who acts there is remembered, and no secret");
});

test("a token that was revoked locks the store and takes its answers away", async () => {
  const headers = { authorization: `Bearer ${pair.access.secret}` };
  const before = await ask("session.info");
  // The window's own pair by now, and so is the container that it came from.
  await window.rpc("tokens.delete", { path: { refresh_token_id: before.token_id } });
  const state = await until("the store to lock", async () => {
    await window.rpc("accounts.list", {});
    const now = await ask("app.state");
    return now.state === "locked" && now;
  });
  assert.equal(state.code, "token_invalid");
  assert.equal((await fetch(`${listening}/v1/organization`, { headers })).status, 401);
  assert.ok(!written(join(desktop.folder, "cache")).some(([name]) => name.endsWith(".answer")), "what the token could read is gone");
});
