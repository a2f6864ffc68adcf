import type { AttentionCause, IntegrationExtra, IntegrationStatus } from '$lib/wire';
import type { IconName } from './icons';

/** Icon and word of each status; the colour comes third. */
export const STATUS: Record<IntegrationStatus, { word: string; icon: IconName; tone: 'good' | 'warn' | 'wait' | 'plain' | 'bad' }> = {
  draft: { word: 'Draft', icon: 'draft', tone: 'plain' },
  awaiting_consent: { word: 'Awaiting consent', icon: 'clock', tone: 'wait' },
  active: { word: 'Active', icon: 'active', tone: 'good' },
  needs_attention: { word: 'Needs attention', icon: 'alert', tone: 'warn' },
  paused: { word: 'Paused', icon: 'pause', tone: 'plain' },
  revoked: { word: 'Revoked', icon: 'revoked', tone: 'bad' },
};

/** The one thing to do next, as the integration's screens know to do it. */
export type NextAction = 'connect' | 'edit' | 'test' | 'resume';

const BY_CAUSE: Record<AttentionCause, NextAction> = {
  credential_refused: 'edit',
  credential_expired: 'edit',
  credential_missing: 'edit',
  config_refused: 'edit',
  refresh_refused: 'connect',
  grant_expired: 'connect',
  token_lost: 'connect',
  refresh_uncertain: 'connect',
  client_refused: 'test',
  provider_unreachable: 'test',
};

/** What to do about an integration; nothing when it works. */
export function nextAction(extra: IntegrationExtra | undefined): { action: NextAction; title: string } | null {
  if (!extra) return null;
  const byConsent = extra.credential_kind === 'o_auth_user';
  switch (extra.status) {
    case 'active':
      return null;
    case 'draft':
      return byConsent ? { action: 'connect', title: 'Connect' } : { action: 'edit', title: 'Complete' };
    case 'awaiting_consent':
      return { action: 'connect', title: 'Connect' };
    case 'paused':
      return { action: 'resume', title: 'Resume' };
    case 'revoked':
      return { action: byConsent ? 'connect' : 'edit', title: byConsent ? 'Connect again' : 'Replace credential' };
    case 'needs_attention': {
      const action = extra.cause ? BY_CAUSE[extra.cause] : 'test';
      if (action === 'connect' || (byConsent && action === 'edit' && extra.cause !== 'config_refused')) return { action: 'connect', title: 'Connect again' };
      if (action === 'edit') return { action, title: extra.cause === 'config_refused' ? 'Correct configuration' : 'Replace credential' };
      return { action, title: 'Test connection' };
    }
  }
}
