import { expect, test } from 'vitest';
import type { Deadline } from '$lib/wire';
import { arranged } from './columns';

const row = (id: string, at: string, kind: Deadline['kind'], name: string, account_name?: string): Deadline => ({
  id, kind, what: 'It', at, who_acts: 'person', next_step: 'Do it.', object: { type: 'credential', id, name, ...(account_name ? { account_name } : {}) },
});
const rows = [row('1', '2027-01-01', 'secret', 'Zeta', 'Acme'), row('2', '2026-12-01', 'certificate', 'alpha', 'Borealis'), row('3', '2027-02-01', 'secret', 'Beta')];
const ids = (filters: string[], order: string) => arranged(rows, filters, order).map((one) => one.id);

test('rows are filtered by kind and customer', () => {
  expect(ids(['kind[eq]secret'], 'at[asc]')).toEqual(['1', '3']);
  expect(ids(['kind[ne]secret'], 'at[asc]')).toEqual(['2']);
  expect(ids(['account[like]*bore*'], 'at[asc]')).toEqual(['2']);
  expect(ids(['kind[eq]secret', 'account[like]acme'], 'at[asc]')).toEqual(['1']);
});

test('rows are sorted by what a column shows, equal ones by their end', () => {
  expect(ids([], 'at[asc]')).toEqual(['2', '1', '3']);
  expect(ids([], 'at[desc]')).toEqual(['3', '1', '2']);
  expect(ids([], 'object[asc]')).toEqual(['2', '3', '1']);
  expect(ids([], 'kind[asc]')).toEqual(['2', '1', '3']);
});
