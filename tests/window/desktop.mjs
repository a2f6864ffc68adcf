// A desktop for one test: its own display, window manager, D-Bus session, unlocked keyring and home folder, and the
// application in it under WebDriver. Everything is ended by process id and leaves no file behind.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { freePort } from "../peers/patchbay.mjs";

export const root = join(dirname(fileURLToPath(import.meta.url)), "../..");
export const built = join(process.env.CARGO_TARGET_DIR ?? join(root, "target"), "debug");

export const pause = (ms) => new Promise((done) => setTimeout(done, ms));

/** Asks until the answer is truthy; the last error or answer is told when time is up. */
export async function until(what, ask, ms = 20_000) {
  const end = Date.now() + ms;
  let last;
  while (Date.now() < end) {
    try {
      last = await ask();
      if (last) return last;
    } catch (error) {
      last = error;
    }
    await pause(100);
  }
  throw new Error(`${what}: not within ${ms} ms; last: ${last?.message ?? JSON.stringify(last)}`);
}

/** The first line that a child prints on standard output. */
export function firstLine(child) {
  return new Promise((done, fail) => {
    let text = "";
    child.stdout.on("data", (part) => {
      text += part;
      if (text.includes("\n")) done(text.split("\n")[0]);
    });
    child.once("exit", (status) => fail(new Error(`${child.spawnargs.join(" ")} ended with ${status}`)));
  });
}

/** Processes below one, found by their parent's id, the deepest first. */
function descendants(pid) {
  const children = new Map();
  for (const entry of readdirSync("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      const parent = Number(readFileSync(`/proc/${entry}/stat`, "utf8").split(") ")[1].split(" ")[1]);
      children.set(parent, [...(children.get(parent) ?? []), Number(entry)]);
    } catch {
      // It ended meanwhile.
    }
  }
  const below = (id) => (children.get(id) ?? []).flatMap((child) => [...below(child), child]);
  return below(pid);
}

/** Whether a process has ended; one that has not is asked to. */
function ended(id) {
  try {
    process.kill(id, "SIGTERM");
    return false;
  } catch {
    return true;
  }
}

export class Desktop {
  #children = [];

  /** @param {{keyring?: boolean, environment?: Record<string, string>}} options */
  static async open({ keyring = true, environment = {} } = {}) {
    const desktop = new Desktop();
    desktop.folder = mkdtempSync(join(tmpdir(), "patchbay-window-"));
    const home = (name) => {
      const path = join(desktop.folder, name);
      mkdirSync(path, { recursive: true, mode: 0o700 });
      return path;
    };
    desktop.environment = {
      PATH: process.env.PATH,
      LANG: "C.UTF-8",
      HOME: home("home"),
      XDG_DATA_HOME: home("data"),
      XDG_CONFIG_HOME: home("config"),
      XDG_CACHE_HOME: home("cache"),
      XDG_RUNTIME_DIR: home("run"),
      NO_AT_BRIDGE: "1",
      GTK_A11Y: "none",
      RUST_LOG: "info",
      PATCHBAY_ALLOW_PRIVATE_NETWORKS: "1",
      ...environment,
    };
    const display = desktop.run("Xvfb", ["-displayfd", "1", "-screen", "0", "1280x860x24", "-nolisten", "tcp"]);
    desktop.environment.DISPLAY = `:${await firstLine(display)}`;
    const bus = desktop.run("dbus-daemon", ["--session", "--nofork", "--print-address"]);
    desktop.environment.DBUS_SESSION_BUS_ADDRESS = await firstLine(bus);
    desktop.run("openbox", ["--sm-disable"]);
    if (keyring) {
      const daemon = desktop.run("gnome-keyring-daemon", ["--foreground", "--unlock", "--components=secrets"]);
      daemon.stdin.end("keyring password");
      await until("the keyring", () => desktop.ownsName("org.freedesktop.secrets"));
    }
    return desktop;
  }

  run(program, words) {
    const child = spawn(program, words, { env: this.environment, cwd: this.folder, stdio: ["pipe", "pipe", "pipe"] });
    child.log = "";
    child.stderr.on("data", (part) => (child.log += part));
    child.on("error", (error) => (child.log += error.message));
    child.stdin.on("error", () => {});
    this.#children.push(child);
    return child;
  }

  /** Whether somebody on the session's bus owns this name. */
  async ownsName(name) {
    const words = ["--session", "--print-reply", "--dest=org.freedesktop.DBus", "/", "org.freedesktop.DBus.NameHasOwner", `string:${name}`];
    const child = this.run("dbus-send", words);
    let text = "";
    child.stdout.on("data", (part) => (text += part));
    await new Promise((done) => child.once("exit", done));
    return text.includes("true");
  }

