import type { Command } from '$lib/command';

export const commands: Command[] = [{ title: 'Create integration', href: '#/integrations/new', needs: 'write' }];
