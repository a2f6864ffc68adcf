import type { Command } from '$lib/command';

export const commands: Command[] = [
  { title: 'Open another store', href: '#/store/open', needs: 'local' },
  { title: 'Show all stores', href: '#/store/all', needs: 'local' },
  { title: 'Rotate the keys of the store', href: '#/store/keys', needs: 'administer' },
  { title: 'Back up the store', href: '#/store/backups', needs: 'administer' },
  { title: 'Check the store', href: '#/store/check', needs: 'local' },
  { title: 'Copy the store', href: '#/store/copy', needs: 'local' },
  { title: 'Mark this store as production or test', href: '#/store', needs: 'local' },
];
