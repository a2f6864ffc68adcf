// Patchbay and its peers for tests written in JavaScript: a store in a folder of its own, `init`, `serve` on a free port.

import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
export const binary = (name) => join(process.env.CARGO_TARGET_DIR ?? join(root, 'target'), process.env.PROFILE ?? 'debug', name);

/** A port on loopback that nobody has just now. */
export function freePort() {
  return new Promise((done) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => done(port));
    });
  });
}

/** The first line that a child prints on standard output, read as JSON. */
function firstLine(child, what) {
  return new Promise((done, fail) => {
    let text = '';
    child.stdout.on('data', (part) => {
      text += part;
      if (text.includes('\n')) done(JSON.parse(text.split('\n')[0]));
    });
    child.once('exit', (status) => fail(new Error(`${what} ended with ${status}: ${child.log ?? ''}`)));
    child.once('error', fail);
  });
}

/** One of the scripts of this folder; it ends when our end of its standard input closes, or when this process ends. */
export async function peer(name, environment = {}) {
  const [program, script] = { redmine: ['python3', 'tests/peers/redmine.py'], oidc: ['node', 'tests/peers/oidc.mjs'] }[name];
  const child = spawn(program, [script, '--stdin'], { cwd: root, stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, ...environment } });
  child.log = '';
  child.stderr.on('data', (part) => (child.log += part));
  const facts = await firstLine(child, script);
  return { facts, close: () => new Promise((done) => child.once('exit', done) && child.stdin.end()) };
}

/** A provider of the catalog, played on this computer; what the program prints of it. */
export async function simulated(provider) {
  const child = spawn(binary('patchbay'), ['simulate', '--provider', provider, '--output', 'json'], { stdio: ['ignore', 'pipe', 'pipe'] });
  const facts = await firstLine(child, 'patchbay simulate');
  return { ...facts, close: () => new Promise((done) => child.once('exit', done) && child.kill('SIGINT')) };
}

/** One store with its key file. */
export class Installation {
  constructor() {
    this.folder = mkdtempSync(join(tmpdir(), 'patchbay-test-'));
    this.store = ['--store', `sqlite:${join(this.folder, 'store.db')}`, '--key-source', `file:${join(this.folder, 'key')}`];
  }

  /** Runs a command and answers its standard output; a status other than 0 is an error. */
  run(verb, ...words) {
    return execFileSync(binary('patchbay'), [...verb.split(' '), ...this.store, ...words], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  }

  init(organization) {
    return JSON.parse(this.run('init', '--organization', organization, '--output', 'json')).organization;
  }

  /** Starts the server; `log` grows while it runs. */
  async serve(...words) {
    const listen = words.includes('--listen') ? [] : ['--listen', '127.0.0.1:0'];
    const child = spawn(binary('patchbay'), ['serve', ...this.store, ...listen, '--output', 'json', '--allow-private-networks', '--drain', '0', ...words], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child.log = '';
    child.stderr.on('data', (part) => (child.log += part));
    const { listening } = await firstLine(child, 'patchbay serve');
    return {
      url: listening,
      get log() {
        return child.log;
      },
      stop: () => new Promise((done) => child.once('exit', done) && child.kill('SIGTERM')),
    };
  }

  close() {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** The Management API with an organization token. */
export function api(url, token) {
  return async (method, path, body) => {
    const answer = await fetch(url + path, {
      method,
      headers: { authorization: `Bearer ${token}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return text ? JSON.parse(text) : null;
  };
}
