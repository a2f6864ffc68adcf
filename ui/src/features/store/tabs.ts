import { platform } from '$lib/platform';
import { administers } from '$lib/session.svelte';

interface Tab {
  id: string;
  title: string;
  href: string;
}

/** What of a store this session sees: its list only in the application, which opens stores, its safety only administrators. */
export function tabs(): Tab[] {
  return [
    { id: 'this', title: 'This store', href: '#/store' },
    ...(administers() ? [{ id: 'backups', title: 'Backups', href: '#/store/backups' }] : []),
    ...(platform.can.localStores ? [{ id: 'all', title: 'All stores', href: '#/store/all' }] : []),
  ];
}
