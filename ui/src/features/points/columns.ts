import type { Column } from '$kit/table';
import type { FilterField } from '$lib/filters';

export const COLUMNS: Column[] = [
  { id: 'fullname', title: 'Integration point', width: 'minmax(140px, 1.6fr)', sort: 'fullname' },
  { id: 'connector', title: 'Connector', width: '112px', sort: 'connector' },
  { id: 'test', title: 'In test', width: 'minmax(80px, 1fr)' },
  { id: 'prod', title: 'In prod', width: 'minmax(80px, 1fr)' },
  { id: 'name', title: 'Name', width: 'minmax(120px, 1fr)', sort: 'name', optional: true },
  { id: 'updated_at', title: 'Changed', width: '112px', sort: 'updated_at' },
];

export const FILTERS: FilterField[] = [
  { field: 'name', title: 'Name', operators: ['like', 'eq', 'in'] },
  { field: 'fullname', title: 'Integration point', operators: ['like', 'eq'] },
  { field: 'connector', title: 'Connector', operators: ['eq', 'ne'] },
  { field: 'created_at', title: 'Created', operators: ['gte', 'lt'] },
];

/** Which providers an environment allows, in words. */
export function allowance(list: string[] | undefined, name: (id: string) => string): string {
  if (!list || list.length === 0) return 'none';
  if (list.includes('*')) return 'all';
  return list.map(name).join(', ');
}
