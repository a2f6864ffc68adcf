import type { Column } from '$kit/table';
import type { FilterField } from '$lib/filters';
import { SETS } from '$lib/permission';

export const ROLE_COLUMNS: Column[] = [
  { id: 'fullname', title: 'Role', width: 'minmax(176px, 1.2fr)', sort: 'fullname' },
  { id: 'set', title: 'May do', width: 'minmax(104px, 1fr)', sort: 'permission_set' },
  { id: 'where', title: 'Where', width: 'minmax(120px, 2fr)' },
  { id: 'members', title: 'Members', width: '72px', align: 'end' },
  { id: 'name', title: 'Name', width: 'minmax(96px, 1fr)', sort: 'name', optional: true },
  { id: 'updated_at', title: 'Changed', width: '112px', sort: 'updated_at', optional: true },
];

export const ROLE_FILTERS: FilterField[] = [
  { field: 'fullname', title: 'Role', operators: ['like', 'eq'] },
  { field: 'name', title: 'Name', operators: ['like', 'eq', 'in'] },
  { field: 'permission_set', title: 'May do', operators: ['eq', 'ne', 'in'], values: SETS.map(({ value, title }) => ({ value, title })) },
];
