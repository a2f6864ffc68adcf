import type { Column } from '$kit/table';
import type { FilterField } from '$lib/filters';
import { definitionWord } from '$lib/definition';

export const DEFINITION_COLUMNS: Column[] = [
  { id: 'provider', title: 'Provider', width: 'minmax(140px, 1.6fr)', sort: 'provider' },
  { id: 'version', title: 'Version', width: '72px' },
  { id: 'status', title: 'Status', width: '112px', sort: 'status' },
  { id: 'integrations', title: 'Pinned by', width: '84px', align: 'end' },
  { id: 'auth', title: 'Credential', width: 'minmax(112px, 1.4fr)' },
  { id: 'created_at', title: 'Since', width: 'minmax(92px, 112px)', sort: 'created_at' },
];

export const DEFINITION_FILTERS: FilterField[] = [
  { field: 'provider', title: 'Provider ID', operators: ['eq', 'like', 'in'] },
  { field: 'status', title: 'Status', operators: ['eq', 'ne', 'in'], values: (['active', 'deprecated', 'withdrawn'] as const).map((value) => ({ value, title: definitionWord(value).word })) },
  { field: 'created_at', title: 'Since', operators: ['gte', 'lt'] },
];
