import type { Command } from '$lib/command';

export const commands: Command[] = [
  { title: 'Change organization settings', href: '#/organization', needs: 'administer' },
  { title: 'Show webhooks', href: '#/organization/webhooks' },
  { title: 'Add webhook', href: '#/organization/webhooks/new', needs: 'administer' },
];
