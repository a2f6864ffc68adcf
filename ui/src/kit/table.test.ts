import { describe, expect, it } from 'vitest';
import { leastWidth, windowOf } from './table';

it('rows are equally wide, however narrow the window', () => {
  const columns = [{ id: 'a', title: 'A', width: 'minmax(100px, 1fr)' }, { id: 'b', title: 'B', width: '50px' }];
  expect(leastWidth(columns, false)).toBe(100 + 50 + 12 + 24);
  expect(leastWidth(columns, true)).toBe(32 + 100 + 50 + 24 + 24);
});

describe('rows in the document', () => {
  it('are what is visible and a few around', () => {
    expect(windowOf(0, 640, 1_000_000)).toEqual({ first: 0, last: 37 });
    expect(windowOf(3200, 640, 1_000_000)).toEqual({ first: 92, last: 129 });
  });
  it('are never more than sixty, nor beyond the end', () => {
    const { first, last } = windowOf(32_000, 4000, 1_000_000);
    expect(last - first).toBe(60);
    expect(windowOf(0, 640, 3)).toEqual({ first: 0, last: 3 });
    expect(windowOf(99_999, 640, 3)).toEqual({ first: 0, last: 3 });
  });
});
