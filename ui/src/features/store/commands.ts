import type { Command } from '$lib/command';

export const commands: Command[] = [
  { title: 'Open another store', href: '#/store/open', needs: 'local' },
  { title: 'Show all stores', href: '#/store/all', needs: 'local' },
  { title: 'Mark this store as production or test', href: '#/store', needs: 'local' },
];
