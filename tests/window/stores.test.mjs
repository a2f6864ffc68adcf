// Several stores in one window: marked, named, switched, looked through, copied and forgotten.

import { after, before, test } from "node:test";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { assert, built, Desktop, root, until } from "./desktop.mjs";

const pictures = join(root, ".cache/screenshots/window");
let desktop, window, second;

/** One result of a command, or a failed test with the problem's words. */
async function ask(command, params) {
  const { value, problem } = await window.rpc(command, params);
  assert.equal(problem, undefined, `${command}: ${problem?.message}`);
  return value;
}

/** What the strip above everything says. */
const band = () => window.script(() => document.documentElement.dataset.band);

before(async () => {
  desktop = await Desktop.open();
  second = { file: join(desktop.folder, "second.db"), key: join(desktop.folder, "second.key") };
  execFileSync(join(built, "patchbay"), ["init", "--store", `sqlite:${second.file}`, "--key-source", `file:${second.key}`, "--organization", "Second Ltd"], { env: desktop.environment, stdio: "ignore" });
  window = await desktop.start();
  await window.fill("Organization", "First Ltd");
  await window.click("button", "Create store");
  await window.sees("Connect your first customer");
});

after(() => desktop?.close());

test("a store is marked as production, in colour and in a word", async () => {
  await window.go("/store");
  await window.sees("How it is marked");
  await window.click("radio", "Production");
  await window.fill("Name of the store", "First, live");
  await window.click("button", "Save");
  await window.sees("First, live");
  assert.equal(await band(), "prod");
  assert.ok((await window.text()).includes("Production"), "the word stands in the frame");
  const [store] = await ask("app.recent");
  assert.deepEqual([store.mark, store.label, store.named], ["prod", "First, live", true]);
  await window.picture(join(pictures, "store-marked.png"));
});

test("another store is opened by its form, with words for what is wrong", async () => {
  await window.go("/store/open");
  await window.fill("Store file", join(desktop.folder, "nothing.db"));
  await window.click("radio", "Key file");
  await window.click("button", "Open store");
  await window.sees("Enter the path of the key file.");
  await window.fill("Path of the key file", second.key);
  await window.click("button", "Open store");
  await window.sees("There is no store at this place");
  assert.equal((await ask("session.info")).organization.fullname, "First Ltd", "the store before is still open");
  await window.fill("Store file", second.file);
  await window.click("radio", "Test");
  await window.click("button", "Open store");
  await window.sees("Second Ltd");
  await until("the mark of the second store", async () => (await band()) === "test");
  await window.picture(join(pictures, "store-opened.png"));
});

test("the switcher leads back, and nothing of the other store stays on screen", async () => {
  await ask("accounts.create", { body: { fullname: "Only in the second" } });
  await window.go("/accounts");
  await window.sees("Only in the second");
  await window.script(() => document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "o", ctrlKey: true, bubbles: true })));
  await window.sees("All stores");
  await window.picture(join(pictures, "switcher.png"));
  await window.click("link", "First, live");
  await window.sees("Connect your first customer");
  assert.equal(await band(), "prod");
  assert.equal((await ask("session.info")).organization.fullname, "First Ltd");
  await window.go("/accounts");
  await window.sees("0 accounts");
  assert.ok(!(await window.text()).includes("Only in the second"));
});

test("a change in the store that is open now still reaches the window", async () => {
  await ask("accounts.create", { body: { fullname: "After the switch" } });
  await window.sees("After the switch");
});

test("the palette switches too", async () => {
  await window.script(() => document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "k", ctrlKey: true, bubbles: true })));
  await window.fill("Search accounts", "switch to second");
  await window.click("option", "Switch to second.db");
  await window.sees("Second Ltd");
  await until("the second store", async () => (await ask("session.info")).organization.fullname === "Second Ltd");
});

test("the store is looked through, and copied into a new one that opens", async () => {
  await window.go("/store/check");
  await window.click("button", "Check the store");
  await window.sees("All is well", 60_000);
  await window.picture(join(pictures, "store-checked.png"));
  await window.go("/store/copy");
  await window.fill("New file", join(desktop.folder, "copy.db"));
  await window.click("button", "Copy the store");
  await window.sees("read back and found the same", 60_000);
  await window.picture(join(pictures, "store-copied.png"));
  await window.click("link", "Open the copy");
  await until("the copy to be open", async () => (await ask("app.state")).store.url.endsWith("copy.db"));
  const accounts = await ask("accounts.list", {});
  assert.deepEqual(accounts.result.map((one) => one.fullname), ["Only in the second"]);
});

test("a backup is made by hand", async () => {
  await window.go("/store/backups");
  await window.click("button", "Back up now");
  await window.sees("By hand, kept", 60_000);
  await window.picture(join(pictures, "store-backups.png"));
  const { result } = await ask("backups.list", {});
  assert.equal(result.backups.filter((one) => one.by_hand).length, 1);
});

test("the keys are rotated, and the store opens with the new one at the next start", async () => {
  await window.go("/store/keys");
  await window.sees("Comes from");
  await window.click("button", "Rotate", { within: "section section:nth-of-type(1)" });
  await window.sees("A new master key is made");
  await window.picture(join(pictures, "key-rotation.png"));
  await window.click("button", "Rotate", { within: "dialog" });
  await window.sees("The master key is new.");
  await window.picture(join(pictures, "keys.png"));
  window = await desktop.restart();
  await window.sees("Second Ltd");
  assert.equal((await ask("app.state")).state, "open");
});

test("a store is taken off the list and stays where it is", async () => {
  await window.go("/store/all");
  await window.sees("Stores that were open on this computer");
  await window.picture(join(pictures, "stores.png"));
  await window.click("button", "Forget second.db");
  await window.click("button", "Forget", { within: "dialog" });
  await until("it to be forgotten", async () => (await ask("app.recent")).every((one) => !one.url.endsWith("second.db")));
  await window.go("/store/open");
  await window.fill("Store file", second.file);
  await window.click("radio", "Key file");
  await window.fill("Path of the key file", second.key);
  await window.click("button", "Open store");
  await until("the second store", async () => (await ask("app.state")).store.url.endsWith("second.db"));
});
