import type { Column } from '$kit/table';
import type { FilterField } from '$lib/filters';
import type { Member, MemberLink, MemberState } from '$lib/wire';

export const COLUMNS: Column[] = [
  { id: 'fullname', title: 'Member', width: 'minmax(120px, 1.4fr)', sort: 'fullname' },
  { id: 'name', title: 'E-mail or name', width: 'minmax(140px, 1.4fr)', sort: 'name' },
  { id: 'type', title: 'Type', width: '96px', sort: 'type' },
  { id: 'roles', title: 'Roles', width: 'minmax(96px, 1fr)' },
  { id: 'state', title: 'State', width: '96px', sort: 'state' },
  { id: 'last_logon', title: 'Last sign-in', width: '112px', sort: 'last_logon' },
  { id: 'expires', title: 'Ends', width: '112px', sort: 'expires', optional: true },
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

/** What the roles that every organization has may do. */
export const BUILT_IN: Record<string, { title: string; help: string }> = {
  root_administrator: { title: 'Root administrator', help: 'Everything in the organization, and never without one.' },
  administrator: { title: 'Administrator', help: 'Everything in the organization.' },
  member: { title: 'Member', help: 'Accounts, integrations and credentials, but not members and tokens.' },
  viewer: { title: 'Viewer', help: 'Reads everything, changes nothing.' },
};

/** A role's name for people. */
export const roleTitle = (name: string): string => BUILT_IN[name]?.title ?? name;

export const rolesOf = (member: Member): string => member.role_binding.map(roleTitle).join(', ');

export const stateTone = (state: MemberState): 'plain' | 'wait' | 'warn' => (state === 'enabled' ? 'plain' : state === 'invited' || state === 'forgotten' ? 'wait' : 'warn');

/** The wire writes never as a time outside of anyone's life. */
export const orNever = (at: string): string | null => (at.startsWith('1970-01-01') || at.startsWith('9999-') ? null : at);

/** A one-time link as it is shown once, to be passed on. */
export const linkSecret = (link: MemberLink) => ({
  label: link.purpose === 'invitation' ? 'Invitation link' : 'Reset link',
  secret: link.url,
  expires: link.expires,
  help: `Pass it on by a safe way. It works once: the person chooses a password with it.${link.note ? ` ${link.note}` : ''}`,
});
