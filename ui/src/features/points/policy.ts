// What a point prescribes for each provider, as a form holds it.
import { fieldsOf, titleOf, type SchemaField } from '$lib/schema';
import type { Json, JsonObject, PointPolicy, Provider } from '$lib/wire';
import { counted, joined } from '$lib/words';

export type Mode = 'free' | 'default' | 'locked';

export interface ProviderRules {
  members: Record<string, { mode: Mode; value: Json | undefined }>;
  /** Scopes with spaces between. */
  scopes: string;
}

export type Rules = Record<string, ProviderRules>;

/** Members that a rule can be about: no secret and nothing that says which credential it is. */
export const ruledFields = (provider: Provider): SchemaField[] =>
  fieldsOf({ ...((provider.x_patchbay.config?.schema ?? {}) as JsonObject), 'x-order': provider.x_patchbay.config?.order ?? [] }).filter((field) => field.name !== 'type' && field.name !== 'credential' && field.kind !== 'secret');

export function rulesOf(policy: PointPolicy | undefined): Rules {
  return Object.fromEntries(
    Object.entries(policy?.providers ?? {}).map(([provider, one]) => [
      provider,
      {
        members: {
          ...Object.fromEntries(Object.entries(one.defaults ?? {}).map(([name, value]) => [name, { mode: 'default' as Mode, value: value as Json }])),
          ...Object.fromEntries(Object.entries(one.locked ?? {}).map(([name, value]) => [name, { mode: 'locked' as Mode, value: value as Json }])),
        },
        scopes: (one.scopes ?? []).join(' '),
      },
    ]),
  );
}

export function policyOf(rules: Rules): PointPolicy {
  const providers: PointPolicy['providers'] = {};
  for (const [provider, one] of Object.entries(rules)) {
    const pick = (mode: Mode) => Object.fromEntries(Object.entries(one.members).filter(([, rule]) => rule.mode === mode && rule.value !== undefined).map(([name, rule]) => [name, rule.value]));
    const [locked, defaults, scopes] = [pick('locked'), pick('default'), one.scopes.split(/\s+/).filter(Boolean)];
    if (Object.keys(locked).length || Object.keys(defaults).length || scopes.length) {
      providers[provider] = { ...(Object.keys(locked).length ? { locked } : {}), ...(Object.keys(defaults).length ? { defaults } : {}), ...(scopes.length ? { scopes } : {}) };
    }
  }
  return { providers };
}

/** `Server locked; default project preset; 2 scopes`. */
export function rulesWords(policy: PointPolicy['providers'][string] | undefined, titles: Record<string, string> = {}): string {
  const named = (members: Record<string, unknown> | undefined) => joined(Object.keys(members ?? {}).map((name) => titles[name] ?? titleOf(name)));
  return [
    Object.keys(policy?.locked ?? {}).length ? `${named(policy?.locked)} locked` : '',
    Object.keys(policy?.defaults ?? {}).length ? `${named(policy?.defaults)} preset` : '',
    policy?.scopes?.length ? counted(policy.scopes.length, 'scope') : '',
  ]
    .filter(Boolean)
    .join('; ');
}
