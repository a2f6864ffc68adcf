// Whether what is shown can still be read anew and changed.
import { platform } from '$lib/platform';
import { client } from '$lib/query';
import { session } from '$lib/session.svelte';

/** A shorter silence is a restart or a hiccup, and not worth a banner. */
const PATIENCE = 3000;

let silentSince = $state<string | null>(null);
let told = $state(false);
let timer: ReturnType<typeof setTimeout> | undefined;

/** Follows the connection between this window and its own Patchbay until the returned function is called. */
export function followConnection(): () => void {
  const stop = platform.connection((answers) => {
    clearTimeout(timer);
    if (answers) {
      silentSince = null;
      if (told) void client.invalidateQueries();
      told = false;
    } else {
      silentSince ??= new Date().toISOString();
      timer = setTimeout(() => (told = true), PATIENCE);
    }
  });
  return () => {
    clearTimeout(timer);
    stop();
  };
}

/** Why nothing can be changed just now. */
export interface Standstill {
  /** `silent`: this window's Patchbay does not answer; `offline`: it answers, and the store's server does not. */
  kind: 'silent' | 'offline' | 'read_only';
  since: string | null;
}

export const connection = {
  get standstill(): Standstill | null {
    if (told && silentSince) return { kind: 'silent', since: silentSince };
    const { stage } = session;
    if (stage.at !== 'open') return null;
    if (stage.info.store.offline_since) return { kind: 'offline', since: stage.info.store.offline_since };
    return stage.info.read_only ? { kind: 'read_only', since: null } : null;
  },
  /** In a sentence, beside what cannot be done; nothing when it can. */
  get whyNot(): string | null {
    switch (connection.standstill?.kind) {
      case 'silent':
        return 'Patchbay does not answer just now. What you entered stays here; save it when the connection is back.';
      case 'offline':
        return 'The server does not answer just now, so nothing can be changed. What you entered stays here; save it when the connection is back.';
      case 'read_only':
        return 'The store is open for reading only, so nothing can be changed.';
      default:
        return null;
    }
  },
};
