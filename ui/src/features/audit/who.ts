import { createQuery } from '@tanstack/svelte-query';
import { platform } from '$lib/platform';
import { key } from '$lib/query';

/** Names of members; one that is not among them, or was deleted, stays an id. */
export function names() {
  const query = createQuery(() => ({
    queryKey: key('member', null, 'members.list', 'names'),
    queryFn: async () => new Map((await platform.rpc('members.list', { query: { limit: 500 } })).result.map((one) => [one.id, one.fullname])),
    retry: false,
  }));
  return (id: string | undefined): string => (id === undefined ? '' : (query.data?.get(id) ?? id));
}
