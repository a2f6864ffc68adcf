// A store's key: no keyring, then a passphrase; a locked store, the wrong passphrase and the right one.

import { after, before, test } from "node:test";
import { assert, Desktop } from "./desktop.mjs";

const passphrase = "a cord for every customer";
let desktop, window;

before(async () => {
  // No session bus, and so no keyring: the usual state of a machine without a desktop.
  desktop = await Desktop.open({ keyring: false });
  desktop.environment.DBUS_SESSION_BUS_ADDRESS = "unix:path=/nonexistent/bus";
  window = await desktop.start();
});

after(() => desktop?.close());

test("without a keyring the window says so in a sentence and offers the other ways", async () => {
  await window.fill("Organization", "Acme Cloud");
  await window.click("button", "Create store");
  await window.sees("keyring");
  await window.click("button", "Use a passphrase");
  assert.equal((await window.rpc("app.state")).value.state, "no_store", "nothing was made");
});

test("a passphrase makes the store instead", async () => {
  await window.fill("Passphrase", passphrase);
  await window.fill("The same again", passphrase);
  await window.click("button", "Create store");
  await window.sees("Connect your first customer");
  const page = await window.script(() => document.documentElement.outerHTML);
  assert.ok(!page.includes(passphrase), "the passphrase is not in the page any more");
});

test("the store is locked at the next start until the right passphrase is given", async () => {
  window = await desktop.restart();
  await window.sees("The store is locked");
  await window.fill("Passphrase", "a cord for no customer");
  await window.click("button", "Open store");
  await window.sees("passphrase");
  await window.fill("Passphrase", passphrase);
  await window.click("button", "Open store");
  await window.sees("Connect your first customer");
  assert.equal((await window.rpc("session.info")).value.organization.fullname, "Acme Cloud");
});
