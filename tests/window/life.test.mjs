// The life of a consent in the native window, for each provider of the source documents that a person consents to, as
// `patchbay simulate` plays it: consent, call, the end of the access token and its renewal, the end of all of it, consent anew on
// the same integration, and the end that we bring about ourselves, with its proof. And a provider that shows nothing in windows
// of applications: the person goes on in the browser, and the consent stays the one that it was.

import { after, before, test } from "node:test";
import { join } from "node:path";
import { freePort } from "../peers/patchbay.mjs";
import { assert, root, until } from "./desktop.mjs";
import { Rehearsed } from "./rehearsed.mjs";

const pictures = join(root, ".cache/screenshots/window");

/** The address at which the window stops; nobody is asked there. */
const REDIRECT = "https://patchbay.sim.invalid/oauth/callback";

/** What ends when we give it back is told by the provider, or by a person who looked there. */
const PROVIDERS = [
  { id: "ticketing_jira", ends: "manual" },
  { id: "ticketing_servicenow", ends: "proven" },
  { id: "ticketing_zendesk", ends: "proven" },
  { id: "identity_okta", ends: "proven" },
  { id: "chat_slack", ends: "proven" },
  // It takes answers on this computer too, so that a browser can bring them.
  { id: "crm_salesforce", ends: "proven", loopback: true },
  { id: "accounting_xero", ends: "proven" },
];

/** Its pages are shown in browsers alone. */
const REFUSES = "storage_google_drive";

let world, window, loopback;

before(async () => {
  world = await Rehearsed.open([...PROVIDERS.map(({ id }) => id), REFUSES]);
  ({ window } = world);
  loopback = `http://localhost:${await freePort()}/oauth/callback`;
});

after(() => world?.close());

/** The integration's page, with nothing of what was said before on it. */
async function atIntegration(integration, query = "") {
  await window.go("/overview");
  await window.go(`/integrations/${world.account}/${integration.id}${query}`);
  await window.element("heading", integration.fullname);
}

/** Presses "Test connection", which calls the provider with the credential. */
async function call(integration) {
  await atIntegration(integration);
  // What was said of the call before must not be taken for this one's.
  await window.script(() => document.querySelectorAll('[aria-label="Dismiss"]').forEach((button) => button.click()));
  await window.click("button", "Test connection");
}

async function works(integration) {
  await call(integration);
  await window.sees(`${integration.title} accepted the connection.`);
}

/** A whole consent: the dialog, the provider's pages in the window, and what the main window says in the end. */
async function consent(integration, words) {
  await atIntegration(integration);
  await window.click("button", words);
  const session = await world.setOut(integration);
  await world.signIn(integration, session);
  await world.allow(integration);
  await window.sees("Connected. ");
  await world.gone(integration);
  await window.click("button", "Done");
  return session;
}

/** How often tokens were renewed at the provider; each time it granted that. */
async function renewals(integration) {
  const asked = await world.control.asked(integration.provider, "refresh_token");
  return asked.filter(({ outcome }) => outcome === "granted").length;
}

const statusOf = async (integration) => (await world.now(integration)).x_patchbay.status;

/** The provider's own home, for those that customers run or that have a server of their own for each. */
const homeOf = (id) => {
  const { url } = world.providers.get(id).sample_config;
  return url && new URL(url).origin;
};

for (const { id, ends, ...more } of PROVIDERS) {
  test(`${id}: consent, renewal, expiry and the end of it, in the window`, async () => {
    await world.app(id, { issuer: homeOf(id), redirect_uris: more.loopback ? [REDIRECT, loopback] : [REDIRECT] });
    const integration = await world.awaiting(id, `Life of ${id}`);

    await consent(integration, "Connect");
    await works(integration);
    assert.equal(await statusOf(integration), "active");

    // Its access token ends: nobody is asked, and nobody notices.
    const before = await renewals(integration);
    await world.control.order(id, { fault: "expire_access" });
    await works(integration);
    assert.equal((await renewals(integration)) - before, 1, "it is renewed once");

    // All of it ends: a person is needed, and the window says so.
    await world.control.order(id, { fault: "expire_refresh" });
    await world.control.order(id, { fault: "expire_access" });
    await call(integration);
    await window.sees("Needs attention");
    assert.equal(await statusOf(integration), "needs_attention");
    await consent(integration, "Connect again");
    await works(integration);
    const again = await world.now(integration);
    assert.deepEqual([again.id, again.x_patchbay.status], [integration.id, "active"], "it is the same integration");

    // The person takes it back at the provider.
    await world.control.order(id, { fault: "revoke_grant" });
    await call(integration);
    await window.sees("Needs attention");
    await consent(integration, "Connect again");
    await works(integration);

    await disconnect(integration, ends);
  });
}

