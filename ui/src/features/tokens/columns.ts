import type { Column } from '$kit/table';
import type { FilterField } from '$lib/filters';
import type { PermissionSet, RefreshToken } from '$lib/wire';

export const COLUMNS: Column[] = [
  { id: 'fullname', title: 'Token', width: 'minmax(120px, 1.5fr)', sort: 'fullname' },
  { id: 'owner_type', title: 'Kind', width: 'minmax(84px, 112px)', sort: 'owner_type' },
  { id: 'may', title: 'May do', width: 'minmax(96px, 1.2fr)' },
  { id: 'pairs', title: 'Secrets', width: 'minmax(64px, 104px)' },
  { id: 'expires', title: 'Ends', width: 'minmax(84px, 112px)', sort: 'expires' },
  { id: 'token_ttl', title: 'Access lives', width: 'minmax(84px, 104px)' },
  { id: 'created_at', title: 'Created', width: 'minmax(80px, 112px)', sort: 'created_at' },
  { id: 'name', title: 'Name', width: 'minmax(120px, 1fr)', sort: 'name', optional: true },
];

export const FILTERS: FilterField[] = [
  { field: 'owner_type', title: 'Kind', operators: ['eq'], values: [{ value: 'organization', title: 'Organization' }, { value: 'integration', title: 'Integration' }] },
  { field: 'fullname', title: 'Token', operators: ['like', 'eq'] },
  { field: 'name', title: 'Name', operators: ['like', 'eq', 'in'] },
  { field: 'token_type', title: 'Made by', operators: ['eq'], values: [{ value: 'adhoc', title: 'Minting' }, { value: 'logon', title: 'Signing in' }, { value: 'default', title: 'Patchbay itself' }] },
  { field: 'owner_id', title: 'Owner ID', operators: ['eq', 'in'] },
  { field: 'member_id', title: 'Member ID', operators: ['eq'] },
  { field: 'expires', title: 'Ends', operators: ['lt', 'gte'] },
];

export const SETS: { value: PermissionSet; title: string; help: string }[] = [
  { value: 'administrator', title: 'Administrator', help: 'Everything within its accounts.' },
  { value: 'viewer', title: 'Viewer', help: 'Lists and reads.' },
  { value: 'member', title: 'Member', help: 'Accounts, integrations and credentials.' },
  { value: 'account-manager', title: 'Account manager', help: 'The same within its accounts, and their tokens.' },
  { value: 'connect-ui', title: 'Connect UI', help: 'Integrations and credentials of its account.' },
  { value: 'token-issuer', title: 'Token issuer', help: 'Mints integration tokens and nothing else.' },
  { value: 'account-provisioner', title: 'Account provisioner', help: 'Makes accounts and their first token.' },
];

/** What a token may do, in words. */
export function powers(token: RefreshToken): string {
  const { adhoc_role, role_binding, resource_type } = token.primary.access.permissions;
  if (resource_type === 'integration') return 'Calls of one integration';
  if (adhoc_role) {
    const accounts = adhoc_role.resources.accounts;
    const narrow = [
      accounts?.ids && !accounts.ids.includes('*') ? `${accounts.ids.length} ${accounts.ids.length === 1 ? 'account' : 'accounts'}` : '',
      accounts?.labels?.length ? `label ${accounts.labels.join(' or ')}` : '',
      accounts?.environments?.length ? accounts.environments.join(' and ') : '',
    ].filter(Boolean);
    return (SETS.find((one) => one.value === adhoc_role.permission_set)?.title ?? adhoc_role.permission_set) + (narrow.length ? `, ${narrow.join(', ')}` : '');
  }
  return (role_binding ?? []).map((role) => role.replaceAll('_', ' ')).join(', ') || 'As its member';
}
