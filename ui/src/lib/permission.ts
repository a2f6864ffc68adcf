// Permission sets and what they allow, API by API (synqly-wire.md section 6).
import { createQuery } from '@tanstack/svelte-query';
import { platform } from '$lib/platform';
import { key } from '$lib/query';
import type { PermissionSet, PermissionSetDefinition } from '$lib/wire';

export const SETS: { value: PermissionSet; title: string; help: string }[] = [
  { value: 'administrator', title: 'Administrator', help: 'Everything within its accounts.' },
  { value: 'viewer', title: 'Viewer', help: 'Lists and reads.' },
  { value: 'member', title: 'Member', help: 'Accounts, integrations and credentials.' },
  { value: 'account-manager', title: 'Account manager', help: 'The same within its accounts, and their tokens.' },
  { value: 'connect-ui', title: 'Connect UI', help: 'Integrations and credentials of its account.' },
  { value: 'token-issuer', title: 'Token issuer', help: 'Mints integration tokens and nothing else.' },
  { value: 'account-provisioner', title: 'Account provisioner', help: 'Makes accounts and their first token.' },
];

/** A permission set's name for people. */
export const setTitle = (set: PermissionSet): string => SETS.find((one) => one.value === set)?.title ?? set;

/** All permission sets with what they allow. They change with the program, so they are read once. */
export function permissionSets() {
  const query = createQuery(() => ({
    queryKey: key('catalog', null, 'permissionset.list'),
    queryFn: async () => (await platform.rpc('permissionset.list', {})).result,
    staleTime: Infinity,
  }));
  return {
    get(set: PermissionSet): PermissionSetDefinition | undefined {
      return query.data?.find((one) => one.name === set);
    },
    get error() {
      return query.error;
    },
  };
}

/** The actions that have a column of their own; the others of an API are named in words. */
export const COMMON = ['list', 'get', 'create', 'update', 'delete'] as const;

export interface PermissionRow {
  api: string;
  /** For each common action: allowed, refused, or not there at all. */
  cells: ('yes' | 'no' | 'none')[];
  /** Further actions that are allowed. */
  also: string[];
}

/** The map as a table; `everything` says which actions there are. A patch is an update. */
export function permissionRows(set: PermissionSetDefinition, everything: PermissionSetDefinition): PermissionRow[] {
  const actions = (of: PermissionSetDefinition, api: string) => of.permissions[api]?.actions ?? [];
  return Object.keys(everything.permissions)
    .filter((api) => api !== 'all' && actions(everything, api).length > 0)
    .map((api) => {
      const [offered, had] = [actions(everything, api), actions(set, api)];
      return {
        api,
        cells: COMMON.map((action) => (had.includes(action) ? 'yes' : offered.includes(action) ? 'no' : 'none')),
        also: had.filter((action) => action !== 'patch' && !COMMON.some((common) => common === action)),
      };
    })
    .filter((row) => row.also.length > 0 || row.cells.some((cell) => cell !== 'none'));
}
