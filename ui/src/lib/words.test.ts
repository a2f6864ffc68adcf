import { describe, expect, it } from 'vitest';
import { counted, countedKind, duration, joined, slug } from './words';

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
  it('says durations', () => {
    expect(duration('10m')).toBe('10 minutes');
    expect(duration('24h')).toBe('24 hours');
    expect(duration('2160h')).toBe('90 days');
    expect(duration('1h30m')).toBe('1 hour 30 minutes');
  });
});
