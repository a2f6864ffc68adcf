import { describe, expect, it } from 'vitest';
import { labelled, partsOf, summary, tallest, ticks } from './series';

const buckets = [
  { created_at: '2026-11-22T05:00:00Z', succeeded: 3, failed: 1 },
  { created_at: '2026-11-22T05:01:00Z', succeeded: 0, failed: 0 },
  { created_at: '2026-11-22T05:02:00Z', succeeded: 5, failed: 0 },
];

describe('the chart of calls', () => {
  it('stacks what succeeded on what failed', () => {
    expect(partsOf(buckets, 'failed')).toEqual([{ at: 0, from: 0, to: 1 }]);
    expect(partsOf(buckets, 'succeeded')).toEqual([{ at: 0, from: 1, to: 4 }, { at: 2, from: 0, to: 5 }]);
    expect(tallest(buckets)).toBe(5);
    expect(tallest([])).toBe(0);
  });
  it('has round lines that reach over the tallest column', () => {
    expect(ticks(0)).toEqual([0]);
    expect(ticks(1)).toEqual([0, 1]);
    expect(ticks(5)).toEqual([0, 2, 4, 6]);
    expect(ticks(412)).toEqual([0, 200, 400, 600]);
    for (const highest of [2, 7, 31, 99, 1000, 12_345]) expect(ticks(highest).at(-1)).toBeGreaterThanOrEqual(highest);
  });
  it('names round times, as many as fit', () => {
    const minutes = Array.from({ length: 60 }, (_, n) => ({ created_at: new Date(Date.UTC(2026, 10, 22, 5, 3 + n)).toISOString(), succeeded: 0, failed: 0 }));
    expect(labelled(minutes, 'minute', 12)).toHaveLength(12);
    expect(labelled(minutes, 'minute', 6).map((at) => new Date(minutes[at]?.created_at ?? '').getMinutes())).toEqual([10, 20, 30, 40, 50, 0]);
    expect(labelled(minutes, 'minute', 1)).toHaveLength(1);
  });
  it('is said in words', () => {
    expect(summary(buckets, 'in the last hour')).toBe('9 calls in the last hour, 1 of them failed.');
    expect(summary([], 'in the last hour')).toBe('No call in the last hour.');
  });
});
