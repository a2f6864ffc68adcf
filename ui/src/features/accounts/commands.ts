import type { Command } from '$lib/command';

export const commands: Command[] = [{ title: 'Create account', href: '#/accounts/new', needs: 'write' }];
