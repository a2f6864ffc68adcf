import type { Command } from '$lib/command';

export const commands: Command[] = [{ title: 'Change organization settings', href: '#/organization', needs: 'administer' }];
