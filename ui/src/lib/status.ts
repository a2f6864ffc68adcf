// Counters and series of calls, read again every half minute: they are written down in batches that no event tells of.
import { createQuery } from '@tanstack/svelte-query';
import { platform } from '$lib/platform';
import { key } from '$lib/query';

const AGAIN = 30_000;

export type Interval = 'minute' | 'hour' | 'day';

export const INTERVALS: { value: Interval; title: string; span: string }[] = [
  { value: 'minute', title: 'Last hour', span: 'in the last hour' },
  { value: 'hour', title: 'Last 24 hours', span: 'in the last 24 hours' },
  { value: 'day', title: 'Last 7 days', span: 'in the last 7 days' },
];

/** Calls of the whole organization within the last hour. */
export const organizationSeries = () =>
  createQuery(() => ({
    queryKey: key('overview', null, 'status.get_timeseries'),
    queryFn: async () => (await platform.rpc('status.get_timeseries', {})).result,
    refetchInterval: AGAIN,
  }));

/** Calls of one integration. */
export const integrationSeries = (account: () => string, id: () => string, interval: () => Interval) =>
  createQuery(() => ({
    queryKey: key('integration', account(), 'status.get_integration_timeseries', [id(), interval()]),
    queryFn: async () => (await platform.rpc('status.get_integration_timeseries', { path: { account_id: account(), integration_id: id() }, query: { interval: interval() } })).result,
    refetchInterval: AGAIN,
  }));

/** Sums of one integration since it was made or reset. */
export const integrationStatus = (account: () => string, id: () => string) =>
  createQuery(() => ({
    queryKey: key('integration', account(), 'status.get', id()),
    queryFn: async () => (await platform.rpc('status.get', { path: { account_id: account(), integration_id: id() } })).result,
    refetchInterval: AGAIN,
  }));
