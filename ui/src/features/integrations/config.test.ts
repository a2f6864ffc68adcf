import { describe, expect, it } from 'vitest';
import type { Integration, IntegrationPoint, Provider } from '$lib/wire';
import { allowed, configFaults, emptyCredential, governedBy, runtimeConfig, ungoverned, wireConfig, withRuntimeFaults } from './config';

const provider = {
  id: 'ticketing_redmine',
  x_patchbay: {
    config: { order: ['url', 'default_project'], schema: { type: 'object', required: ['url'], properties: { type: { const: 'ticketing_redmine' }, url: { type: 'string', format: 'uri' }, default_project: { type: 'string' } } } },
    credentials: [
      { kind: 'token', type: 'token', title: 'API key', schema: { type: 'object', required: ['secret'], properties: { secret: { type: 'string', writeOnly: true } } } },
      { kind: 'basic', type: 'basic', title: 'Password', schema: { type: 'object', required: ['username', 'secret'], properties: { username: { type: 'string' }, secret: { type: 'string', writeOnly: true } } } },
    ],
  },
} as unknown as Provider;

describe('provider_config', () => {
  const url = 'https://redmine.example';

  it('holds what was entered', () => {
    const credential = { ...emptyCredential(provider), values: { secret: 'k' } };
    expect(wireConfig(provider, { url, default_project: '' }, credential)).toEqual({ type: 'ticketing_redmine', url, credential: { type: 'token', secret: 'k' } });
  });

  it('refers to a credential of the account', () => {
    expect(wireConfig(provider, { url }, { mode: 'shared', type: 'basic', values: {}, shared: 'id' })['credential']).toEqual({ type: 'basic_id', value: 'id' });
  });

  it('keeps the stored one untouched', () => {
    const present = { provider_config: { type: 'ticketing_redmine', credential: { type: 'token_id', value: 'c' } } } as unknown as Integration;
    expect(wireConfig(provider, { url }, { mode: 'keep', type: 'token', values: {}, shared: '' }, present)['credential']).toEqual({ type: 'token_id', value: 'c' });
  });

  it('finds faults under the pointers of the core', () => {
    expect(Object.keys(configFaults(provider, {}, emptyCredential(provider)))).toEqual(['/provider_config/url', '/provider_config/credential/secret']);
    expect(configFaults(provider, { url }, { mode: 'keep', type: 'token', values: {}, shared: '' })).toEqual({});
  });

  it('sends what is beside the provider in a place of its own', () => {
    const schema = { type: 'object', properties: { url: { type: 'string' }, polling_interval: { type: 'string' } } };
    const with_knobs = { ...provider, x_patchbay: { ...provider.x_patchbay, config: { order: ['url'], schema }, credentials: [] } } as unknown as Provider;
    expect(wireConfig(with_knobs, { url, polling_interval: '1h' }, emptyCredential(with_knobs))).toEqual({ type: 'ticketing_redmine', url });
    expect(runtimeConfig(with_knobs, { url, polling_interval: '1h' })).toEqual({ polling_interval: '1h' });
    expect(withRuntimeFaults({ '/x_patchbay/config/polling_interval': 'short', '/name': 'taken' })).toEqual({ '/provider_config/polling_interval': 'short', '/name': 'taken' });
  });

  it('leaves to the point what it sets', () => {
    const point = { x_patchbay: { policy: { providers: { ticketing_redmine: { locked: { url }, defaults: { default_project: 'support' } } } } } } as unknown as IntegrationPoint;
    const governed = governedBy(point, 'ticketing_redmine');
    expect(ungoverned({ url: 'https://other.example', default_project: 'x' }, governed)).toEqual({ default_project: 'x' });
    expect(configFaults(provider, {}, { mode: 'keep', type: 'token', values: {}, shared: '' }, Object.keys(governed.locked))).toEqual({});
    expect(governedBy(undefined, 'ticketing_redmine')).toEqual({ locked: {}, defaults: {} });
  });

  it('asks the point', () => {
    expect(allowed(['*'], 'a')).toBe(true);
    expect(allowed(['a'], 'b')).toBe(false);
    expect(allowed(undefined, 'a')).toBe(false);
    expect(allowed([], 'a')).toBe(false);
  });
});
