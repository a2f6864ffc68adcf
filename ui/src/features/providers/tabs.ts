export const TABS = [
  { id: 'catalog', title: 'Catalog', href: '#/providers' },
  { id: 'versions', title: 'Versions', href: '#/providers/versions' },
  { id: 'apps', title: 'Provider apps', href: '#/providers/apps' },
];
