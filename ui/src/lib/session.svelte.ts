import { ProblemError, platform } from '$lib/platform';
import { endsSession, unexpected } from '$lib/problem';
import { client } from '$lib/query';
import type { AppState, Problem, SessionInfo } from '$lib/wire';

type Stage =
  | { at: 'starting' }
  | { at: 'trouble'; problem: Problem }
  | { at: 'store'; state: Exclude<AppState, { state: 'open' }> }
  | { at: 'sign-in'; setup: string | null; notice: string | null }
  | { at: 'welcome'; link: string }
  | { at: 'open'; info: SessionInfo };

let stage = $state.raw<Stage>({ at: 'starting' });

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
  stage = { at: 'open', info: await platform.rpc('session.info', {}) };
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
        if (state.state !== 'open') {
          stage = { at: 'store', state };
          return;
        }
      }
      await info();
    } catch (error) {
      const problem = error instanceof ProblemError ? error.problem : unexpected(error);
      stage = endsSession(problem) ? { at: 'sign-in', setup: null, notice: null } : { at: 'trouble', problem };
    }
  },
  /** After a store was opened or a sign-in succeeded. */
  async opened(): Promise<void> {
    client.clear();
    await info();
  },
  async refresh(): Promise<void> {
    if (stage.at === 'open') await info();
  },
  /** The same when nobody waits for it: what stands in the way shows elsewhere. */
  async refreshQuietly(): Promise<void> {
    try {
      await this.refresh();
    } catch (error) {
      if (error instanceof ProblemError && endsSession(error.problem) && platform.can.signOut) this.ended('Your session has ended. Sign in again.');
    }
  },
  ended(notice: string | null): void {
    client.clear();
    stage = { at: 'sign-in', setup: null, notice };
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
