import { keepPreviousData, QueryClient } from '@tanstack/svelte-query';
import { ProblemError, platform } from '$lib/platform';
import type { Change, ChangeKind } from '$lib/wire';

/** First part of every query key; events name kinds. */
export type Kind = ChangeKind | 'overview' | 'catalog' | 'deadline' | 'session';

/** `[kind, account or nothing, command, parameters]`. */
export function key(kind: Kind, account: string | null, command: string, params: unknown = null) {
  return [kind, account, command, params] as const;
}

export const client = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 30_000,
      gcTime: 300_000,
      refetchOnWindowFocus: false,
      placeholderData: keepPreviousData,
      // Only what waiting a moment can mend is tried again. A store that is busy or away was waited for by the core already.
      retry: (count, error) => count < 2 && error instanceof ProblemError && (error.problem.status === 0 || error.problem.code === 'shutting_down'),
      retryDelay: (count) => 400 * 2 ** count,
    },
  },
});

/** Reads anew whatever shows objects of this kind, in this account if one is given. */
export function invalidate(kind: Kind, account: string | null = null): void {
  void client.invalidateQueries({
    predicate: ({ queryKey }) => queryKey[0] === kind && (account === null || queryKey[1] === null || queryKey[1] === account),
  });
}

/** Kinds whose change is also seen in other kinds' views. */
const SEEN_IN: Partial<Record<ChangeKind, Kind[]>> = {
  account: ['overview', 'deadline'],
  integration: ['overview', 'account', 'integration_point', 'deadline'],
  integration_point: ['overview', 'integration'],
  connect_session: ['integration'],
  revocation: ['overview'],
  credential: ['integration', 'deadline'],
  provider_app: ['deadline'],
  token: ['deadline'],
  member: ['deadline'],
  audit: ['overview'],
  definition: ['catalog', 'deadline'],
  organization: ['session'],
  key: ['session'],
};

/** Turns the host's changes into reading anew, gathered so that a burst costs one round. `who` is called when who is signed in,
 * where, or what the store can do may have changed. */
export function followEvents(who: () => void): () => void {
  const waiting = new Map<string, [Kind, string | null]>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const flush = () => {
    timer = undefined;
    for (const [kind, account] of waiting.values()) invalidate(kind, account);
    if ([...waiting.values()].some(([kind]) => kind === 'session')) who();
    waiting.clear();
  };
  const take = (change: Change) => {
    for (const kind of [change.kind, ...(SEEN_IN[change.kind] ?? [])]) waiting.set(`${kind}/${change.account_id ?? ''}`, [kind, change.account_id ?? null]);
    timer ??= setTimeout(flush, 120);
  };
  const stop = platform.events(take, () => {
    void client.invalidateQueries();
    who();
  });
  return () => {
    clearTimeout(timer);
    stop();
  };
}
