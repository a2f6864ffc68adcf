import type { Column } from '$kit/table';
import type { FilterField } from '$lib/filters';
import { setTitle } from '$lib/permission';
import { isWhole, scopeOf, scopeWords } from '$lib/scope';
import type { RefreshToken } from '$lib/wire';

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

/** What a token may do, in words. */
export function powers(token: RefreshToken): string {
  const { adhoc_role, role_binding, resource_type } = token.primary.access.permissions;
  if (resource_type === 'integration') return 'Calls of one integration';
  if (adhoc_role) {
    const scope = scopeOf(adhoc_role.resources);
    return setTitle(adhoc_role.permission_set) + (isWhole(scope) ? '' : `, ${scopeWords(scope)}`);
  }
  return (role_binding ?? []).map((role) => role.replaceAll('_', ' ')).join(', ') || 'As its member';
}
