import { describe, expect, it } from 'vitest';
import { differences, inline } from './diff';

describe('differences', () => {
  it('names the part that changed', () => {
    expect(differences({ a: { b: 1 }, c: 2 }, { a: { b: 3 }, c: 2 })).toEqual([{ path: 'a / b', kind: 'changed', before: 1, after: 3 }]);
  });
  it('tells added from removed, part by part', () => {
    expect(differences({ a: 1 }, { b: { c: true } })).toEqual([
      { path: 'a', kind: 'removed', before: 1 },
      { path: 'b / c', kind: 'added', after: true },
    ]);
    expect(differences(undefined, { name: 'x' })).toEqual([{ path: 'name', kind: 'added', after: 'x' }]);
    expect(differences({ name: 'x' }, undefined)).toEqual([{ path: 'name', kind: 'removed', before: 'x' }]);
  });
  it('compares plain lists as sets, and says when only their order changed', () => {
    expect(differences({ l: ['a', 'b'] }, { l: ['b', 'c'] })).toEqual([
      { path: 'l', kind: 'removed', before: 'a' },
      { path: 'l', kind: 'added', after: 'c' },
    ]);
    expect(differences(['a', 'b'], ['b', 'a'])).toHaveLength(1);
  });
  it('goes into lists of objects', () => {
    expect(differences([{ n: 1 }, { n: 2 }], [{ n: 1 }])).toEqual([{ path: '2 / n', kind: 'removed', before: 2 }]);
  });
  it('finds nothing in equals', () => {
    expect(differences({ a: [1, { b: null }] }, { a: [1, { b: null }] })).toEqual([]);
    expect(differences({ a: null }, {})).toEqual([]);
  });
  it('writes values on one line', () => {
    expect(inline('text')).toBe('text');
    expect(inline({ a: 1 })).toBe('{"a":1}');
  });
});
