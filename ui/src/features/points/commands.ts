import type { Command } from '$lib/command';

export const commands: Command[] = [{ title: 'Create integration point', href: '#/points/new', needs: 'administer' }];
