// What differs between two JSON values, part by part, for people to read.
import type { Json } from '$lib/wire';

export interface Difference {
  /** `environments / prod / 1`. */
  path: string;
  kind: 'added' | 'removed' | 'changed';
  before?: Json;
  after?: Json;
}

const isObject = (value: unknown): value is Record<string, Json> => typeof value === 'object' && value !== null && !Array.isArray(value);
const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);
const simple = (list: Json[]): boolean => list.every((one) => typeof one !== 'object' || one === null);

/** Differences in the order of the parts; lists of plain values are compared as sets, since their order says little. */
export function differences(before: Json | undefined, after: Json | undefined, path = ''): Difference[] {
  if (same(before, after)) return [];
  if (isObject(before) && isObject(after)) {
    return [...new Set([...Object.keys(before), ...Object.keys(after)])].flatMap((name) => differences(before[name], after[name], path ? `${path} / ${name}` : name));
  }
  if (Array.isArray(before) && Array.isArray(after)) {
    if (simple(before) && simple(after)) {
      const gone = before.filter((one) => !after.some((other) => same(one, other)));
      const come = after.filter((one) => !before.some((other) => same(one, other)));
      if (gone.length || come.length) {
        return [...gone.map((one): Difference => ({ path, kind: 'removed', before: one })), ...come.map((one): Difference => ({ path, kind: 'added', after: one }))];
      }
      return [{ path, kind: 'changed', before, after }];
    }
    return Array.from({ length: Math.max(before.length, after.length) }).flatMap((_, index) => differences(before[index], after[index], path ? `${path} / ${index + 1}` : String(index + 1)));
  }
  if (before === undefined || before === null) {
    return isObject(after) ? Object.entries(after).flatMap(([name, value]) => differences(undefined, value, path ? `${path} / ${name}` : name)) : after === undefined || after === null ? [] : [{ path, kind: 'added', after }];
  }
  if (after === undefined || after === null) {
    return isObject(before) ? Object.entries(before).flatMap(([name, value]) => differences(value, undefined, path ? `${path} / ${name}` : name)) : [{ path, kind: 'removed', before }];
  }
  return [{ path, kind: 'changed', before, after }];
}

/** A value on one line; text stands as it is. */
export const inline = (value: Json | undefined): string => (value === undefined ? '' : typeof value === 'string' ? value || '(empty)' : JSON.stringify(value));
