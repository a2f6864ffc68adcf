import { cleaned, fieldsOf, initialValues, validate, type SchemaField } from '$lib/schema';
import type { CredentialChoice, Integration, IntegrationConfig, IntegrationPoint, JsonObject, Provider, ProviderConfig } from '$lib/wire';

/** What the form holds of a credential. */
export interface CredentialDraft {
  /** Keep what is stored, enter a new one, or use one that the account has. */
  mode: 'keep' | 'enter' | 'shared';
  /** `type` on the wire. */
  type: string;
  values: JsonObject;
  /** Id of the account's credential. */
  shared: string;
}

export const configFields = (provider: Provider | undefined): SchemaField[] =>
  fieldsOf({ ...((provider?.x_patchbay.config?.schema ?? {}) as JsonObject), 'x-order': provider?.x_patchbay.config?.order ?? [] }).filter((field) => field.name !== 'type' && field.name !== 'credential');

export const credentialFields = (choice: CredentialChoice | undefined): SchemaField[] =>
  choice ? fieldsOf(choice.schema as JsonObject).filter((field) => field.name !== 'type') : [];

export const choiceOf = (provider: Provider | undefined, type: string): CredentialChoice | undefined => provider?.x_patchbay.credentials.find((one) => one.type === type);

export function emptyCredential(provider: Provider | undefined): CredentialDraft {
  const first = provider?.x_patchbay.credentials[0];
  return { mode: 'enter', type: first?.type ?? '', values: initialValues(credentialFields(first)), shared: '' };
}

/** Members that every provider has beside its own; they travel in `x_patchbay.config`. */
const RUNTIME = ['webhook_url', 'polling_interval'] as const;

/** What of the form belongs to `x_patchbay.config`. */
export function runtimeConfig(provider: Provider, config: JsonObject): IntegrationConfig {
  const given = cleaned(configFields(provider), config);
  return Object.fromEntries(RUNTIME.filter((name) => typeof given[name] === 'string').map((name) => [name, given[name]]));
}

/** Faults of those members stand under the pointer of their own place; the form has them among the provider's. */
export const withRuntimeFaults = (faults: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(faults).map(([at, words]) => [at.replace(/^\/x_patchbay\/config\//, '/provider_config/'), words]));

/** What a point says about the form's members. */
export interface Governed {
  locked: JsonObject;
  defaults: JsonObject;
}

/** The form without what the point locks: left out, the core fills it in. */
export const ungoverned = (config: JsonObject, governed: Governed): JsonObject => Object.fromEntries(Object.entries(config).filter(([name]) => !(name in governed.locked)));

export function governedBy(point: IntegrationPoint | undefined, provider: string): Governed {
  const rules = point?.x_patchbay?.policy.providers[provider];
  return { locked: (rules?.locked ?? {}) as JsonObject, defaults: (rules?.defaults ?? {}) as JsonObject };
}

/** `provider_config` as the API takes it. */
export function wireConfig(provider: Provider, config: JsonObject, credential: CredentialDraft, present?: Integration): ProviderConfig {
  const whole: ProviderConfig = { type: provider.id, ...cleaned(configFields(provider).filter((field) => !RUNTIME.some((name) => name === field.name)), config) };
  if (provider.x_patchbay.credentials.length === 0) return whole;
  if (credential.mode === 'keep' && present) whole['credential'] = present.provider_config['credential'];
  else if (credential.mode === 'shared') whole['credential'] = { type: `${credential.type}_id`, value: credential.shared };
  else whole['credential'] = { type: credential.type, ...cleaned(credentialFields(choiceOf(provider, credential.type)), credential.values) };
  return whole;
}

/** Faults that can be seen here, under the pointers that the core uses too; `set` are members that the point fills in. */
export function configFaults(provider: Provider, config: JsonObject, credential: CredentialDraft, set: string[] = []): Record<string, string> {
  const fields = configFields(provider).map((field) => (set.includes(field.name) ? { ...field, required: false } : field));
  const faults = validate(fields, config, '/provider_config');
  if (provider.x_patchbay.credentials.length && credential.mode === 'enter' && credential.type !== 'o_auth_user') {
    Object.assign(faults, validate(credentialFields(choiceOf(provider, credential.type)), credential.values, '/provider_config/credential'));
  }
  if (credential.mode === 'shared' && credential.shared === '') faults['/provider_config/credential'] = 'Choose one.';
  return faults;
}

/** Whether a point lets a provider be used in an environment: `*` allows all, nothing allows none. */
export function allowed(list: string[] | undefined, provider: string): boolean {
  return list !== undefined && (list.includes('*') || list.includes(provider));
}
