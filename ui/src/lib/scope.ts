// Where a role or a token applies: the parts of `resources` (synqly-wire.md section 6), as a form holds them.
import type { Resources } from '$lib/wire';
import { counted, joined } from '$lib/words';

export interface Scope {
  /** Ids of accounts; nothing stands for all. */
  accounts: string[] | null;
  /** Accounts with at least one of them; empty does not narrow. */
  labels: string[];
  /** `test` and `prod`; empty does not narrow. */
  environments: string[];
  /** Connectors of integrations; nothing stands for all. */
  categories: string[] | null;
}

export const WHOLE: Scope = { accounts: null, labels: [], environments: [], categories: null };

const narrowed = (list: string[] | undefined): string[] | null => (list === undefined || list.includes('*') ? null : list);

export function scopeOf(resources: Resources | undefined): Scope {
  return {
    accounts: narrowed(resources?.accounts?.ids),
    labels: resources?.accounts?.labels ?? [],
    environments: resources?.accounts?.environments ?? [],
    categories: narrowed(resources?.integrations?.categories),
  };
}

export function resourcesOf(scope: Scope): Resources {
  return {
    accounts: {
      ids: scope.accounts ?? ['*'],
      ...(scope.labels.length ? { labels: scope.labels } : {}),
      // Both environments are the same as no choice of one.
      ...(scope.environments.length === 1 ? { environments: scope.environments } : {}),
    },
    ...(scope.categories ? { integrations: { categories: scope.categories } } : {}),
  };
}

/** Why the scope covers nothing, if it does. */
export function scopeFault(scope: Scope): { part: 'accounts' | 'categories'; words: string } | null {
  if (scope.accounts?.length === 0) return { part: 'accounts', words: 'Choose at least one account.' };
  if (scope.categories?.length === 0) return { part: 'categories', words: 'Choose at least one connector.' };
  return null;
}

/** `2 accounts with label gold or eu, in test; their ticketing integrations`. */
export function scopeWords(scope: Scope, connector: (id: string) => string = (id) => id): string {
  const accounts = !scope.accounts ? 'all accounts' : scope.accounts.length ? counted(scope.accounts.length, 'account') : 'no account yet';
  const labels = scope.labels.length ? ` with label ${scope.labels.join(' or ')}` : '';
  const environments = scope.environments.length === 1 ? `, only ${scope.environments[0]}` : '';
  const categories = scope.categories ? `; of their integrations ${joined(scope.categories.map(connector)) || 'none yet'}` : '';
  return `${accounts}${labels}${environments}${categories}`;
}

export const isWhole = (scope: Scope): boolean => !scope.accounts && !scope.labels.length && scope.environments.length !== 1 && !scope.categories;
