import type { Command } from '$lib/command';

export const commands: Command[] = [{ title: 'Show failed requests', href: '#/audit?filter=audit_type%5Beq%5DERROR' }];
