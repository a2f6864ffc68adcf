import { href } from '$lib/router.svelte';
import type { Deadline } from '$lib/wire';

/** Where somebody sees to it. */
export function placeOf({ object }: Deadline): { href: string; title: string } {
  if (object.integration_id && object.account_id) return { href: href(['integrations', object.account_id, object.integration_id]), title: 'Open the integration' };
  if (object.type === 'provider_app') return { href: href(['providers', 'apps'], { sel: object.id }), title: 'Open the provider app' };
  if (object.type === 'member') return { href: href(['members'], { sel: object.id }), title: 'Open the member' };
  if (object.type === 'token') return { href: href(['tokens'], { sel: object.id }), title: 'Open the token' };
  if (object.type === 'provider') return { href: href(['integrations'], { filter: `provider_type[eq]${object.id}` }), title: 'Show its integrations' };
  return object.account_id ? { href: href(['accounts'], { sel: object.account_id }), title: 'Open the account' } : { href: '#/organization', title: 'Open the organization' };
}
