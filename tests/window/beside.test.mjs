// The application and `patchbay serve` on one store at the same time: both work, and each sees what the other does.

import { after, before, test } from "node:test";
import { join } from "node:path";
import { assert, built, Desktop, firstLine, until } from "./desktop.mjs";

let desktop, window, store;

before(async () => {
  desktop = await Desktop.open();
  window = await desktop.start();
  await window.fill("Organization", "Acme Cloud");
  await window.click("button", "Create store");
  await window.sees("Connect your first customer");
  store = ["--store", (await window.rpc("app.state")).value.store.url, "--key-source", "keyring", "--output", "json"];
});

after(() => desktop?.close());

test("an account made through the server appears in the window, and the other way round", async () => {
  const patchbay = join(built, "patchbay");
  const { listening } = JSON.parse(await firstLine(desktop.run(patchbay, ["serve", ...store, "--listen", "127.0.0.1:0"])));
  const token = JSON.parse(await firstLine(desktop.run(patchbay, ["token", "mint", ...store])));
  const headers = { authorization: `Bearer ${token.primary.access.secret}`, "content-type": "application/json" };

  await window.go("/accounts");
  await window.sees("0 accounts");
  const made = await fetch(`${listening}/v1/accounts`, { method: "POST", headers, body: JSON.stringify({ fullname: "Initech" }) });
  assert.equal(made.status, 201);
  await window.sees("Initech", 5_000);

  const { problem } = await window.rpc("accounts.create", { body: { fullname: "Umbrella" } });
  assert.equal(problem, undefined);
  const names = await until("both accounts through the server", async () => {
    const { result } = await (await fetch(`${listening}/v1/accounts`, { headers })).json();
    return result.length === 2 && result.map((account) => account.name);
  });
  assert.deepEqual(names, ["initech", "umbrella"]);
});
