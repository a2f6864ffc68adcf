import { expect, it } from 'vitest';
import type { KeyStatus } from '$lib/wire';
import { dataPreview, masterPreview, progressOf, sourceWords } from './keys';

const status = (values: number): KeyStatus => ({
  master: { source: 'keyring', replaced: 0, may_rotate: true },
  data_keys: [{ id: 'a', active: true, values }],
  database_keys: [],
  values,
});

it('tells where the key comes from as far as it is told', () => {
  expect(sourceWords({ source: 'file' })).toBe('Key file');
  expect(sourceWords({ source: 'file', key_source: 'file:/etc/patchbay/key' })).toBe('Key file /etc/patchbay/key');
});

it('counts how far a rotation has come', () => {
  const rotation = { begun_at: '2026-11-22T06:00:00Z', running: true };
  expect(progressOf({ ...rotation, remaining: 400 }, 1000)).toEqual({ done: 600, of: 1000, words: '400 secrets to go' });
  expect(progressOf({ ...rotation, remaining: 1 }, 0)).toMatchObject({ done: 0, of: 1, words: '1 secret to go' });
  expect(progressOf({ ...rotation, remaining: 0 }, 5).words).toBe('Ending');
});

it('says before what a rotation does', () => {
  expect(dataPreview(status(0))[0]).toContain('no secret');
  expect(dataPreview(status(1))[0]).toContain('1 secret is sealed anew');
  expect(dataPreview(status(100_000))[0]).toContain('100,000 secrets are sealed anew');
  expect(masterPreview(status(3))[0]).toContain('1 key of the store is wrapped');
});
