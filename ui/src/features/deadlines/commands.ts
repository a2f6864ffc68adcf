import type { Command } from '$lib/command';

export const commands: Command[] = [{ title: 'Show what ends within 30 days', href: '#/deadlines?within=30d' }];
