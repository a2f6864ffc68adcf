import { href } from '$lib/router.svelte';

/** The pages of one integration. */
export const tabs = (account: string, id: string) => [
  { id: 'overview', title: 'Overview', href: href(['integrations', account, id]) },
  { id: 'proof', title: 'Proof', href: href(['integrations', account, id, 'proof']) },
];
