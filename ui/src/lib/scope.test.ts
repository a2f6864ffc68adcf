import { describe, expect, it } from 'vitest';
import { isWhole, resourcesOf, scopeFault, scopeOf, scopeWords, WHOLE } from './scope';

describe('scopes', () => {
  it('are read and written alike', () => {
    const resources = { accounts: { ids: ['a', 'b'], labels: ['gold'], environments: ['test'] }, integrations: { categories: ['ticketing'] } };
    expect(resourcesOf(scopeOf(resources))).toEqual(resources);
  });
  it('take a star, and what is left out, for all', () => {
    expect(scopeOf(undefined)).toEqual(WHOLE);
    expect(scopeOf({ accounts: { ids: ['*'] }, integrations: { categories: ['*'] } })).toEqual(WHOLE);
    expect(isWhole(scopeOf({ accounts: { ids: ['*'], environments: ['test', 'prod'] } }))).toBe(true);
    expect(resourcesOf(WHOLE)).toEqual({ accounts: { ids: ['*'] } });
  });
  it('say when they cover nothing', () => {
    expect(scopeFault({ ...WHOLE, accounts: [] })?.part).toBe('accounts');
    expect(scopeFault({ ...WHOLE, categories: [] })?.part).toBe('categories');
    expect(scopeFault(WHOLE)).toBeNull();
  });
  it('are said in words', () => {
    expect(scopeWords(WHOLE)).toBe('all accounts');
    expect(scopeWords({ accounts: ['a', 'b'], labels: ['gold', 'eu'], environments: ['test'], categories: ['ticketing'] }, () => 'Ticketing')).toBe(
      '2 accounts with label gold or eu, only test; of their integrations Ticketing',
    );
  });
});
