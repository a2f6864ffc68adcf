import { createQuery } from '@tanstack/svelte-query';
import { platform } from '$lib/platform';
import { client, key } from '$lib/query';
import { session } from '$lib/session.svelte';
import type { MarkStore, RecentStore } from '$lib/wire';

const KEY = key('session', null, 'app.recent');

/** The stores that this computer remembers, newest first; none in a browser. */
export function recentStores() {
  return createQuery(() => ({ queryKey: KEY, queryFn: () => platform.rpc('app.recent', {}), enabled: platform.can.localStores, staleTime: 0 }));
}

/** Names and marks a store, here and in the frame. */
export async function markStore(params: MarkStore): Promise<void> {
  client.setQueryData<RecentStore[]>(KEY, await platform.rpc('app.mark_store', params));
  await session.refresh();
}

/** Takes a store off the list. The store itself stays where it is. */
export async function forgetStore(url: string): Promise<void> {
  client.setQueryData<RecentStore[]>(KEY, await platform.rpc('app.forget_store', { url }));
}