  /** Starts the application under WebDriver, with these arguments, and waits for its window. */
  async start(...words) {
    const port = await freePort();
    this.environment.TAURI_WEBVIEW_AUTOMATION = "true";
    this.driver = this.run("WebKitWebDriver", [`--port=${port}`]);
    const base = `http://127.0.0.1:${port}`;
    await until("WebKitWebDriver", async () => (await fetch(`${base}/status`)).ok);
    const window = new Window(base);
    await window.begin(join(built, "patchbay-desktop"), words);
    this.window = window;
    return window;
  }

  /** Ends the application and starts it again in the same home, with these arguments. */
  async restart(...words) {
    const running = descendants(this.driver.pid);
    await this.window.end();
    // While the first is still ending, a second would hand over to it and go.
    await until("the application to end", () => descendants(this.driver.pid).length === 0);
    process.kill(this.driver.pid);
    // One that outlives its driver would take the next one for a second window of itself.
    await until("the application to end", () => running.every(ended));
    return this.start(...words);
  }

  /** Starts the application once more, beside the one that runs: it hands over what it was started with, and ends. */
  async startAgain(...words) {
    const second = this.run(join(built, "patchbay-desktop"), words);
    const status = await new Promise((done) => second.once("exit", done));
    assert.equal(status, 0, `the second process ends well: ${second.log}`);
    return second.log;
  }

  /** Runs xdotool on this display and gives what it printed. */
  xdotool(...words) {
    return new Promise((done, fail) => {
      const child = spawn("xdotool", words, { env: this.environment, stdio: ["ignore", "pipe", "pipe"] });
      let text = "";
      child.stdout.on("data", (part) => (text += part));
      child.stderr.on("data", (part) => (text += part));
      child.on("exit", (status) => (status === 0 ? done(text.trim()) : fail(new Error(`xdotool ${words.join(" ")}: ${text}`))));
    });
  }

  /** The window with this in its title, brought to the front. */
  async windowNamed(name) {
    const id = await until(`a window named ${name}`, async () => (await this.xdotool("search", "--onlyvisible", "--name", name)).split("\n")[0]);
    await this.xdotool("windowactivate", "--sync", id);
    return id;
  }

  /** Puts in the place of the system's browser a person who signs in at the OpenID peer, allows what is asked, and goes where that leads. */
  browseAs({ login, password }) {
    const programs = join(this.folder, "bin");
    mkdirSync(programs);
    const script = `#!/usr/bin/env python3
import sys
sys.path.insert(0, ${JSON.stringify(join(root, "tests/peers"))})
from person import browse
browse(sys.argv[1], ${JSON.stringify(login)}, ${JSON.stringify(password)})
`;
    writeFileSync(join(programs, "xdg-open"), script, { mode: 0o755 });
    this.environment.PATH = `${programs}:${this.environment.PATH}`;
  }

  /** A picture of the whole display. */
  async picture(file) {
    mkdirSync(dirname(file), { recursive: true });
    await new Promise((done) => spawn("import", ["-window", "root", file], { env: this.environment, stdio: "ignore" }).on("exit", done));
  }

