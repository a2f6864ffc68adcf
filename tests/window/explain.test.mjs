// "Explain this page" in the consent window, against a simulated provider: its text is read when that is pressed and at no other time,
// never where a password can be entered, and nobody gets it before the person has seen it.

import { after, before, test } from "node:test";
import { join } from "node:path";
import { assert, pause, root, until } from "./desktop.mjs";
import { Rehearsed } from "./rehearsed.mjs";

const pictures = join(root, ".cache/screenshots/window");
const JIRA = "ticketing_jira";
let world, desktop, window;

/** Opens the provider's page in the consent window. */
async function connect(fullname) {
  const integration = await world.awaiting(JIRA, fullname);
  await window.go(`/integrations/${world.account}/${integration.id}?do=connect`);
  await window.sees(`Connect ${fullname}`);
  return world.setOut(integration);
}

const flight = (session) => world.flight(session);
const kinds = async (session) => (await flight(session)).map(({ kind }) => kind);
const dialog = (title) => desktop.windowNamed(title);
const gone = (title) => until(`"${title}" to close`, async () => (await desktop.xdotool("search", "--onlyvisible", "--name", title).catch(() => "")) === "");

before(async () => {
  world = await Rehearsed.open([JIRA]);
  ({ desktop, window } = world);
  await world.app(JIRA, { redirect_uris: ["https://patchbay.sim.invalid/oauth/callback"] });
});

after(() => world?.close());

test("a page with a password field is not read", async () => {
  const session = await connect("Signing in");
  await desktop.xdotool("key", "alt+e");
  await dialog("This page was not read");
  await desktop.picture(join(pictures, "explain-password.png"));
  await desktop.xdotool("key", "Return");
  await gone("This page was not read");
  assert.deepEqual((await kinds(session)).filter((kind) => kind === "explained"), [], "nothing of it was recorded");
  await desktop.windowNamed("Connect Jira");
  await desktop.xdotool("key", "alt+c");
  await window.sees("The consent was cancelled. Nothing was changed.");
});

test("a refusal is read when that is asked for, shown first, and explained", async () => {
  await world.control.order(JIRA, { fault: "refuse_window", times: 20 });
  const session = await connect("Refused in windows");
  await desktop.xdotool("key", "alt+e");
  await dialog("Explain this page");
  await desktop.picture(join(pictures, "explain-shown.png"));
  await pause(500);
  assert.ok(!(await kinds(session)).includes("explained"), "nobody has it before the person has seen it");
  await desktop.xdotool("key", "alt+d");
  await gone("Explain this page");
  assert.ok(!(await kinds(session)).includes("explained"), "nor when they do not want that");

  await desktop.windowNamed("Connect Jira");
  await desktop.xdotool("key", "alt+e");
  await dialog("Explain this page");
  await desktop.xdotool("key", "alt+s");
  await dialog("What this page means");
  await desktop.picture(join(pictures, "explain-explained.png"));
  await window.sees("does not show its page in windows of applications");
  const steps = await flight(session);
  const explained = steps.filter(({ kind }) => kind === "explained");
  assert.equal(explained.length, 1);
  assert.match(explained[0].detail.words, /disallowed_useragent/);
  assert.ok(steps.some(({ kind, detail }) => kind === "navigated" && detail.seen.path.endsWith("/authorize")), JSON.stringify(steps));
  await window.picture(join(pictures, "explain-dialog.png"));
  await desktop.xdotool("key", "alt+l");
  await gone("What this page means");
  await desktop.windowNamed("Connect Jira");
  await desktop.xdotool("key", "alt+c");
  await window.sees("What happened");
  await until("the end to be recorded", async () => (await kinds(session)).at(-1) === "ended");
});
