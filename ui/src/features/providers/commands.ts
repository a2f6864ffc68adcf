import type { Command } from '$lib/command';

export const commands: Command[] = [
  { title: 'Show versions of providers', href: '#/providers/versions' },
  { title: "Show the organization's own manifests", href: '#/providers/manifests' },
  { title: 'Add manifest', href: '#/providers/manifests/new', needs: 'administer' },
  { title: 'Rehearse a provider', href: '#/providers/rehearse' },
  { title: 'Show provider apps', href: '#/providers/apps' },
  { title: 'Add provider app', href: '#/providers/apps/new', needs: 'administer' },
];
