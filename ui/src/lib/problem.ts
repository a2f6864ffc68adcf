import type { Code, Problem } from '$lib/wire';

/** Codes that the interface raises itself. */
export type OwnCode = 'connection_lost' | 'interface_failed';

/** A heading for each code, and what to do where the message may not say it. Exhaustive: a new code does not compile. */
const WORDS: Record<Code | OwnCode, { heading: string; todo?: string }> = {
  invalid_request: { heading: 'The request cannot be understood' },
  invalid_body: { heading: 'The request cannot be read' },
  invalid_field: { heading: 'A field has a value that is not allowed' },
  invalid_filter: { heading: 'The filter cannot be used', todo: 'Remove or correct the filter.' },
  invalid_order: { heading: 'The list cannot be sorted like this', todo: 'Sort by another column.' },
  invalid_cursor: { heading: 'This page of the list is gone', todo: 'Load the list again.' },
  invalid_patch: { heading: 'The change cannot be applied' },
  not_undoable: { heading: 'This cannot be undone' },
  manifest_invalid: { heading: 'The manifest cannot be used' },
  invalid_image: { heading: 'The copy or backup cannot be used', todo: 'Take another one, or make it again.' },
  invalid_config: { heading: 'The configuration does not fit the provider' },
  weak_password: { heading: 'The password is too weak', todo: 'Use 8 to 71 characters that are hard to guess.' },
  provider_not_allowed: { heading: 'The integration point does not allow this provider', todo: 'Choose another provider, or allow it in the integration point.' },
  definition_withdrawn: { heading: 'This version of the provider was withdrawn', todo: 'Move to another version.' },
  integration_not_active: { heading: 'The integration is not active' },
  needs_reconnect: { heading: 'The provider no longer accepts the credential', todo: 'Connect the integration again.' },
  provider_app_missing: { heading: 'There is no provider app for this provider', todo: 'Add a provider app with the client id that the provider gave you.' },
  consent_expired: { heading: 'The consent took too long', todo: 'Connect again.' },
  consent_unknown: { heading: 'This answer belongs to no running consent', todo: 'Connect again.' },
  consent_replayed: { heading: 'This consent is already finished' },
  consent_callback_mismatch: { heading: 'The answer came to another address', todo: 'Register the exact redirect URI at the provider.' },
  consent_issuer_mismatch: { heading: 'The answer came from another issuer', todo: 'Check the issuer of the provider app.' },
  consent_denied: { heading: 'The provider or the person refused', todo: 'Connect again and agree, or ask who administers the provider.' },
  consent_other_browser: { heading: 'The consent was begun in another browser', todo: 'Go on in the browser in which it was begun, or connect again.' },
  consent_route_unavailable: { heading: 'This way to connect is not open', todo: 'Choose another way.' },
  token_missing: { heading: 'You are not signed in', todo: 'Sign in again.' },
  token_invalid: { heading: 'The sign-in has ended', todo: 'Sign in again.' },
  logon_failed: { heading: 'Signing in failed', todo: 'Check the organization, the e-mail and the password.' },
  member_disabled: { heading: 'This member is disabled', todo: 'Ask an administrator of the organization.' },
  member_invited: { heading: 'This member has no password yet', todo: 'Open the invitation, or ask an administrator for a new one.' },
  member_locked: { heading: 'This member is locked', todo: 'Wait, or ask an administrator to unlock it.' },
  wrong_token_kind: { heading: 'This is another kind of token', todo: 'Use an organization token here.' },
  permission_denied: { heading: 'Your permissions do not cover this', todo: 'Ask an administrator of the organization.' },
  link_invalid: { heading: 'This link does not work', todo: 'Make a new link.' },
  not_found: { heading: 'There is no such object', todo: 'It may have been deleted. Go back to the list.' },
  method_not_allowed: { heading: 'This cannot be done with that address' },
  name_taken: { heading: 'The name is used already', todo: 'Choose another name.' },
  in_use: { heading: 'The object is in use', todo: 'Change or delete what uses it first.' },
  update_conflict: { heading: 'The object changed in the meantime', todo: 'Load it again and repeat the change.' },
  payload_too_large: { heading: 'This is too large' },
  unsupported_media_type: { heading: 'This type of content is not taken' },
  rate_limited: { heading: 'Too many requests', todo: 'Wait a little, then try again.' },
  provider_rate_limited: { heading: 'The provider asks for fewer requests', todo: 'Wait a little, then try again.' },
  internal: { heading: 'Patchbay failed inside' },
  seal_broken: { heading: 'A sealed secret does not open', todo: 'Replace the credential.' },
  operation_unsupported: { heading: 'The provider does not offer this operation' },
  provider_refused: { heading: 'The provider refused' },
  provider_unreachable: { heading: 'The provider cannot be reached', todo: 'Check the URL and the network.' },
  provider_invalid_answer: { heading: 'The provider gave an answer that cannot be used', todo: 'Check that the URL is the one of the provider.' },
  private_target: { heading: 'Private addresses are not allowed', todo: 'Use a public address, or allow private networks when starting Patchbay.' },
  store_busy: { heading: 'The store is busy', todo: 'Try again in a moment.' },
  store_read_only: { heading: 'The store cannot be written', todo: 'Check free space and the rights on the file.' },
  shutting_down: { heading: 'The server is about to end', todo: 'Try again in a moment.' },
  backup_failed: { heading: 'The backup could not be made', todo: 'Check free space and the rights on the folder, then try again.' },
  provider_timeout: { heading: 'The provider did not answer in time', todo: 'Try again in a moment.' },
  server_unreachable: { heading: 'The server cannot be reached', todo: 'Check the network; Patchbay tries again by itself.' },
  server_incompatible: { heading: 'The server is of another version', todo: 'Update the older of the two.' },
  store_missing: { heading: 'There is no store at this place', todo: 'Check the path, or create a store.' },
  store_damaged: { heading: 'The file is no store or is damaged', todo: 'Choose another file, or restore a backup.' },
  store_newer: { heading: 'The store was written by a newer Patchbay', todo: 'Update Patchbay.' },
  store_unprepared: { heading: 'The database cannot be a store yet', todo: 'Let an administrator of the database run what the message says.' },
  store_refused: { heading: 'The database refuses the login', todo: 'Check the user in the address and its password.' },
  store_untrusted: { heading: 'The database server does not prove who it is', todo: 'Name its certificate authority in the address, or correct the host.' },
  store_locked: { heading: 'Another process holds the store', todo: 'Close it, then try again.' },
  wrong_key: { heading: 'The key does not belong to this store', todo: 'Choose the key source with which the store was created.' },
  key_unavailable: { heading: 'The key cannot be read', todo: 'Choose another key source.' },
  connection_lost: { heading: 'Patchbay does not answer', todo: 'Check that it is running, then try again.' },
  interface_failed: { heading: 'The interface failed', todo: 'Load the page again, and report it if it comes back.' },
};

