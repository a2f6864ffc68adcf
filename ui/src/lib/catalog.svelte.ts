import { createQuery } from '@tanstack/svelte-query';
import { platform } from '$lib/platform';
import { key } from '$lib/query';
import { problemOf } from '$lib/task.svelte';
import type { ConnectorRow, Provider } from '$lib/wire';

/** All providers, with what forms are drawn from. The catalog changes with the program and with manifests of the organization's own, which are told as changes. */
export function catalog() {
  const query = createQuery(() => ({
    queryKey: key('catalog', null, 'capabilities.list_providers'),
    queryFn: async () => (await platform.rpc('capabilities.list_providers', { query: { expand: ['provider_config', 'operations'] } })).result,
    staleTime: Infinity,
  }));
  return {
    get providers(): Provider[] {
      return query.data ?? [];
    },
    get loaded() {
      return query.data !== undefined;
    },
    get problem() {
      return problemOf(query.error);
    },
    provider(id: string): Provider | undefined {
      return query.data?.find((one) => one.id === id);
    },
    name(id: string): string {
      return query.data?.find((one) => one.id === id)?.fullname ?? id;
    },
  };
}

/** All connectors. */
export function connectors() {
  const query = createQuery(() => ({
    queryKey: key('catalog', null, 'capabilities.list_connectors'),
    queryFn: async () => (await platform.rpc('capabilities.list_connectors', {})).result,
    staleTime: Infinity,
  }));
  return {
    get all(): ConnectorRow[] {
      return query.data ?? [];
    },
    get loaded() {
      return query.data !== undefined;
    },
    name(id: string): string {
      return query.data?.find((one) => one.id === id)?.fullname ?? id;
    },
  };
}
