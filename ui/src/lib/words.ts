const number = new Intl.NumberFormat('en');

/** `1,204`. */
export const count = (value: number): string => number.format(value);

/** `1 integration`, `3 integrations`. */
export const counted = (value: number, one: string, many = `${one}s`): string => `${count(value)} ${value === 1 ? one : many}`;

/** `a, b and c`. */
export const joined = (parts: string[]): string => (parts.length < 2 ? parts.join('') : `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)}`);

const NOUNS: Record<string, [string, string]> = {
  account: ['account', 'accounts'],
  integration: ['integration', 'integrations'],
  integration_point: ['integration point', 'integration points'],
  credential: ['credential', 'credentials'],
  token: ['token', 'tokens'],
  member: ['member', 'members'],
  provider_app: ['provider app', 'provider apps'],
  connect_session: ['open consent', 'open consents'],
  role: ['role', 'roles'],
  end_user: ['end user', 'end users'],
  connect_link: ['connect link', 'connect links'],
  consent_receipt: ['consent receipt', 'consent receipts'],
  organization: ['organization', 'organizations'],
  organization_webhook: ['webhook', 'webhooks'],
  webhook_delivery: ['delivery', 'deliveries'],
  webhook_attempt: ['attempt', 'attempts'],
  definition: ['definition', 'definitions'],
  audit: ['event', 'events'],
  web_session: ['session', 'sessions'],
  deadline: ['deadline', 'deadlines'],
};

/** A kind with its number in the product's nouns. */
export function countedKind(kind: string, value: number): string {
  const [one, many] = NOUNS[kind] ?? [kind.replaceAll('_', ' '), `${kind.replaceAll('_', ' ')}s`];
  return counted(value, one, many);
}

/** The plural alone: `integration points`. */
export const manyOf = (kind: string): string => NOUNS[kind]?.[1] ?? `${kind.replaceAll('_', ' ')}s`;

export const nounOf = (kind: string): string => NOUNS[kind]?.[0] ?? kind.replaceAll('_', ' ');

/** The slug that the core would make of a name for people. */
export function slug(text: string): string {
  return text
    .normalize('NFKD')
    .replace(/[\u0300-\u036f]/g, '')
    .toLowerCase()
    .replace(/[^a-z0-9_]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 64);
}

/** `24h` and `10m` in words. */
export function duration(text: string): string {
  const match = /^(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?$/.exec(text);
  if (!match || text === '') return text;
  const [hours, minutes, seconds] = [Number(match[1] ?? 0), Number(match[2] ?? 0), Number(match[3] ?? 0)];
  const parts: string[] = [];
  if (hours >= 48 && hours % 24 === 0) parts.push(counted(hours / 24, 'day'));
  else if (hours) parts.push(counted(hours, 'hour'));
  if (minutes) parts.push(counted(minutes, 'minute'));
  if (seconds) parts.push(counted(seconds, 'second'));
  return parts.join(' ') || text;
}

/** `1.2 kB`, `34 MB`: powers of a thousand. */
export function bytes(value: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let [rest, unit] = [value, 0];
  while (rest >= 999.5 && unit < units.length - 1) [rest, unit] = [rest / 1000, unit + 1];
  return `${unit > 0 && rest < 9.95 ? rest.toFixed(1) : count(Math.round(rest))} ${units[unit]}`;
}

/** Microseconds as `340 µs`, `12 ms`, `1.4 s` or `3 min`. */
export function span(microseconds: number): string {
  if (microseconds < 1000) return `${Math.round(microseconds)} µs`;
  if (microseconds < 1_000_000) return `${Math.round(microseconds / 1000)} ms`;
  if (microseconds < 120_000_000) return `${(microseconds / 1_000_000).toFixed(microseconds < 10_000_000 ? 1 : 0)} s`;
  return `${count(Math.round(microseconds / 60_000_000))} min`;
}

/** Lifetimes to choose from, the present one among them: `1h` as `1 hour`. */
export const lifetimes = (values: string[], present: string): { value: string; title: string }[] =>
  [...new Set([...values, ...(present ? [present] : [])])].map((value) => ({ value, title: duration(value) }));
