import type { Column } from '$kit/table';
import type { FilterField } from '$lib/filters';
import type { ChangeKind, Origin } from '$lib/wire';
import { nounOf } from '$lib/words';

export const COLUMNS: Column[] = [
  { id: 'created_at', title: 'When', width: 'minmax(92px, 120px)', sort: 'created_at' },
  { id: 'who', title: 'Who', width: 'minmax(88px, 1fr)' },
  { id: 'operation', title: 'Operation', width: 'minmax(152px, 1.4fr)' },
  { id: 'object', title: 'On', width: 'minmax(80px, 120px)' },
  { id: 'outcome', title: 'Outcome', width: 'minmax(112px, 1fr)' },
  { id: 'origin', title: 'From', width: 'minmax(84px, 112px)' },
  { id: 'code', title: 'Status', width: '64px', optional: true },
  { id: 'path', title: 'Path', width: 'minmax(96px, 2fr)', optional: true },
  { id: 'method', title: 'Method', width: '72px', optional: true },
  { id: 'remote_addr', title: 'Address', width: '120px', optional: true },
];

export const ORIGINS: Record<Origin, string> = { desktop: 'Application', web: 'Browser', api: 'Program', cli: 'Command line', background: 'Patchbay' };

const KINDS: ChangeKind[] = ['account', 'integration', 'integration_point', 'credential', 'token', 'member', 'role', 'provider_app', 'organization', 'organization_webhook', 'end_user'];
const kindTitle = (kind: string) => nounOf(kind).replace(/^./, (letter) => letter.toUpperCase());

export const FILTERS: FilterField[] = [
  { field: 'audit_type', title: 'Outcome', operators: ['eq'], values: [{ value: 'API', title: 'Done' }, { value: 'ERROR', title: 'Refused' }] },
  { field: 'operation', title: 'Operation', operators: ['like', 'eq', 'in'] },
  { field: 'object_kind', title: 'On what', operators: ['eq', 'ne', 'in'], values: KINDS.map((value) => ({ value, title: kindTitle(value) })) },
  { field: 'object_id', title: 'Object ID', operators: ['eq', 'in'] },
  { field: 'origin', title: 'From', operators: ['eq', 'ne'], values: Object.entries(ORIGINS).map(([value, title]) => ({ value, title })) },
  { field: 'problem', title: 'Problem', operators: ['eq', 'like'] },
  { field: 'code', title: 'Status', operators: ['eq', 'in', 'gte', 'lt'] },
  { field: 'account_id', title: 'Account ID', operators: ['eq', 'in'] },
  { field: 'integration_id', title: 'Integration ID', operators: ['eq', 'in'] },
  { field: 'member_id', title: 'Member ID', operators: ['eq', 'in'] },
  { field: 'remote_addr', title: 'Address', operators: ['eq', 'like'] },
  { field: 'created_at', title: 'When', operators: ['gte', 'lt'] },
];
