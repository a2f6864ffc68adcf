// Words for stores: kinds, marks, where they are and what stands in the way of opening one.
import type { IconName } from '$kit/icons';
import type { Code, SessionInfo, StoreKind, StoreMark } from '$lib/wire';

export const KINDS: Record<StoreKind, { title: string; icon: IconName; help: string }> = {
  sqlite: { title: 'File', icon: 'file', help: 'One file on this computer.' },
  postgres: { title: 'PostgreSQL', icon: 'store', help: 'A database that a team shares.' },
  remote: { title: 'Patchbay server', icon: 'server', help: 'Another Patchbay, over the network.' },
};

/** The word is always shown; the colour comes second. */
export const MARKS: Record<StoreMark, { word: string; help: string }> = {
  prod: { word: 'Production', help: 'Customers depend on it.' },
  test: { word: 'Test', help: 'Nothing real depends on it.' },
};

/** The colour above everything. */
export type Band = 'prod' | 'test' | 'sample' | 'read' | 'none';

/** A mark outweighs everything else: who may only read in production still looks at production. */
export function bandOf(info: Pick<SessionInfo, 'sample' | 'read_only' | 'permission_set'>, mark: StoreMark | undefined): Band {
  if (mark) return mark;
  if (info.sample) return 'sample';
  return info.read_only || info.permission_set === 'viewer' ? 'read' : 'none';
}

/** What an address names; a bare path is a file. */
export function kindOf(address: string): StoreKind {
  if (/^postgres(ql)?:/i.test(address.trim())) return 'postgres';
  return /^https?:/i.test(address.trim()) ? 'remote' : 'sqlite';
}

/** An address as a person reads it: a file by its path, the others as they are. */
export const placeOf = (url: string): string => url.replace(/^sqlite:(\/\/(?=\/))?/, '');

/** Takes a password out of a pasted address, so that it is neither shown nor kept there. */
export function splitPassword(address: string): { address: string; password: string } {
  const match = /^(postgres(?:ql)?:\/\/[^:@/?#]*):([^@/?#]*)@(.*)$/is.exec(address.trim());
  if (!match) return { address: address.trim(), password: '' };
  const [, before = '', given = '', after = ''] = match;
  let password = given;
  try {
    password = decodeURIComponent(given);
  } catch {
    // A per cent sign that was never encoded belongs to the password.
  }
  return { address: `${before}@${after}`, password };
}

/** What is wrong with an address of this kind, before anything is asked. */
export function addressFault(kind: StoreKind, address: string): string | null {
  const given = address.trim();
  if (kind === 'sqlite') return given === '' ? 'Enter where the file is.' : null;
  if (given === '') return kind === 'postgres' ? 'Enter the address of the database.' : 'Enter the address of the server.';
  if (kind === 'postgres') return /^postgres(ql)?:\/\/[^?#]*\/[^/?#]+/i.test(given) ? null : 'The address begins with postgres:// and ends with the name of the database.';
  let url: URL;
  try {
    url = new URL(given);
  } catch {
    return 'The address begins with https:// and the name of the server.';
  }
  if (url.username !== '' || url.password !== '') return 'Leave name and password out of the address. The token says who you are.';
  if (url.protocol === 'https:') return null;
  if (url.protocol === 'http:') return isLoopback(url.hostname) ? null : 'Without https:// only a server on this computer is reached, since everything could be read on the way.';
  return 'The address begins with https:// and the name of the server.';
}

const isLoopback = (host: string) => host === 'localhost' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host);

/** How the master key is reached, as the form has it. */
export type KeyKind = 'keyring' | 'passphrase' | 'file';

/** A key source taken apart; sources of other programs are shown as they are elsewhere, never chosen here. */
export function keyKindOf(source: string | undefined): { kind: KeyKind; file: string } {
  if (source?.startsWith('file:')) return { kind: 'file', file: source.slice(5) };
  return { kind: source === 'passphrase' ? 'passphrase' : 'keyring', file: '' };
}

/** A key source in words. */
export function keySourceWords(source: string): string {
  if (source.startsWith('file:')) return `Key file ${source.slice(5)}`;
  if (source.startsWith('env:')) return `Environment variable ${source.slice(4)}`;
  return { keyring: 'Keyring of this computer', passphrase: 'Passphrase', systemd: 'systemd credential' }[source] ?? source;
}

/** Which of the form's fields a refusal speaks of, so that the person is put there. */
export type Asks = 'passphrase' | 'token' | 'password' | 'key' | 'address' | null;

const ASKS: Partial<Record<Code, Asks>> = {
  wrong_key: 'key',
  key_unavailable: 'key',
  token_missing: 'token',
  token_invalid: 'token',
  wrong_token_kind: 'token',
  permission_denied: 'token',
  store_refused: 'password',
  store_unprepared: 'address',
  store_missing: 'address',
  store_damaged: 'address',
};

/** What to give anew after this refusal. */
export function asksFor(code: Code, kind: StoreKind, source: string | undefined): Asks {
  const asks = ASKS[code] ?? null;
  if (asks !== 'key') return asks;
  return kind !== 'remote' && source === 'passphrase' ? 'passphrase' : 'key';
}

/** The heading of a store that does not open. */
export function lockedHeading(code: Code, kind: StoreKind): string {
  switch (code) {
    case 'key_unavailable':
    case 'wrong_key':
      return 'The store is locked';
    case 'token_missing':
    case 'token_invalid':
      return 'The server asks for a token';
    case 'store_refused':
      return 'The database asks for a password';
    default:
      return kind === 'remote' ? 'The server cannot be opened' : 'The store does not open';
  }
}
