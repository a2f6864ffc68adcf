import { describe, expect, it } from 'vitest';
import type { FlightStep } from '$lib/wire';
import { line, parameters } from './steps';

const step = (kind: FlightStep['kind'], detail: FlightStep['detail']): FlightStep => ({ number: 1, kind, at: '2026-11-22T10:00:00Z', detail });

describe('the steps of a consent', () => {
  it('are told with the way and the address, and parameters apart', () => {
    const opened = step('opened', { route: 'window', seen: { origin: 'https://idp.test', path: '/authorize', parameters: [{ name: 'client_id', value: { clear: 'abc' } }, { name: 'state', value: 'ours' }, { name: 'nonce', value: { length: 9 } }] } });
    expect(line(opened)).toMatchObject({ title: 'Person sent to the provider: a window', details: ['https://idp.test/authorize'], tone: 'plain' });
    expect(parameters(opened)).toEqual(['client_id: abc', 'state: ours', 'nonce: 9 characters, not kept']);
  });
  it('are bad where the provider says so', () => {
    const callback = step('callback', { seen: { origin: 'http://127.0.0.1', path: '/cb', parameters: [{ name: 'error', value: { clear: 'access_denied' } }] } });
    expect(line(callback)).toMatchObject({ tone: 'bad', details: ['http://127.0.0.1/cb', 'error access_denied'] });
    expect(line(step('answer', { status: 401, error: 'invalid_client', words: 'no' }))).toMatchObject({ tone: 'bad', details: ['status 401', 'error invalid_client', 'no'] });
  });
  it('are good at a good end alone', () => {
    expect(line(step('ended', { words: 'Authorized, and the connection works.' })).tone).toBe('good');
    expect(line(step('ended', { words: 'The person gave up.' })).tone).toBe('plain');
  });
});
