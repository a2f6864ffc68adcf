import { cleaned, fieldsOf, initialValues, validate, type SchemaField } from '$lib/schema';
import type { CredentialChoice, Integration, JsonObject, Provider, ProviderConfig } from '$lib/wire';

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

/** `provider_config` as the API takes it. */
export function wireConfig(provider: Provider, config: JsonObject, credential: CredentialDraft, present?: Integration): ProviderConfig {
  const whole: ProviderConfig = { type: provider.id, ...cleaned(configFields(provider), config) };
  if (provider.x_patchbay.credentials.length === 0) return whole;
  if (credential.mode === 'keep' && present) whole['credential'] = present.provider_config['credential'];
  else if (credential.mode === 'shared') whole['credential'] = { type: `${credential.type}_id`, value: credential.shared };
  else whole['credential'] = { type: credential.type, ...cleaned(credentialFields(choiceOf(provider, credential.type)), credential.values) };
  return whole;
}

/** Faults that can be seen here, under the pointers that the core uses too. */
export function configFaults(provider: Provider, config: JsonObject, credential: CredentialDraft): Record<string, string> {
  const faults = validate(configFields(provider), config, '/provider_config');
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
