// The consent window against a page that does what it should not, and one that opens a popup, as sign-in pages do.

import { after, before, test } from "node:test";
import { readdirSync } from "node:fs";
import { createServer } from "node:http";
import { assert, Desktop, pause, until } from "./desktop.mjs";

let desktop, window, server, base;
const seen = [];

/** An authorization server's front: what the person sees is ours to decide, everything else of it is metadata. */
function front(request, response) {
  const url = new URL(request.url, base);
  seen.push(url.pathname);
  if (url.pathname === "/.well-known/openid-configuration") {
    response.setHeader("content-type", "application/json");
    return response.end(
      JSON.stringify({
        issuer: base,
        authorization_endpoint: `${base}/authorize`,
        token_endpoint: `${base}/token`,
        userinfo_endpoint: `${base}/me`,
        jwks_uri: `${base}/jwks`,
        response_types_supported: ["code"],
        subject_types_supported: ["public"],
        id_token_signing_alg_values_supported: ["RS256"],
        code_challenge_methods_supported: ["S256"],
      }),
    );
  }
  response.setHeader("content-type", "text/html");
  if (url.pathname === "/authorize") {
    const back = `${url.searchParams.get("redirect_uri")}?error=access_denied&state=${url.searchParams.get("state")}`;
    return response.end(`<!doctype html><title>Hostile</title><p>Press Enter to sign in elsewhere
      <script>
        onkeydown = () => open('/popup');
        const tried = (what) => fetch('/tried/' + what);
        for (const to of ['file:///etc/passwd', 'patchbay-evil://x', 'data:text/html,hello', '/file']) {
          const frame = document.createElement('a'); frame.href = to; document.body.append(frame); try { frame.click(); } catch {}
        }
        tried('internals-' + (typeof window.__TAURI_INTERNALS__?.invoke));
        window.__TAURI_INTERNALS__?.invoke('rpc', { command: 'accounts.list', params: {} }).then(() => tried('rpc-allowed'), () => tried('rpc-refused'));
        onmessage = () => (location = ${JSON.stringify(back)});
      </script>`);
  }
  if (url.pathname === "/file") {
    response.setHeader("content-disposition", 'attachment; filename="patchbay-download.txt"');
    return response.end("not asked for");
  }
  if (url.pathname === "/popup") {
    return response.end(`<!doctype html><title>Popup</title><p>Press Enter to allow<script>onkeydown = () => { opener.postMessage('done', '*'); close(); }</script>`);
  }
  response.end("");
}

before(async () => {
  server = createServer(front);
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  base = `http://127.0.0.1:${server.address().port}`;
  desktop = await Desktop.open();
  window = await desktop.start();
  await window.fill("Organization", "Acme Cloud");
  await window.click("button", "Create store");
  await window.sees("Connect your first customer");
});

after(async () => {
  await desktop?.close();
  server?.close();
});

async function ask(command, params) {
  const { value, problem } = await window.rpc(command, params);
  assert.equal(problem, undefined, `${command}: ${problem?.message}`);
  return value.result ?? value;
}

test("a hostile page stays where it is, a popup works, and a refusal is told", async () => {
  const { account } = await ask("accounts.create", { body: { fullname: "Globex" } });
  await ask("provider_apps.create", {
    body: { provider: "identity_openid", fullname: "App", issuer: base, client_id: "client", redirect_uris: ["http://127.0.0.1:47811/oauth/callback"], scopes: [] },
  });
  const { integration } = await ask("integrations.create", {
    path: { account_id: account.id },
    body: { fullname: "Sign in", provider_config: { type: "identity_openid", issuer: base, credential: { type: "o_auth_user" } } },
  });
  const { value: session, problem } = await window.rpc("consent.connect", { account_id: account.id, integration_id: integration.id, route: "window" });
  assert.equal(problem, undefined, problem?.message);

  await desktop.windowNamed("Connect OpenID");
  await until("the page", () => seen.some((path) => path.startsWith("/tried/internals")));
  await pause(1500);
  assert.ok(!seen.includes("/tried/rpc-allowed"), "the page called a command of ours");

  const found = readdirSync(desktop.folder, { recursive: true }).filter((name) => String(name).includes("patchbay-download"));
  assert.deepEqual(found, [], "a download was kept");

  await desktop.xdotool("key", "Return");
  await until("the popup's page", () => seen.includes("/popup"));
  const windows = (await desktop.xdotool("search", "--onlyvisible", "--name", "Connect OpenID")).split("\n");
  assert.equal(windows.length, 2, "the popup is a window of the same kind, with the same strip");
  await pause(1500);
  await desktop.xdotool("key", "Return");

  const outcome = await until("the end of the consent", async () => {
    const now = await ask("connect.get", { path: { connect_session_id: session.id } });
    return now.state !== "begun" && now.state !== "exchanging" && now;
  });
  assert.equal(outcome.state, "failed");
  assert.equal(outcome.code, "consent_denied");
  await until("the windows to close", async () => {
    const left = await desktop.xdotool("search", "--onlyvisible", "--name", "Connect OpenID").catch(() => "");
    return left === "";
  });
});
