// The steps of a consent in words.
import type { ConsentRoute, FlightStep, StepKind } from '$lib/wire';

export interface Line {
  number: number;
  at: string;
  title: string;
  /** An address, a scope, the provider's words: one line each. */
  details: string[];
  tone: 'plain' | 'good' | 'bad' | 'warn';
}

const ROUTES: Record<ConsentRoute, string> = { window: 'a window', browser: 'the browser', link: 'a link', paste: 'any browser', device: 'a code' };

const TITLES: Record<StepKind, string> = {
  prepared: 'Way prepared',
  par: 'Request pushed to the provider',
  opened: 'Person sent to the provider',
  navigated: 'Page shown',
  redirected: 'Page led on',
  popup: 'Page opened another window',
  blocked: 'Page was kept from going on',
  callback: 'Answer arrived',
  exchange: 'Code sent to the provider',
  answer: 'Provider answered',
  located: 'API found',
  probe: 'Connection tried',
  explained: 'Page read and explained, as the person wished',
  ended: 'Consent ended',
};

/** A parameter as far as it is kept: its value, or that there was one. */
function parameter({ name, value }: { name: string; value: unknown }): string {
  if (value === 'ours') return `${name}: ours`;
  if (value === 'another') return `${name}: not the one that was sent`;
  if (value && typeof value === 'object' && 'clear' in value) return `${name}: ${String(value.clear)}`;
  if (value && typeof value === 'object' && 'length' in value) return `${name}: ${String(value.length)} characters, not kept`;
  return name;
}

/** What a step says, without its parameters. */
export function line(step: FlightStep): Line {
  const { detail, kind } = step;
  const failed = detail.code !== undefined || detail.error !== undefined;
  const told = detail.seen?.parameters.find(({ name, value }) => name === 'error' && typeof value === 'object' && 'clear' in value)?.value;
  const error = detail.error ?? (typeof told === 'object' && 'clear' in told ? told.clear : undefined);
  const details = [
    detail.seen ? `${detail.seen.origin}${detail.seen.path}` : undefined,
    detail.redirect_uri && `answer to ${detail.redirect_uri}`,
    detail.scopes?.length ? `scopes ${detail.scopes.join(' ')}` : undefined,
    detail.status === undefined ? undefined : `status ${detail.status}`,
    error && `error ${error}`,
    detail.words,
  ].filter((one): one is string => typeof one === 'string' && one !== '');
  const good = kind === 'ended' && detail.words?.startsWith('Authorized') === true;
  return {
    number: step.number,
    at: step.at,
    title: (kind === 'prepared' || kind === 'opened') && detail.route ? `${TITLES[kind]}: ${ROUTES[detail.route]}` : TITLES[kind],
    details,
    tone: failed || error !== undefined ? 'bad' : kind === 'blocked' ? 'warn' : good || (kind === 'probe' && !failed) ? 'good' : 'plain',
  };
}

export const parameters = (step: FlightStep): string[] => (step.detail.seen?.parameters ?? []).map(parameter);
