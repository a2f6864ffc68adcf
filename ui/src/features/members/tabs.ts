export const TABS = [
  { id: 'members', title: 'Members', href: '#/members' },
  { id: 'roles', title: 'Roles', href: '#/members/roles' },
];
