import type { Column } from '$kit/table';
import { parseFilter, parseOrder, type FilterField } from '$lib/filters';
import type { Deadline, DeadlineKind } from '$lib/wire';

export const KINDS: Record<DeadlineKind, string> = {
  secret: 'Secret',
  refresh_absolute: 'Consent',
  refresh_idle: 'Unused refresh token',
  certificate: 'Certificate',
  key: 'Key',
  token: 'Token of a program',
  member: 'Membership',
  sunset: 'Sunset at a provider',
  access: 'Access token',
  nonexpiring_probe: 'Token without an end',
};

export const COLUMNS: Column[] = [
  { id: 'at', title: 'Ends', width: 'minmax(96px, 120px)', sort: 'at' },
  { id: 'what', title: 'What', width: 'minmax(144px, 1.2fr)', sort: 'what' },
  { id: 'object', title: 'Of', width: 'minmax(144px, 1.4fr)', sort: 'object' },
  { id: 'account', title: 'Customer', width: 'minmax(96px, 1fr)', sort: 'account' },
  { id: 'who_acts', title: 'Who acts', width: '88px', sort: 'who_acts' },
  { id: 'next_step', title: 'Next step', width: 'minmax(160px, 2.4fr)' },
  { id: 'kind', title: 'Kind', width: 'minmax(112px, 160px)', sort: 'kind', optional: true },
];

export const FILTERS: FilterField[] = [
  { field: 'kind', title: 'Kind', operators: ['eq', 'ne'], values: Object.entries(KINDS).map(([value, title]) => ({ value, title })) },
  { field: 'account', title: 'Customer', operators: ['like'] },
];

/** How far ahead can be looked. */
export const AHEAD: [string, string][] = [
  ['30d', 'Within 30 days'],
  ['90d', 'Within 90 days'],
  ['366d', 'Within a year'],
  ['3660d', 'Within ten years'],
];

/** A text to sort by. */
function sorted(row: Deadline, field: string): string {
  if (field === 'object') return row.object.name.toLowerCase();
  if (field === 'account') return (row.object.account_name ?? '').toLowerCase();
  if (field === 'kind') return KINDS[row.kind];
  if (field === 'what') return row.what.toLowerCase();
  if (field === 'who_acts') return row.who_acts;
  return row.at;
}

/** The rows that pass the filters, in this order; equal ones by their end. */
export function arranged(rows: Deadline[], filters: string[], order: string): Deadline[] {
  const passes = filters.map((text) => {
    const filter = parseFilter(text);
    if (filter?.field === 'kind') return (row: Deadline) => (row.kind === filter.value) === (filter.operator !== 'ne');
    const wanted = filter?.value.replaceAll(/[*%]/g, '').toLowerCase() ?? '';
    return (row: Deadline) => (row.object.account_name ?? '').toLowerCase().includes(wanted);
  });
  const { field, direction } = parseOrder(order);
  const turn = direction === 'desc' ? -1 : 1;
  return rows
    .filter((row) => passes.every((pass) => pass(row)))
    .sort((one, other) => {
      const [a, b] = [sorted(one, field), sorted(other, field)];
      return a === b ? one.at.localeCompare(other.at) || one.id.localeCompare(other.id) : turn * a.localeCompare(b);
    });
}
