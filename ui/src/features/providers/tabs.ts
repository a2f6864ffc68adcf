export const TABS = [
  { id: 'catalog', title: 'Catalog', href: '#/providers' },
  { id: 'apps', title: 'Provider apps', href: '#/providers/apps' },
];
