import type { Column } from '$kit/table';
import type { FilterField } from '$lib/filters';
import type { Origin } from '$lib/wire';

export const COLUMNS: Column[] = [
  { id: 'created_at', title: 'When', width: 'minmax(96px, 120px)', sort: 'created_at' },
  { id: 'operation', title: 'Operation', width: 'minmax(160px, 1.4fr)' },
  { id: 'outcome', title: 'Outcome', width: 'minmax(112px, 1fr)' },
  { id: 'code', title: 'Status', width: '64px' },
  { id: 'origin', title: 'From', width: 'minmax(84px, 112px)' },
  { id: 'path', title: 'Path', width: 'minmax(96px, 2fr)' },
  { id: 'method', title: 'Method', width: '72px', optional: true },
  { id: 'remote_addr', title: 'Address', width: '120px', optional: true },
];

export const ORIGINS: Record<Origin, string> = { desktop: 'Application', web: 'Browser', api: 'Program', cli: 'Command line', background: 'Patchbay' };

export const FILTERS: FilterField[] = [
  { field: 'audit_type', title: 'Outcome', operators: ['eq'], values: [{ value: 'API', title: 'Done' }, { value: 'ERROR', title: 'Refused' }] },
  { field: 'operation', title: 'Operation', operators: ['eq', 'like', 'in'] },
  { field: 'code', title: 'Status', operators: ['eq', 'in', 'gte', 'lt'] },
  { field: 'account_id', title: 'Account ID', operators: ['eq', 'in'] },
  { field: 'integration_id', title: 'Integration ID', operators: ['eq', 'in'] },
  { field: 'member_id', title: 'Member ID', operators: ['eq', 'in'] },
  { field: 'created_at', title: 'When', operators: ['gte', 'lt'] },
];
