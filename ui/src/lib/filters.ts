// Filters as the API writes them: field[operator]value (synqly-wire.md section 4).

export const OPERATORS = ['eq', 'ne', 'like', 'not like', 'in', 'not in', 'gt', 'gte', 'lt', 'lte'] as const;
export type Operator = (typeof OPERATORS)[number];

export interface Filter {
  field: string;
  operator: Operator;
  value: string;
}

/** A field that a list can be filtered by. */
export interface FilterField {
  field: string;
  title: string;
  operators: Operator[];
  /** Allowed values, where they are few. */
  values?: { value: string; title: string }[];
}

const WORDS: Record<Operator, string> = {
  eq: 'is',
  ne: 'is not',
  like: 'matches',
  'not like': 'does not match',
  in: 'is one of',
  'not in': 'is none of',
  gt: 'is above',
  gte: 'is at least',
  lt: 'is below',
  lte: 'is at most',
};

/** The operator for people. */
export const operatorWords = (operator: Operator): string => WORDS[operator];

/** Reads `field[operator]value`; nothing when it has another shape. */
export function parseFilter(text: string): Filter | null {
  const match = /^\s*([^[\]]{1,100})\[([a-z ]+)\](.*)$/s.exec(text);
  if (!match) return null;
  const field = (match[1] ?? '').trim();
  const word = (match[2] ?? '').trim() === 'neq' ? 'ne' : (match[2] ?? '').trim();
  const operator = OPERATORS.find((known) => known === word);
  if (field === '' || operator === undefined) return null;
  const value = match[3] ?? '';
  return { field, operator, value: value.replace(/^"(.*)"$/s, '$1') };
}

/** Writes a filter. A value that would be read otherwise is quoted. */
export function formatFilter({ field, operator, value }: Filter): string {
  const quote = /^\s|\s$|^"/.test(value) && operator !== 'in' && operator !== 'not in';
  return `${field}[${operator}]${quote ? `"${value}"` : value}`;
}

/** The filter for what a person types to find something by name. */
export function nameFilter(text: string, field = 'name'): string {
  const trimmed = text.trim();
  return formatFilter({ field, operator: 'like', value: /[*%]/.test(trimmed) ? trimmed : `*${trimmed}*` });
}

export interface Order {
  field: string;
  direction: 'asc' | 'desc';
}

export function parseOrder(text: string): Order {
  const match = /^([^[]+)(?:\[(asc|desc)\])?$/.exec(text);
  return { field: match?.[1] ?? text, direction: match?.[2] === 'desc' ? 'desc' : 'asc' };
}

export const formatOrder = ({ field, direction }: Order): string => `${field}[${direction}]`;
