import type { Component } from 'svelte';
import type { IconName } from '$kit/icons';
import { commands as accounts } from '$features/accounts/commands';
import { commands as audit } from '$features/audit/commands';
import { commands as configuration } from '$features/configuration/commands';
import { commands as deadlines } from '$features/deadlines/commands';
import { commands as integrations } from '$features/integrations/commands';
import { commands as members } from '$features/members/commands';
import { commands as organization } from '$features/organization/commands';
import { commands as points } from '$features/points/commands';
import { commands as providers } from '$features/providers/commands';
import { commands as store } from '$features/store/commands';
import { commands as tokens } from '$features/tokens/commands';
import { commands as tryit } from '$features/tryit/commands';
import type { Command } from '$lib/command';

type Load = () => Promise<{ default: Component<{ path: string[] }> }>;

/** A screen of the rail. Its page draws everything below its first path segment. */
export interface Screen {
  id: string;
  title: string;
  icon: IconName;
  load: Load;
}

export const SCREENS: Screen[] = [
  { id: 'overview', title: 'Overview', icon: 'overview', load: () => import('$features/overview/Screen.svelte') },
  { id: 'deadlines', title: 'Deadlines', icon: 'clock', load: () => import('$features/deadlines/Screen.svelte') },
  { id: 'accounts', title: 'Accounts', icon: 'account', load: () => import('$features/accounts/Screen.svelte') },
  { id: 'integrations', title: 'Integrations', icon: 'integration', load: () => import('$features/integrations/Screen.svelte') },
  { id: 'points', title: 'Integration points', icon: 'point', load: () => import('$features/points/Screen.svelte') },
  { id: 'providers', title: 'Providers', icon: 'provider', load: () => import('$features/providers/Screen.svelte') },
  { id: 'members', title: 'Members and roles', icon: 'member', load: () => import('$features/members/Screen.svelte') },
  { id: 'tokens', title: 'Tokens', icon: 'token', load: () => import('$features/tokens/Screen.svelte') },
  { id: 'try', title: 'Try it', icon: 'try', load: () => import('$features/tryit/Screen.svelte') },
  { id: 'audit', title: 'Audit', icon: 'audit', load: () => import('$features/audit/Screen.svelte') },
  { id: 'configuration', title: 'Configuration', icon: 'configuration', load: () => import('$features/configuration/Screen.svelte') },
  { id: 'organization', title: 'Organization', icon: 'organization', load: () => import('$features/organization/Screen.svelte') },
  { id: 'store', title: 'Store', icon: 'store', load: () => import('$features/store/Screen.svelte') },
];

/** What the palette offers beside the screens. */
export const COMMANDS: Command[] = [...accounts, ...integrations, ...points, ...providers, ...deadlines, ...members, ...tokens, ...tryit, ...audit, ...configuration, ...organization, ...store];