/** We give it back; what came of it is told on the integration's page. */
async function disconnect(integration, ends) {
  await window.click("button", "More");
  await window.click("[role=menuitem]", "Disconnect");
  await window.click("button", "Disconnect", { within: "dialog[open]" });
  await until("the integration to be disconnected", async () => (await statusOf(integration)) === "revoked");
  const newest = async () => (await world.ask("revocations.list", { query: { filter: [`integration_id[eq]${integration.id}`], order: ["created_at[desc]"], limit: 1 } }))[0];
  await until("the end of the revocation", async () => (await newest()).state === ends);
  assert.equal((await newest()).reason, "disconnected");
  await window.sees("Access taken back");
  if (ends === "manual") {
    await window.click("button", "It has ended there");
    await window.click("button", "It has ended", { within: "dialog[open]" });
    await window.sees("ended by a person");
  } else {
    await window.sees("proven ended");
  }
  assert.equal((await newest()).needs_person, false);
  await call(integration);
  await window.sees("Connect again");
  assert.equal(await statusOf(integration), "revoked", "a call does not bring it back");
  await window.picture(join(pictures, `life-${integration.provider}.png`));
}

test("what a page refuses to a window goes on in the browser, and is the same consent", async () => {
  const integration = await world.awaiting("crm_salesforce", "Left at a refusal");
  await atIntegration(integration);
  await window.click("button", "Connect");
  await world.control.order("crm_salesforce", { fault: "refuse_window" });
  const session = await world.setOut(integration);
  const [refusal] = (await world.control.asked("crm_salesforce", "authorize")).slice(-1);
  assert.equal(refusal.outcome, "window_refused");
  await world.desktop.picture(join(pictures, "life-refused.png"));
  await world.desktop.xdotool("key", "alt+b");
  await goesOn(integration, session);
});

test("somebody who has signed in in the window goes on in the browser, and the consent is the same", async () => {
  const integration = await world.awaiting("crm_salesforce", "Left half-way");
  await atIntegration(integration);
  await window.click("button", "Connect");
  const session = await world.setOut(integration);
  await world.signIn(integration, session);
  await window.click("button", "Continue in my browser");
  await goesOn(integration, session);
});

/** The browser finishes what the window began. */
async function goesOn(integration, { id }) {
  await window.sees("Connected. ");
  await world.gone(integration);
  const session = await world.session(integration);
  assert.deepEqual([session.id, session.state, session.route], [id, "completed", "browser"]);
  const steps = await world.flight(session);
  const legs = [...new Set(steps.filter(({ kind }) => kind === "prepared").map(({ leg_id }) => leg_id))];
  assert.equal(legs.length, 2, "what happened on both ways is one story");
  assert.deepEqual(steps.filter(({ kind }) => kind === "callback").map(({ leg_id }) => leg_id), [legs[1]], "answered on the second way, once");
  assert.equal(steps.at(-1).kind, "ended");
  await window.click("button", "Done");
  await works(integration);
}

test("a provider that shows nothing in windows is gone to in the browser from the start", async () => {
  await world.app(REFUSES, { redirect_uris: [loopback] });
  const integration = await world.awaiting(REFUSES, "Never in a window");
  await atIntegration(integration);
  await window.click("button", "Connect");
  await window.sees("Connect in a window: Google");
  await window.picture(join(pictures, "life-browser-alone.png"));
  // Whoever asks for the window all the same is taken to the browser.
  const { value: session, problem } = await window.rpc("consent.connect", { ...world.path(integration), route: "window" });
  assert.equal(problem, undefined, problem?.message);
  assert.equal(session.route, "browser");
  await until("the integration to be active", async () => (await statusOf(integration)) === "active");
  assert.deepEqual((await world.control.asked(REFUSES, "authorize")).filter(({ outcome }) => outcome === "window_refused"), [], "no window tried");
  await window.click("button", "Close", { within: "dialog[open] footer" });
  await works(integration);
});
