import { platform } from '$lib/platform';
import { session } from '$lib/session.svelte';
import type { StoreMark } from '$lib/wire';

const read = (): StoreMark | undefined => {
  const kept = platform.preference('mark');
  return kept === 'prod' || kept === 'test' ? kept : undefined;
};

let own = $state<StoreMark | undefined>();
let asked = false;

/** What the open store is marked as: by the list of stores in the application, by this browser's own choice in a browser. */
export const mark = {
  get current(): StoreMark | undefined {
    if (platform.can.localStores) return session.info.store.mark;
    return session.info.store.mark ?? own;
  },
  /** Reads this browser's choice, once the platform is known. */
  start(): void {
    if (asked || platform.can.localStores) return;
    asked = true;
    own = read();
  },
  /** Marks the server for this browser. */
  keep(next: StoreMark | undefined): void {
    own = next;
    platform.setPreference('mark', next ?? null);
  },
};
