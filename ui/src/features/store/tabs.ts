/** The tabs of a store that this computer holds the key of; elsewhere there is only the first. */
export const TABS = [
  { id: 'this', title: 'This store', href: '#/store' },
  { id: 'all', title: 'All stores', href: '#/store/all' },
];
