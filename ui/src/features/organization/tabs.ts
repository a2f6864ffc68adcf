export const TABS = [
  { id: 'settings', title: 'Settings', href: '#/organization' },
  { id: 'webhooks', title: 'Webhooks', href: '#/organization/webhooks' },
];
