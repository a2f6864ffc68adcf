import type { Command } from '$lib/command';

export const commands: Command[] = [{ title: 'Export configuration', href: '#/configuration', needs: 'administer' }];
