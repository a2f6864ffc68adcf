import { platform } from '$lib/platform';
import { administers, session } from '$lib/session.svelte';

interface Tab {
  id: string;
  title: string;
  href: string;
}

/** Whether the store is opened by this application itself, and not by a server. */
const holdsStore = () => platform.can.localStores && session.info.store.kind !== 'remote';

/** What of a store this session sees: its list only in the application, which opens stores, its safety only administrators. */
export function tabs(): Tab[] {
  return [
    { id: 'this', title: 'This store', href: '#/store' },
    ...(administers() ? [{ id: 'keys', title: 'Keys', href: '#/store/keys' }, { id: 'backups', title: 'Backups', href: '#/store/backups' }] : []),
    ...(holdsStore() ? [{ id: 'check', title: 'Check', href: '#/store/check' }, { id: 'copy', title: 'Copy', href: '#/store/copy' }] : []),
    ...(platform.can.localStores ? [{ id: 'all', title: 'All stores', href: '#/store/all' }] : []),
  ];
}
