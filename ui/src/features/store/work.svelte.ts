import { createQuery } from '@tanstack/svelte-query';
import { platform } from '$lib/platform';
import { client, key } from '$lib/query';
import type { StoreWork } from '$lib/wire';

const KEY = key('session', null, 'store.work');

/** The long work on the open store, followed closely while it goes on. */
export function storeWork() {
  return createQuery(() => ({
    queryKey: KEY,
    queryFn: () => platform.rpc('store.work', {}),
    refetchInterval: ({ state }) => (state.data && state.data.ended_at === undefined ? 500 : false),
  }));
}

/** Work that has just begun. */
export const took = (work: StoreWork) => client.setQueryData<StoreWork | null>(KEY, work);
