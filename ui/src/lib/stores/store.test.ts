import { describe, expect, it } from 'vitest';
import { addressFault, asksFor, bandOf, keyKindOf, kindOf, placeOf, splitPassword } from './store';

describe('the band', () => {
  const info = { sample: false, read_only: false } as const;
  it('shows the mark before everything else', () => {
    expect(bandOf({ ...info, read_only: true }, 'prod')).toBe('prod');
    expect(bandOf({ ...info, sample: true }, 'test')).toBe('test');
  });
  it('tells the sample and those who only read apart', () => {
    expect(bandOf({ ...info, sample: true, read_only: true }, undefined)).toBe('sample');
    expect(bandOf({ ...info, permission_set: 'viewer' }, undefined)).toBe('read');
    expect(bandOf(info, undefined)).toBe('none');
  });
});

describe('an address', () => {
  it('says what it names', () => {
    expect(['/a.db', 'sqlite:a', 'C:\\a.db', 'postgres://h/d', 'PostgreSQL://h/d', 'https://p', 'http://127.0.0.1:1'].map(kindOf)).toEqual(['sqlite', 'sqlite', 'sqlite', 'postgres', 'postgres', 'remote', 'remote']);
    expect(['sqlite:/a.db', 'sqlite:///a.db', 'sqlite:a.db', 'https://p'].map(placeOf)).toEqual(['/a.db', '/a.db', 'a.db', 'https://p']);
  });

  it('loses the password that was pasted in it', () => {
    expect(splitPassword('postgres://ada:p%40ss@db.example:5432/acme?sslmode=require')).toEqual({ address: 'postgres://ada@db.example:5432/acme?sslmode=require', password: 'p@ss' });
    expect(splitPassword('postgres://ada:100%@db/acme').password).toBe('100%');
    for (const address of ['postgres://ada@db.example/acme', 'postgres:///acme?host=/run', 'https://a.example', '/home/a:b@c']) expect(splitPassword(address)).toEqual({ address, password: '' });
  });

  it('is judged before it is asked', () => {
    for (const [kind, address] of [['sqlite', '/a'], ['postgres', 'postgres://ada@db.example/acme?sslmode=require'], ['postgres', 'postgres:///acme?host=/run/postgresql'], ['remote', 'https://p.example'], ['remote', 'http://127.0.0.1:8080'], ['remote', 'http://localhost:80']] as const) {
      expect(addressFault(kind, address), address).toBeNull();
    }
    for (const [kind, address] of [['sqlite', ' '], ['postgres', 'mysql://h/d'], ['postgres', 'postgres://db.example'], ['postgres', 'postgres://db.example/'], ['remote', 'http://p.example'], ['remote', 'http://127.evil.example'], ['remote', 'https://a:b@p.example'], ['remote', 'p.example'], ['remote', 'ftp://p.example']] as const) {
      expect(addressFault(kind, address), address).not.toBeNull();
    }
  });
});

describe('a refusal', () => {
  it('puts the person where the answer is', () => {
    expect(asksFor('wrong_key', 'sqlite', 'passphrase')).toBe('passphrase');
    expect(asksFor('wrong_key', 'postgres', 'file:/k')).toBe('key');
    expect(asksFor('token_invalid', 'remote', undefined)).toBe('token');
    expect(asksFor('store_refused', 'postgres', 'keyring')).toBe('password');
    expect(asksFor('store_missing', 'sqlite', 'keyring')).toBe('address');
    expect(asksFor('store_busy', 'sqlite', 'keyring')).toBeNull();
  });
  it('takes key sources apart', () => {
    expect([undefined, 'keyring', 'passphrase', 'file:/a b', 'env:X'].map((one) => keyKindOf(one).kind)).toEqual(['keyring', 'keyring', 'passphrase', 'file', 'keyring']);
    expect(keyKindOf('file:/a b').file).toBe('/a b');
  });
});
