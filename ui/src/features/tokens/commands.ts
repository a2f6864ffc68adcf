import type { Command } from '$lib/command';

export const commands: Command[] = [
  { title: 'Mint organization token', href: '#/tokens/new', needs: 'administer' },
  { title: 'Mint integration token', href: '#/tokens/new?kind=integration', needs: 'write' },
];
