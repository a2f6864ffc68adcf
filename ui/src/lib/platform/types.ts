import type { Change, Commands, LinkOffer, Problem, SignIn } from '$lib/wire';

/** What the program around the interface can do. */
export interface Capabilities {
  /** A window of the application for consent. */
  consentWindow: boolean;
  /** The system's browser with a loopback callback. */
  consentBrowser: boolean;
  /** The server's own callback address, in another tab. */
  consentLink: boolean;
  /** Stores on this machine can be created and opened. */
  localStores: boolean;
  /** A session that can be ended. */
  signOut: boolean;
  /** Links to other sites open in a tab; elsewhere they are shown to be copied. */
  openLinks: boolean;
}

export interface Platform {
  readonly host: 'desktop' | 'web';
  readonly can: Capabilities;
  /** Runs one command. Throws `ProblemError`. */
  rpc<C extends keyof Commands>(command: C, params: Commands[C]['params']): Promise<Commands[C]['result']>;
  /** Changes of the store, until the returned function is called. `gap` asks to read everything anew. */
  events(listener: (change: Change) => void, gap: () => void): () => void;
  /** Tells when this window's own Patchbay stops answering and when it answers again. */
  connection(listener: (answers: boolean) => void): () => void;
  /** Exchanges a token, a logon or a one-time link for a cookie that no script can read. */
  signIn(how: SignIn): Promise<void>;
  /** What an invitation or reset link is for, without using it. */
  lookAtLink(link: string): Promise<LinkOffer>;
  signOut(): Promise<void>;
  copy(text: string): Promise<void>;
  /** Hands a file to the person; answers where it went, or nothing when cancelled. */
  saveFile(name: string, content: string): Promise<string | null>;
  /** Small choices of the person (theme, columns). Never anything secret. */
  preference(name: string): string | null;
  setPreference(name: string, value: string | null): void;
}

/** A problem as an exception. */
export class ProblemError extends Error {
  readonly problem: Problem;
  constructor(problem: Problem) {
    super(problem.message);
    this.name = 'ProblemError';
    this.problem = problem;
  }
}
