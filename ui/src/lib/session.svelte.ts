import { ProblemError, platform } from '$lib/platform';
import { endsSession, unexpected } from '$lib/problem';
import { client } from '$lib/query';
import type { AppState, Problem, RecentStore, SessionInfo } from '$lib/wire';

/** The application without an open store. */
export type Closed = Extract<AppState, { state: 'no_store' | 'locked' }>;

type Stage =
  | { at: 'starting' }
  | { at: 'trouble'; problem: Problem }
  | { at: 'opening'; store: RecentStore; place: string }
  | { at: 'store'; state: Closed }
  | { at: 'sign-in'; setup: string | null; notice: string | null }
  | { at: 'welcome'; link: string }
  /** `turn` rises with every store that is opened: nothing on screen outlives it. */
  | { at: 'open'; info: SessionInfo; turn: number };

let stage = $state.raw<Stage>({ at: 'starting' });
let turn = 0;

/** How soon the host is asked again whether the store is open, in milliseconds. */
const OPENING_AGAIN = 300;

interface OneTimeLink {
  /** `setup` signs in at once; at `welcome` a password is chosen first. */
  kind: 'setup' | 'welcome';
  secret: string;
}

/** The one-time link in the address, which is taken out of the address at once. */
function takeLink(): OneTimeLink | null {
  const match = /^#\/?(setup|welcome)[=/]([A-Za-z0-9_-]+)$/.exec(location.hash);
  if (!match) return null;
  history.replaceState(null, '', location.pathname);
  return { kind: match[1] as OneTimeLink['kind'], secret: match[2] ?? '' };
}

async function info(): Promise<void> {
  stage = { at: 'open', info: await platform.rpc('session.info', {}), turn };
}

export const session = {
  get stage(): Stage {
    return stage;
  },
  /** Who is signed in, where. Only screens behind the sign-in ask. */
  get info(): SessionInfo {
    if (stage.at !== 'open') throw new Error('nobody is signed in');
    return stage.info;
  },
  async start(): Promise<void> {
    const link = platform.host === 'web' ? takeLink() : null;
    try {
      if (link !== null) {
        stage = link.kind === 'setup' ? { at: 'sign-in', setup: link.secret, notice: null } : { at: 'welcome', link: link.secret };
        return;
      }
      if (platform.can.localStores) {
        const state = await platform.rpc('app.state', {});
        if (state.state === 'opening') {
          stage = { at: 'opening', store: state.store, place: state.default_path };
          setTimeout(() => stage.at === 'opening' && void this.start(), OPENING_AGAIN);
          return;
        }
        if (state.state !== 'open') {
          stage = { at: 'store', state };
          return;
        }
      }
      await info();
    } catch (error) {
      const problem = error instanceof ProblemError ? error.problem : unexpected(error);
      stage = endsSession(problem) && platform.can.signOut ? { at: 'sign-in', setup: null, notice: null } : { at: 'trouble', problem };
    }
  },
  /** After a store was opened or a sign-in succeeded. */
  async opened(): Promise<void> {
    client.clear();
    turn += 1;
    await info();
  },
  /** While a store is still being opened, or when it fails, another one can be. */
  instead(): void {
    stage = { at: 'store', state: { state: 'no_store', default_path: stage.at === 'opening' ? stage.place : '' } };
  },
  async refresh(): Promise<void> {
    if (stage.at === 'open') await info();
  },
  /** The same when nobody waits for it: what stands in the way shows elsewhere. */
  async refreshQuietly(): Promise<void> {
    try {
      await this.refresh();
    } catch (error) {
      if (error instanceof ProblemError && endsSession(error.problem)) this.ended('Your session has ended. Sign in again.');
      // A server that will not have us any more locks its store.
      else if (platform.can.localStores && (await platform.rpc('app.state', {})).state !== 'open') this.ended(null);
    }
  },
  ended(notice: string | null): void {
    client.clear();
    // In the application it is the store that asks for a new token.
    if (!platform.can.signOut) void this.start();
    else stage = { at: 'sign-in', setup: null, notice };
  },
  async signOut(): Promise<void> {
    await platform.signOut();
    this.ended(null);
  },
};

/** Whether this session may change things; screens leave out what it may not do. */
export function mayWrite(): boolean {
  const { read_only, permission_set } = session.info;
  return !read_only && permission_set !== 'viewer';
}

/** Whether this session may look at what only administrators see. */
export function administers(): boolean {
  const { permission_set } = session.info;
  return permission_set === undefined || permission_set === 'administrator';
}

/** Whether this session administers the organization (members, tokens, apps, points). */
export function mayAdminister(): boolean {
  return !session.info.read_only && administers();
}
