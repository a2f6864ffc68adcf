import type { Column } from '$kit/table';
import type { FilterField } from '$lib/filters';
import type { MemberState } from '$lib/wire';

export const COLUMNS: Column[] = [
  { id: 'fullname', title: 'Member', width: 'minmax(120px, 1.4fr)', sort: 'fullname' },
  { id: 'name', title: 'E-mail or name', width: 'minmax(140px, 1.4fr)', sort: 'name' },
  { id: 'type', title: 'Type', width: '96px', sort: 'type' },
  { id: 'roles', title: 'Roles', width: 'minmax(96px, 1fr)' },
  { id: 'state', title: 'State', width: '96px', sort: 'state' },
  { id: 'last_logon', title: 'Last sign-in', width: '112px', sort: 'last_logon' },
  { id: 'created_at', title: 'Created', width: '112px', sort: 'created_at', optional: true },
];

export const STATES: Record<MemberState, string> = { enabled: 'Enabled', disabled: 'Disabled', invited: 'Invited', locked: 'Locked', forgotten: 'Reset sent' };

export const FILTERS: FilterField[] = [
  { field: 'name', title: 'E-mail or name', operators: ['like', 'eq', 'in'] },
  { field: 'fullname', title: 'Member', operators: ['like', 'eq'] },
  { field: 'state', title: 'State', operators: ['eq', 'ne'], values: Object.entries(STATES).map(([value, title]) => ({ value, title })) },
  { field: 'type', title: 'Type', operators: ['eq'], values: [{ value: 'personal', title: 'Personal' }, { value: 'service', title: 'Service' }] },
  { field: 'role_binding', title: 'Role', operators: ['eq', 'in'] },
];

export const ROLES: { value: string; title: string; help: string }[] = [
  { value: 'administrator', title: 'Administrator', help: 'Everything in the organization.' },
  { value: 'member', title: 'Member', help: 'Accounts, integrations and credentials, but not members and tokens.' },
  { value: 'viewer', title: 'Viewer', help: 'Reads everything, changes nothing.' },
];

/** The wire writes never as a time outside of anyone's life. */
export const orNever = (at: string): string | null => (at.startsWith('1970-01-01') || at.startsWith('9999-') ? null : at);
