import type { Command } from '$lib/command';

export const commands: Command[] = [
  { title: 'Add member', href: '#/members/new', needs: 'administer' },
  { title: 'Show roles', href: '#/members/roles' },
  { title: 'Create role', href: '#/members/roles/new', needs: 'administer' },
];
