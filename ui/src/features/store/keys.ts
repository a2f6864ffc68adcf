import type { KeyRotation, KeyStatus, MasterKeyStatus } from '$lib/wire';
import { keySourceWords } from '$lib/stores/store';
import { counted } from '$lib/words';

const SOURCES: Record<MasterKeyStatus['source'], string> = {
  keyring: 'Keyring',
  passphrase: 'Passphrase',
  file: 'Key file',
  env: 'Environment variable',
  systemd: 'systemd credential',
};

/** Where the master key comes from; the place only for whom it is told. */
export const sourceWords = (master: Pick<MasterKeyStatus, 'source' | 'key_source'>): string => (master.key_source ? keySourceWords(master.key_source) : SOURCES[master.source]);

/** The kind of a source alone. */
export const sourceKind = (source: MasterKeyStatus['source']): string => SOURCES[source];

/** How far a rotation of the data key has come: values done, values in all. Never more than all, however many are added meanwhile. */
export function progressOf(rotation: KeyRotation, values: number): { done: number; of: number; words: string } {
  const of = Math.max(values, rotation.remaining);
  const done = of - rotation.remaining;
  return { done, of, words: rotation.remaining === 0 ? 'Ending' : `${counted(rotation.remaining, 'secret')} to go` };
}

/** What rotating the data key does, before it is done. */
export function dataPreview(status: KeyStatus): string[] {
  return [
    status.values === 0 ? 'There is no secret in the store yet, so this is done at once.' : `${counted(status.values, 'secret')} ${status.values === 1 ? 'is' : 'are'} sealed anew under a new key, one after another.`,
    'Everything goes on working meanwhile. When Patchbay is stopped, it goes on with what is left at the next start.',
    'Tokens and sessions are not touched. Backups from before open with the keys that are in them.',
  ];
}

/** What rotating the master key does, before it is done. */
export function masterPreview(status: KeyStatus): string[] {
  const wrapped = status.data_keys.length + status.database_keys.length;
  return [
    `A new master key is made, and ${counted(wrapped, 'key')} of the store ${wrapped === 1 ? 'is' : 'are'} wrapped anew under it. The secrets themselves stay as they are, so it takes a moment only.`,
    'Until the new key has opened the store once, the one before opens it too. A stop at any moment locks nobody out.',
    'Copies and backups from before need the key before. Other programs that open this store need the new one at their next start.',
  ];
}
