import { describe, expect, it } from 'vitest';
import { policyOf, rulesOf, rulesWords } from './policy';

const policy = { providers: { ticketing_redmine: { locked: { url: 'https://redmine.example.com' }, defaults: { default_project: 'support' }, scopes: ['read', 'write'] } } };

describe('rules of a point', () => {
  it('are read and written alike', () => expect(policyOf(rulesOf(policy))).toEqual(policy));
  it('that prescribe nothing are left out', () => {
    expect(policyOf({ a: { members: { url: { mode: 'free', value: 'x' } }, scopes: ' ' } })).toEqual({ providers: {} });
    expect(rulesOf(undefined)).toEqual({});
  });
  it('are said in words', () => {
    expect(rulesWords(policy.providers.ticketing_redmine, { url: 'Server' })).toBe('Server locked; Default project preset; 2 scopes');
    expect(rulesWords(undefined)).toBe('');
  });
});
