import { expect, it } from 'vitest';
import { permissionRows } from './permission';
import type { PermissionSetDefinition } from './wire';

const set = (permissions: Record<string, string[]>): PermissionSetDefinition => ({
  name: 'viewer',
  description: '',
  resource_restrictions: [],
  permissions: Object.fromEntries(Object.entries(permissions).map(([api, actions]) => [api, { actions }])),
});

it('a permission map is read against what there is', () => {
  const everything = set({ all: ['*'], accounts: ['list', 'get', 'create', 'update', 'patch', 'delete'], auth: ['change_password'], alarms: [] });
  expect(permissionRows(set({ all: [], accounts: ['list', 'get'], auth: ['change_password'] }), everything)).toEqual([
    { api: 'accounts', cells: ['yes', 'yes', 'no', 'no', 'no'], also: [] },
    { api: 'auth', cells: ['none', 'none', 'none', 'none', 'none'], also: ['change_password'] },
  ]);
});
