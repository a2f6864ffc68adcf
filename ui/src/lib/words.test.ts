import { describe, expect, it } from 'vitest';
import { bytes, counted, countedKind, duration, joined, slug, span } from './words';

describe('words', () => {
  it('counts', () => {
    expect(counted(1, 'row')).toBe('1 row');
    expect(counted(1204, 'row')).toBe('1,204 rows');
    expect(countedKind('integration_point', 2)).toBe('2 integration points');
  });
  it('joins', () => {
    expect(joined(['a'])).toBe('a');
    expect(joined(['a', 'b', 'c'])).toBe('a, b and c');
  });
  it('makes slugs as the core does', () => {
    expect(slug('Émile & Søn GmbH')).toMatch(/^emile-s.*n-gmbh$/);
    expect(slug('  Acme Corp. ')).toBe('acme-corp');
  });
  it('says sizes and times with their units', () => {
    expect([0, 999, 1000, 1234, 34_000_000, 999_999].map(bytes)).toEqual(['0 B', '999 B', '1.0 kB', '1.2 kB', '34 MB', '1.0 MB']);
    expect([340, 12_300, 1_400_000, 42_000_000, 180_000_000].map(span)).toEqual(['340 µs', '12 ms', '1.4 s', '42 s', '3 min']);
  });
  it('says durations', () => {
    expect(duration('10m')).toBe('10 minutes');
    expect(duration('24h')).toBe('24 hours');
    expect(duration('2160h')).toBe('90 days');
    expect(duration('1h30m')).toBe('1 hour 30 minutes');
  });
});
