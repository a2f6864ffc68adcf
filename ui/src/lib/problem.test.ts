import { describe, expect, it } from 'vitest';
import type { Problem } from './wire';
import { endsSession, fieldErrors, unexpected, words } from './problem';

const problem = (parts: Partial<Problem>): Problem => ({ status: 400, code: 'invalid_field', title: 'Invalid field', type: '', message: 'It is wrong', occurred_at: '', instance: '', ...parts });

describe('problems in words', () => {
  it('say what to do once', () => {
    expect(words(problem({ code: 'store_busy', message: 'The store is busy.' })).todo).toBe('Try again in a moment.');
    expect(words(problem({ code: 'store_busy', message: 'The store is busy. Try again.' })).todo).toBeNull();
    expect(words(problem({ remediation: 'Do this.' })).todo).toBe('Do this.');
  });
  it('know codes that this interface is too old for by their title', () => {
    expect(words(problem({ code: 'later' as never, title: 'A later code' })).heading).toBe('A later code');
  });
  it('belong to fields of the body', () => {
    expect(fieldErrors(problem({ context: { parameter: { id: '/name', location: 'body' } } }))).toEqual({ '/name': 'It is wrong' });
    expect(fieldErrors(problem({ context: { parameter: { id: 'filter', location: 'query' } } }))).toEqual({});
    expect(fieldErrors(null)).toEqual({});
  });
  it('end a session only when nobody is signed in', () => {
    expect(endsSession(problem({ code: 'token_invalid' }))).toBe(true);
    expect(endsSession(problem({ code: 'permission_denied' }))).toBe(false);
  });
  it('are made of anything thrown', () => {
    expect(unexpected(new TypeError('x is no function')).message).toContain('x is no function');
  });
});
