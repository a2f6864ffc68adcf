import type { Command } from '$lib/command';

export const commands: Command[] = [{ title: 'Run a call', href: '#/try', needs: 'write' }];
