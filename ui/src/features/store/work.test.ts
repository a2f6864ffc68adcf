import { expect, it } from 'vitest';
import { workProgress } from './work';

it('tells how far work has come and is never done before it has ended', () => {
  expect(workProgress({ kind: 'verify' })).toEqual({ words: 'Looking at the pages of the store', percent: 0 });
  const step = { doing: 'Copying', table: 'integration_instances', rows: 1000, of: 4000 };
  expect(workProgress({ kind: 'copy', step })).toEqual({ words: 'Copying: integration instances, 1,000 of 4,000 rows', percent: 25 });
  expect(workProgress({ kind: 'copy', step: { ...step, rows: 4100 } }).percent).toBe(99);
  expect(workProgress({ kind: 'copy', step: { ...step, rows: 0, of: 0 } }).percent).toBe(99);
});
