import { createInfiniteQuery, createQuery } from '@tanstack/svelte-query';
import { platform } from '$lib/platform';
import { key, type Kind } from '$lib/query';
import { router } from '$lib/router.svelte';
import { problemOf } from '$lib/task.svelte';
import type { Commands, Listed } from '$lib/wire';

export interface ListOptions {
  kind: Kind;
  command: keyof Commands;
  account?: string | null;
  path?: Record<string, string>;
  filters?: string[];
  order?: string[];
  expand?: string[];
  total?: boolean;
  limit?: number;
  enabled?: boolean;
}

/** A paged list: keyset pages are asked for as the person scrolls, old rows stay while new ones come. */
export function list<Row>(options: () => ListOptions) {
  const query = createInfiniteQuery(() => {
    const { kind, command, account = null, path, filters = [], order = [], expand, total = false, limit = 100, enabled = true } = options();
    return {
      queryKey: key(kind, account, command, { path, filters, order, expand, limit }),
      enabled,
      initialPageParam: undefined as string | undefined,
      queryFn: async ({ pageParam }: { pageParam: string | undefined }) => {
        const query = { limit, start_after: pageParam, filter: filters, order, expand, total: total && pageParam === undefined ? true : undefined };
        return (await platform.rpc(command, { ...(path ? { path } : {}), query } as never)) as Listed<Row>;
      },
      getNextPageParam: (last: Listed<Row>) => last.next ?? undefined,
    };
  });
  const rows = $derived(query.data?.pages.flatMap((page) => page.result) ?? []);
  return {
    get rows(): Row[] {
      return rows;
    },
    /** All rows that pass the filters; nothing when they were not counted. */
    get total(): number | undefined {
      return query.data?.pages[0]?.total ?? (query.data && !query.hasNextPage ? rows.length : undefined);
    },
    get more(): boolean {
      return query.hasNextPage;
    },
    get loaded(): boolean {
      return query.data !== undefined;
    },
    /** Rows on screen belong to another question than the one asked. */
    get stale(): boolean {
      return query.isPlaceholderData || (query.isFetching && !query.isFetchingNextPage && query.data !== undefined && query.isRefetching && query.isStale);
    },
    get loading(): boolean {
      return query.isFetching;
    },
    get problem() {
      return problemOf(query.error);
    },
    loadMore() {
      if (query.hasNextPage && !query.isFetchingNextPage) void query.fetchNextPage();
    },
    refresh() {
      void query.refetch();
    },
  };
}

export type List<Row> = ReturnType<typeof list<Row>>;

/** The row that the address names: out of the list, or read by itself where the list has not come to it yet. */
export function selection<Row extends { id: string }>(rows: () => Row[], kind: Kind, read: (id: string) => Promise<Row | null>, id: () => string | null = () => view.selected) {
  const row = $derived(rows().find((one) => one.id === id()));
  const alone = createQuery(() => {
    const wanted = id();
    return {
      queryKey: key(kind, null, 'selected', wanted),
      enabled: wanted !== null && row === undefined,
      placeholderData: undefined,
      retry: false,
      queryFn: async () => read(wanted ?? ''),
    };
  });
  return {
    get row(): Row | undefined {
      return id() === null ? undefined : (row ?? (alone.data?.id === id() ? alone.data : undefined));
    },
  };
}

/** Filters, order and selection of the list on screen, kept in the address. */
export const view = {
  get filters(): string[] {
    return router.query.getAll('filter');
  },
  set filters(next: string[]) {
    router.set({ filter: next, sel: null });
  },
  get order(): string {
    return router.query.get('order') ?? '';
  },
  set order(next: string) {
    router.set({ order: next });
  },
  get selected(): string | null {
    return router.query.get('sel');
  },
  set selected(next: string | null) {
    router.set({ sel: next });
  },
};
