// A sample store behind a server that talks with simulated providers and with nobody else, opened in the native window; and the
// person at those providers, who has a keyboard and nothing else.

import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { built, Desktop, firstLine, root, until } from "./desktop.mjs";

const patchbay = join(built, "patchbay");

/** What the simulated providers were asked, ordered and told, from outside. */
class Control {
  constructor(facts) {
    this.facts = facts;
  }

  async #ask(path, body) {
    const answer = await fetch(`${this.facts.control}${path}`, body && { method: "POST", body: JSON.stringify(body) });
    assert.ok(answer.ok, `${path}: ${await answer.clone().text()}`);
    return answer.json();
  }

  /** What this provider was asked of this kind. */
  async asked(provider, what) {
    return (await this.#ask("/log")).filter((entry) => entry.provider === provider && entry.what === what);
  }

  /** Makes trouble at one provider. */
  order(provider, fault) {
    return this.#ask("/faults", { provider, ...fault });
  }

  /** Has the client of a provider know these redirect URIs alone. */
  register(provider, redirect_uris) {
    return this.#ask("/clients", { provider, redirect_uris });
  }
}

export class Rehearsed {
  /** Starts it with these providers, and opens it in the window. */
  static async open(providers) {
    const rehearsed = new Rehearsed();
    const desktop = await Desktop.open();
    rehearsed.desktop = desktop;
    try {
      await rehearsed.#begin(providers);
    } catch (error) {
      await desktop.close();
      throw error;
    }
    return rehearsed;
  }

  async #begin(providers) {
    const { desktop } = this;
    const told = async (...words) => JSON.parse(await firstLine(desktop.run(patchbay, [...words, "--output", "json"])));
    const facts = await told("simulate", ...providers.flatMap((id) => ["--provider", id]));
    this.control = new Control(facts);
    this.providers = new Map(facts.providers.map((provider) => [provider.id, provider]));
    const store = ["--store", `sqlite:${join(desktop.folder, "far.db")}`, "--key-source", `file:${join(desktop.folder, "far.key")}`];
    await told("init", ...store, "--sample");
    this.token = (await told("token", "mint", ...store)).primary.access.secret;
    this.server = (await told("serve", ...store, "--listen", "127.0.0.1:0", "--allow-private-networks", "--rehearse", facts.listening)).listening;
    ({ id: this.account } = (await this.api("POST", "/v1/accounts", { fullname: "Globex Corporation" })).account);
    const own = (await told("token", "mint", ...store)).primary;
    this.#browse();
    const window = await desktop.start();
    this.window = window;
    await window.click("button", "Open a store");
    await window.click("radio", "Patchbay server");
    await window.fill("Address of the server", this.server);
    await window.fill("Access token", own.access.secret);
    await window.fill("Refresh secret", own.refresh.secret);
    await window.click("button", "Open store");
    await until("the store", async () => (await this.ask("session.info")).store.url === this.server);
  }

  close() {
    return this.desktop.close();
  }

  /** One result of a command in the window, or a failed test with the problem's words. */
  async ask(command, params) {
    const { value, problem } = await this.window.rpc(command, params);
    assert.equal(problem, undefined, `${command}: ${problem?.message}`);
    return value.result ?? value;
  }

  /** A request to the server itself, as a program of the organization makes it. */
  async api(method, path, body) {
    const headers = { authorization: `Bearer ${this.token}`, "content-type": "application/json" };
    const answer = await fetch(`${this.server}${path}`, { method, headers, body: JSON.stringify(body) });
    const text = await answer.text();
    assert.ok(answer.ok, `${method} ${path}: ${text}`);
    return text === "" ? null : JSON.parse(text).result;
  }

  /** The organization's own client at a provider, registered there by its administrator. `issuer` is where a provider is that customers run. */
  async app(id, { issuer, redirect_uris }) {
    const { client_id, client_secret } = this.providers.get(id);
    await this.control.register(id, redirect_uris);
    return this.api("POST", "/v1/x/provider-apps", { provider: id, fullname: `Played ${id}`, issuer, client_id, client_secret, redirect_uris, scopes: [] });
  }

  /** An integration that awaits its consent. */
  async awaiting(id, fullname) {
    const { sample_config } = this.providers.get(id);
    const provider_config = { ...sample_config, type: id, credential: { type: "o_auth_user" } };
    const { integration } = await this.api("POST", `/v1/integrations/${this.account}`, { fullname, provider_config });
    const { fullname: title } = await this.ask("capabilities.get_provider", { path: { provider_id: id } });
    return { id: integration.id, provider: id, fullname, title };
  }

  path({ id }) {
    return { account_id: this.account, integration_id: id };
  }

  async now(integration) {
    return this.ask("integrations.get", { path: this.path(integration) });
  }

  /** The newest consent of an integration. */
  async session(integration) {
    const [newest] = await this.ask("connect.latest", { path: this.path(integration) });
    return newest;
  }

  flight({ id }) {
    return this.ask("connect.flight", { path: { connect_session_id: id } });
  }

  /** The consent window, in front. Its title says which provider it is for. */
  front({ title }) {
    return this.desktop.windowNamed(`Connect ${title}`);
  }

  gone({ title }) {
    return until("the consent window to close", async () => (await this.desktop.xdotool("search", "--onlyvisible", "--name", `Connect ${title}`).catch(() => "")) === "");
  }

  /** Opens the provider's page in the consent window, from the dialog that is open in the main one. Gives the consent. */
  async setOut(integration, words = "Connect in a window") {
    const before = await this.session(integration);
    await this.window.click("button", words);
    const session = await until("the consent to begin", async () => {
      const newest = await this.session(integration);
      return newest?.id !== before?.id && newest;
    });
    await this.#pages(session, 1);
    await this.front(integration);
    return session;
  }

  /** Signs in at the page of `setOut`; the provider asks then. */
  async signIn(integration, session) {
    const { person } = this.providers.get(integration.provider);
    const { desktop } = this;
    await this.front(integration);
    await desktop.xdotool("key", "Tab");
    await desktop.xdotool("type", "--delay", "20", person.login);
    await desktop.xdotool("key", "Tab");
    await desktop.xdotool("type", "--delay", "20", person.password);
    await desktop.xdotool("key", "Return");
    await this.#pages(session, 2);
  }

  /** Agrees to what `signIn` led to. */
  async allow(integration) {
    await this.front(integration);
    await this.desktop.xdotool("key", "Tab", "Return");
  }

  /** Waits until so many pages of the provider were shown in the consent window. */
  async #pages(session, count) {
    await until(`page ${count} of the provider`, async () => (await this.flight(session)).filter(({ kind }) => kind === "navigated").length >= count);
  }

  /** Puts in the place of the system's browser a person who signs in at the simulated provider, allows what is asked, and goes where that leads. */
  #browse() {
    const [{ person }] = this.providers.values();
    const programs = join(this.desktop.folder, "bin");
    mkdirSync(programs);
    const script = `#!/usr/bin/env python3
import sys
sys.path.insert(0, ${JSON.stringify(join(root, "tests/peers"))})
from person import rehearse
rehearse(sys.argv[1], ${JSON.stringify(person.login)}, ${JSON.stringify(person.password)})
`;
    writeFileSync(join(programs, "xdg-open"), script, { mode: 0o755 });
    this.desktop.environment.PATH = `${programs}:${this.desktop.environment.PATH}`;
  }
}
