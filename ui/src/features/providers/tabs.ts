export const TABS = [
  { id: 'catalog', title: 'Catalog', href: '#/providers' },
  { id: 'versions', title: 'Versions', href: '#/providers/versions' },
  { id: 'manifests', title: 'Own manifests', href: '#/providers/manifests' },
  { id: 'apps', title: 'Provider apps', href: '#/providers/apps' },
];
