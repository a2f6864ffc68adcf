import type { Command } from '$lib/command';

export const commands: Command[] = [{ title: 'Add member', href: '#/members/new', needs: 'administer' }];