  async close() {
    await this.window?.end().catch(() => {});
    const ids = this.#children.flatMap((child) => (child.pid ? [...descendants(child.pid), child.pid] : []));
    for (const how of ["SIGTERM", "SIGKILL"]) {
      for (const id of ids) {
        try {
          process.kill(id, how);
        } catch {
          // It ended already.
        }
      }
      await pause(how === "SIGTERM" ? 300 : 0);
    }
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** The application's own window, through WebDriver. Elements are found as a person finds them: by role and name. */
class Window {
  constructor(base) {
    this.base = base;
  }

  async ask(method, path, body) {
    const answer = await fetch(`${this.base}${path}`, { method, body: body === undefined ? undefined : JSON.stringify(body) });
    const { value } = await answer.json();
    if (!answer.ok) throw new Error(`${path}: ${value?.message ?? answer.status}`);
    return value;
  }

  async begin(binary, args) {
    const capabilities = { alwaysMatch: { "webkitgtk:browserOptions": { binary, args } } };
    const { sessionId } = await this.ask("POST", "/session", { capabilities });
    this.session = `/session/${sessionId}`;
  }

  end() {
    return this.ask("DELETE", this.session);
  }

  /** Runs a function in the page. */
  script(fn, ...args) {
    return this.ask("POST", `${this.session}/execute/sync`, { script: `return (${fn}).apply(null, arguments)`, args });
  }

  /** The element with this role and name (the start of it is enough), once it is there and enabled. */
  async element(role, name, { within } = {}) {
    try {
      return await until(`${role} "${name}"`, () => this.script(find, role, name, within ?? null), 10_000);
    } catch (error) {
      throw new Error(`${error.message}\nThe page says:\n${await this.text()}`, { cause: error });
    }
  }

  async click(role, name, options) {
    const element = await this.element(role, name, options);
    await this.ask("POST", `${this.session}/element/${Object.values(element)[0]}/click`, {});
  }

  /** Puts a value into a field, as typing does. */
  async fill(name, value, options) {
    const element = await this.element("textbox", name, options);
    const path = `${this.session}/element/${Object.values(element)[0]}`;
    await this.ask("POST", `${path}/clear`, {});
    await this.ask("POST", `${path}/value`, { text: value });
  }

  /** Types into a combobox with a list and takes the first option that fits. */
  async pick(name, text) {
    const element = await this.element("combobox", name);
    const path = `${this.session}/element/${Object.values(element)[0]}`;
    await this.ask("POST", `${path}/click`, {});
    await this.ask("POST", `${path}/value`, { text });
    await this.click("option", text);
    await until(`${name} to be chosen`, () => this.script(() => [...document.querySelectorAll("[role=option]")].every((option) => option.getClientRects().length === 0)));
  }

  text() {
    return this.script(() => document.body.innerText);
  }

  async sees(words, ms) {
    try {
      return await until(`the words "${words}"`, async () => (await this.text()).includes(words), ms);
    } catch (error) {
      throw new Error(`${error.message}\nThe page says:\n${await this.text()}`, { cause: error });
    }
  }

  /** Goes to a screen by its address. */
  async go(route) {
    await this.script((route) => void (location.hash = route), route);
  }

  /** The contract's commands, straight through IPC. Rejections come back as {problem}. */
  rpc(command, params = {}) {
    return this.ask("POST", `${this.session}/execute/async`, {
      script: `const [command, params, done] = arguments;
        window.__TAURI_INTERNALS__.invoke("rpc", { command, params }).then((value) => done({ value }), (problem) => done({ problem }));`,
      args: [command, params],
    });
  }

  async picture(file) {
    mkdirSync(dirname(file), { recursive: true });
    // What the page has become is painted with the frame after the next.
    await this.ask("POST", `${this.session}/execute/async`, { script: "const [done] = arguments; requestAnimationFrame(() => requestAnimationFrame(() => done()));", args: [] });
    writeFileSync(file, Buffer.from(await this.ask("GET", `${this.session}/screenshot`), "base64"));
  }
}

/* Runs inside the page. */
function find(role, name, within) {
  const selectors = {
    button: "button, [role=button], input[type=submit]",
    link: "a[href], [role=link]",
    textbox: "input:not([type=checkbox]):not([type=radio]), textarea, [role=textbox]",
    combobox: "select, [role=combobox]",
    checkbox: "input[type=checkbox], [role=checkbox]",
    radio: "input[type=radio], [role=radio]",
    row: "[role=row], tr",
    option: "[role=option], option",
    tab: "[role=tab]",
    heading: "h1, h2, h3, [role=heading]",
  };
  const named = (element) => {
    const by = element.getAttribute("aria-labelledby");
    const texts = [
      element.getAttribute("aria-label"),
      by && by.split(" ").map((id) => document.getElementById(id)?.textContent ?? "").join(" "),
      ...[...(element.labels ?? [])].map((label) => label.textContent),
      element.textContent,
      element.getAttribute("placeholder"),
      element.title,
    ];
    return texts.some((text) => text && text.trim().replace(/\s+/g, " ").startsWith(name));
  };
  const area = within ? document.querySelector(within) : document;
  if (!area) return null;
  return [...area.querySelectorAll(selectors[role] ?? role)].find((element) => element.getClientRects().length > 0 && !element.disabled && named(element)) ?? null;
}

/** Starts one of the real systems in tests/peers; it ends when our end of its standard input closes. */
export async function peer(...command) {
  const child = spawn(command[0], [...command.slice(1), "--stdin"], { cwd: root, stdio: ["pipe", "pipe", "inherit"] });
  const facts = JSON.parse(await firstLine(child));
  return {
    facts,
    close: () => new Promise((done) => child.once("exit", done) && child.stdin.end()),
    /** Gives a peer that takes commands one, and what it answers. */
    async tell(command) {
      const said = firstLine(child);
      child.stdin.write(`${command}\n`);
      return JSON.parse(await said);
    },
  };
}

/** Everything that the application wrote into its folders. */
export function written(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => [entry.name, readFileSync(join(entry.parentPath, entry.name), "latin1")]);
}

export { assert };
