import type { FilterField } from '$lib/filters';
import type { Column } from '$kit/table';

export const COLUMNS: Column[] = [
  { id: 'fullname', title: 'Account', width: 'minmax(140px, 2fr)', sort: 'fullname' },
  { id: 'name', title: 'Name', width: 'minmax(100px, 1.2fr)', sort: 'name' },
  { id: 'environment', title: 'Environment', width: '84px', sort: 'environment' },
  { id: 'integrations', title: 'Integrations', width: '84px', align: 'end' },
  { id: 'labels', title: 'Labels', width: 'minmax(64px, 1fr)' },
  { id: 'external_id', title: 'External ID', width: 'minmax(120px, 1fr)', optional: true },
  { id: 'updated_at', title: 'Changed', width: 'minmax(92px, 112px)', sort: 'updated_at' },
  { id: 'created_at', title: 'Created', width: '112px', sort: 'created_at', optional: true },
];

export const FILTERS: FilterField[] = [
  { field: 'name', title: 'Name', operators: ['like', 'eq', 'ne', 'in'] },
  { field: 'fullname', title: 'Account', operators: ['like', 'eq'] },
  { field: 'environment', title: 'Environment', operators: ['eq', 'ne'], values: [{ value: 'prod', title: 'Prod' }, { value: 'test', title: 'Test' }] },
  { field: 'labels', title: 'Label', operators: ['eq', 'in'] },
  { field: 'created_at', title: 'Created', operators: ['gte', 'lt'] },
];