/** What to show of a problem. */
export interface Shown {
  heading: string;
  message: string;
  todo: string | null;
}

export function words(problem: Problem): Shown {
  const known = (WORDS as Record<string, { heading: string; todo?: string } | undefined>)[problem.code];
  // A message of more than one part already says what to do; the catalog's line stands in for the others.
  const says = /[.:;] \S/.test(problem.message);
  return { heading: known?.heading ?? problem.title, message: problem.message, todo: problem.remediation ?? (says ? null : (known?.todo ?? null)) };
}

/** Something thrown that is no problem of the core. */
export function unexpected(error: unknown): Problem {
  const text = error instanceof Error ? error.message : String(error);
  return {
    status: 0,
    code: 'interface_failed' as Code,
    title: 'The interface failed',
    type: 'urn:patchbay:problem:interface_failed',
    message: `The interface failed: ${text.slice(0, 300)}.`,
    occurred_at: new Date().toISOString(),
    instance: 'urn:patchbay:interface',
  };
}

/** Messages by the field that they speak of: JSON Pointer of the body to words. */
export function fieldErrors(problem: Problem | null): Record<string, string> {
  const at = problem?.context?.parameter;
  return problem && at?.location === 'body' ? { [at.id]: problem.message } : {};
}

/** Whether the problem means that the session has ended. */
export function endsSession(problem: Problem | null): boolean {
  return problem?.code === 'token_missing' || problem?.code === 'token_invalid';
}
