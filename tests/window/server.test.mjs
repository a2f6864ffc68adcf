// Another Patchbay as the store of the window: opened by address and token, cut off, and back again.

import { after, before, test } from "node:test";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { assert, built, Desktop, firstLine, root, until } from "./desktop.mjs";

const pictures = join(root, ".cache/screenshots/window");
let desktop, window, store, token, server, address;

/** One result of a command, or a failed test with the problem's words. */
async function ask(command, params) {
  const { value, problem } = await window.rpc(command, params);
  assert.equal(problem, undefined, `${command}: ${problem?.message}`);
  return value;
}

async function serve(listen) {
  const child = desktop.run(join(built, "patchbay"), ["serve", ...store, "--listen", listen, "--output", "json"]);
  address = JSON.parse(await firstLine(child)).listening;
  return child;
}

/** Ends the server at once, as a power cut does. */
async function cut() {
  const ended = new Promise((done) => server.once("exit", done));
  process.kill(server.pid, "SIGKILL");
  await ended;
}

before(async () => {
  desktop = await Desktop.open();
  store = ["--store", `sqlite:${join(desktop.folder, "far.db")}`, "--key-source", `file:${join(desktop.folder, "far.key")}`];
  const made = execFileSync(join(built, "patchbay"), ["init", ...store, "--organization", "Far Ltd", "--output", "json"], { env: desktop.environment, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  token = JSON.parse(made).organization.token;
  server = await serve("127.0.0.1:0");
  window = await desktop.start();
});

after(() => desktop?.close());

test("a server is opened from the first run on, and refused with words", async () => {
  await window.click("button", "Open a store");
  await window.click("radio", "Patchbay server");
  await window.fill("Address of the server", "http://patchbay.example.com");
  await window.click("button", "Open store");
  await window.sees("Without https:// only a server on this computer is reached");
  await window.sees("Enter the access token.");
  await window.fill("Address of the server", address);
  await window.fill("Access token", "pbo_wrong");
  await window.click("button", "Open store");
  await window.sees("token", 10_000);
  await window.element("textbox", "Access token");
  await window.fill("Access token", token.access.secret);
  await window.fill("Refresh secret", token.refresh.secret);
  await window.click("radio", "Production");
  await window.click("button", "Open store");
  await window.sees("Connect your first customer");
  await window.sees("Far Ltd");
  await window.sees("Production");
  const page = await window.script(() => document.documentElement.outerHTML);
  const list = readFileSync(join(desktop.folder, "config/dev.patchbay.desktop/stores.json"), "utf8");
  for (const secret of [token.access.secret, token.refresh.secret]) assert.ok(!page.includes(secret) && !list.includes(secret), "a secret is entered once and shown nowhere");
});

test("what is done in the window is done on the server", async () => {
  await window.go("/accounts/new");
  await window.fill("Account", "Near and far");
  await window.click("button", "Create account", { within: "form" });
  await window.sees("Near and far");
  await window.go("/store");
  await window.sees("Patchbay server");
  await window.picture(join(pictures, "server.png"));
});

test("without the server the window reads, says since when, and changes nothing", async () => {
  await window.go("/accounts");
  await window.sees("Near and far");
  await cut();
  await window.sees("Offline since", 30_000);
  await window.picture(join(pictures, "server-offline.png"));
  await window.go("/accounts");
  await window.sees("Near and far");
  const { problem } = await window.rpc("accounts.create", { body: { fullname: "Lost" } });
  assert.equal(problem?.code, "server_unreachable", "a change is refused with words");
  await window.go("/accounts/new");
  await window.sees("The server does not answer just now");
});

test("the banner goes when the server is back", async () => {
  server = await serve(new URL(address).host);
  await until("the banner to go", async () => !(await window.text()).includes("Offline since"), 40_000);
  await ask("accounts.create", { body: { fullname: "After the break" } });
  await window.go("/accounts");
  await window.sees("After the break");
});

test("a start without the server shows what was read last", async () => {
  await cut();
  window = await desktop.restart();
  await window.sees("Offline since", 30_000);
  await window.sees("Far Ltd");
  server = await serve(new URL(address).host);
  await until("the banner to go", async () => !(await window.text()).includes("Offline since"), 40_000);
});
