import type { Revocation } from '$lib/wire';

type Tone = 'good' | 'warn' | 'bad' | 'wait' | 'plain';

/** A state in one or two words, and how it is meant. */
export const STATE: Record<Revocation['state'], { word: string; tone: Tone }> = {
  pending: { word: 'waiting', tone: 'wait' },
  sent: { word: 'asking', tone: 'wait' },
  revoked: { word: 'revoked', tone: 'good' },
  proven: { word: 'proven ended', tone: 'good' },
  alive: { word: 'ending', tone: 'wait' },
  manual: { word: 'needs you', tone: 'warn' },
  failed: { word: 'needs you', tone: 'bad' },
};

const REASONS: Record<Revocation['reason'], string> = {
  disconnected: 'Disconnected',
  deleted: 'Deleted',
  replaced: 'Replaced by a newer one',
  withdrawn: 'Withdrawn by the person',
  abandoned: 'Nobody chose what it is for',
};

/** Why access was taken back, as the beginning of a sentence. */
export function reasonWord(reason: Revocation['reason']): string {
  return REASONS[reason];
}
