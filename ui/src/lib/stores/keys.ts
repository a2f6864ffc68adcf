// What the fields for a store's key hold, as the host takes it.
import type { KeyKind } from './store';

export interface KeyGiven {
  kind: KeyKind;
  file: string;
  passphrase: string;
}

/** What is wrong with them, by field; `again` is the repetition of a new passphrase. */
export function keyFaults({ kind, file, passphrase }: KeyGiven, again?: string): Record<string, string> {
  const found: Record<string, string> = {};
  if (kind === 'file' && file.trim() === '') found['file'] = 'Enter the path of the key file.';
  if (kind === 'passphrase' && passphrase === '') found['passphrase'] = 'Enter the passphrase.';
  if (kind === 'passphrase' && again !== undefined && passphrase !== again) found['again'] = 'The two are not the same.';
  return found;
}

/** The key source, and the passphrase only where it is one. */
export function keyParams({ kind, file, passphrase }: KeyGiven): { key_source: string; passphrase?: string } {
  return { key_source: kind === 'file' ? `file:${file.trim()}` : kind, ...(kind === 'passphrase' ? { passphrase } : {}) };
}
