import type { RehearsalActor, RehearsalFault } from '$lib/wire';

export const ACTORS: Record<RehearsalActor, string> = { patchbay: 'Patchbay', provider: 'Provider', person: 'Person', director: 'You', journal: 'Journal' };

interface Trouble {
  fault: RehearsalFault;
  title: string;
  help: string;
  /** Only where a person authorizes. */
  consent?: boolean;
  /** Only where tokens are renewed. */
  renews?: boolean;
}

/** What can go wrong on demand. */
export const TROUBLES: Trouble[] = [
  { fault: 'expiry', title: 'Access token ends', help: 'The next call finds it refused.', consent: true },
  { fault: 'lost_answer', title: 'Answer is lost', help: 'The token ends, and the answer of the next renewal never arrives.', consent: true, renews: true },
  { fault: 'reuse', title: 'Refresh token is reused', help: 'Somebody else used it first; the token ends now.', consent: true, renews: true },
  { fault: 'rate_limit', title: 'Too many requests', help: 'The next call is answered with 429.' },
  { fault: 'outage', title: 'Outage', help: 'The provider is out for a minute.' },
  { fault: 'slow', title: 'Slow', help: 'The next answer takes two seconds.' },
  { fault: 'refuse_window', title: 'Embedded window is refused', help: 'The next page refuses to be shown in a window.', consent: true },
  { fault: 'revoke', title: 'Person takes it back', help: 'The grant ends at the provider.', consent: true },
  { fault: 'hour', title: 'An hour passes', help: 'On the clock of this rehearsal alone.' },
  { fault: 'quarter', title: '90 days pass', help: 'On the clock of this rehearsal alone.' },
];
