import type { Column } from '$kit/table';
import type { FilterField } from '$lib/filters';
import type { DeliveryState, OrganizationWebhook, WebhookFilter } from '$lib/wire';
import { joined } from '$lib/words';

/** What a webhook can be told of, in words. `operation_complete` is never sent yet and is not offered. */
export const EVENTS: { value: WebhookFilter; title: string }[] = [
  { value: 'account_create', title: 'Account created' },
  { value: 'account_update', title: 'Account changed' },
  { value: 'account_delete', title: 'Account deleted' },
  { value: 'integration_create', title: 'Integration created' },
  { value: 'integration_update', title: 'Integration changed' },
  { value: 'integration_delete', title: 'Integration deleted' },
];

export const eventTitle = (event: string): string => (event === 'all' ? 'Everything' : event === 'test' ? 'Test' : (EVENTS.find((one) => one.value === event)?.title ?? event.replaceAll('_', ' ')));

export const toldOf = (webhook: OrganizationWebhook): string =>
  webhook.filters.includes('all') ? 'Everything' : joined(webhook.filters.map((one, index) => (index === 0 ? eventTitle(one) : eventTitle(one).toLowerCase())));

export const DELIVERY: Record<DeliveryState, { word: string; tone: 'plain' | 'good' | 'bad' | 'wait' }> = {
  pending: { word: 'Waiting', tone: 'wait' },
  sending: { word: 'Sending', tone: 'wait' },
  delivered: { word: 'Delivered', tone: 'good' },
  failed: { word: 'Failed', tone: 'bad' },
};

export const WEBHOOK_COLUMNS: Column[] = [
  { id: 'fullname', title: 'Webhook', width: 'minmax(120px, 1.2fr)', sort: 'fullname' },
  { id: 'url', title: 'URL', width: 'minmax(160px, 2fr)', sort: 'url' },
  { id: 'events', title: 'Told of', width: 'minmax(120px, 1.6fr)' },
  { id: 'environment', title: 'Accounts', width: '84px', sort: 'environment' },
  { id: 'name', title: 'Name', width: 'minmax(96px, 1fr)', sort: 'name', optional: true },
  { id: 'updated_at', title: 'Changed', width: 'minmax(92px, 112px)', sort: 'updated_at' },
];

export const WEBHOOK_FILTERS: FilterField[] = [
  { field: 'fullname', title: 'Webhook', operators: ['like', 'eq'] },
  { field: 'name', title: 'Name', operators: ['like', 'eq', 'in'] },
  { field: 'url', title: 'URL', operators: ['like', 'eq'] },
  { field: 'environment', title: 'Accounts', operators: ['eq'], values: [{ value: 'prod', title: 'Prod' }, { value: 'test', title: 'Test' }] },
];

export const DELIVERY_COLUMNS: Column[] = [
  { id: 'created_at', title: 'When', width: 'minmax(92px, 120px)', sort: 'created_at' },
  { id: 'event', title: 'Event', width: 'minmax(128px, 1.2fr)' },
  { id: 'state', title: 'State', width: '80px' },
  { id: 'status', title: 'Answer', width: '56px' },
  { id: 'attempts', title: 'Attempts', width: '60px', align: 'end' },
  { id: 'next', title: 'Next attempt', width: 'minmax(80px, 120px)' },
  { id: 'error', title: 'Why it failed', width: 'minmax(72px, 2fr)' },
];

export const DELIVERY_FILTERS: FilterField[] = [
  { field: 'state', title: 'State', operators: ['eq', 'ne', 'in'], values: Object.entries(DELIVERY).map(([value, { word }]) => ({ value, title: word })) },
  { field: 'event', title: 'Event', operators: ['eq', 'in'], values: EVENTS },
  { field: 'created_at', title: 'When', operators: ['gte', 'lt'] },
];
