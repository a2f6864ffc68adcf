import { describe, expect, it } from 'vitest';
import { formatFilter, formatOrder, nameFilter, parseFilter, parseOrder } from './filters';

describe('filters', () => {
  it('reads what the API writes', () => {
    expect(parseFilter('name[eq]acme')).toEqual({ field: 'name', operator: 'eq', value: 'acme' });
    expect(parseFilter('status[neq]active')?.operator).toBe('ne');
    expect(parseFilter('name[not like]t-*')?.operator).toBe('not like');
    expect(parseFilter('name[eq]"To Do"')?.value).toBe('To Do');
    expect(parseFilter('labels[in]a,b')?.value).toBe('a,b');
    expect(parseFilter('a[eq]x[y]')?.value).toBe('x[y]');
  });

  it('refuses other shapes', () => {
    for (const bad of ['', 'name', 'name[eq', '[eq]x', 'name[is]x']) expect(parseFilter(bad), bad).toBeNull();
  });

  it('writes what it reads', () => {
    for (const text of ['name[like]*acme*', 'environment[eq]test', 'created_at[gte]2026-01-01T00:00:00Z', 'name[eq]" x"']) {
      const filter = parseFilter(text);
      expect(filter && formatFilter(filter)).toBe(text);
    }
  });

  it('makes a pattern of typed text', () => {
    expect(nameFilter(' acme ')).toBe('name[like]*acme*');
    expect(nameFilter('acme-*')).toBe('name[like]acme-*');
  });

  it('reads and writes orders', () => {
    expect(parseOrder('name')).toEqual({ field: 'name', direction: 'asc' });
    expect(formatOrder(parseOrder('created_at[desc]'))).toBe('created_at[desc]');
  });
});
