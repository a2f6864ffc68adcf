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
  consent_receipt: ['consent receipt', 'consent receipts'],
  organization: ['organization', 'organizations'],
  organization_webhook: ['webhook', 'webhooks'],
  webhook_delivery: ['delivery', 'deliveries'],
  webhook_attempt: ['attempt', 'attempts'],
  definition: ['definition', 'definitions'],
  audit: ['event', 'events'],
  web_session: ['session', 'sessions'],
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

/** Lifetimes to choose from, the present one among them: `1h` as `1 hour`. */
export const lifetimes = (values: string[], present: string): { value: string; title: string }[] =>
  [...new Set([...values, ...(present ? [present] : [])])].map((value) => ({ value, title: duration(value) }));
