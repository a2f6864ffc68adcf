// Consent through the system's browser and a loopback redirect (RFC 8252), judged by a real authorization server. What stands
// for the browser is a program that signs in and allows, and then goes where it is sent: to our listener.

import { after, before, test } from "node:test";
import { assert, Desktop, peer, until } from "./desktop.mjs";

let desktop, window, oidc;

before(async () => {
  [oidc, desktop] = await Promise.all([peer("node", "tests/peers/oidc.mjs"), Desktop.open()]);
  desktop.browseAs(oidc.facts.users[0]);
  window = await desktop.start();
  await window.fill("Organization", "Acme Cloud");
  await window.click("button", "Create store");
  await window.sees("Connect your first customer");
});

after(async () => {
  await desktop?.close();
  await oidc?.close();
});

async function ask(command, params) {
  const { value, problem } = await window.rpc(command, params);
  assert.equal(problem, undefined, `${command}: ${problem?.message}`);
  return value.result ?? value;
}

test("the browser comes back to a loopback address and the integration is active", async () => {
  const { account } = await ask("accounts.create", { body: { fullname: "Globex" } });
  await ask("provider_apps.create", {
    body: {
      provider: "identity_openid",
      fullname: "App",
      issuer: oidc.facts.issuer,
      client_id: oidc.facts.client_id,
      redirect_uris: ["http://127.0.0.1:47811/oauth/callback"],
      scopes: [],
    },
  });
  const { integration } = await ask("integrations.create", {
    path: { account_id: account.id },
    body: { fullname: "People", provider_config: { type: "identity_openid", issuer: oidc.facts.issuer, credential: { type: "o_auth_user" } } },
  });
  await window.go(`/integrations/${account.id}/${integration.id}?do=connect`);
  await window.click("button", "Connect in my browser");
  await window.sees("accepted the connection");
  const connected = await until("the integration to be active", async () => {
    const now = await ask("integrations.get", { path: { account_id: account.id, integration_id: integration.id } });
    return now.x_patchbay.status === "active" && now;
  });
  assert.equal(connected.provider_config.credential.type, "o_auth_user_id");
});
