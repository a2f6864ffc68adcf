import type { OwnCode } from '$lib/problem';
import type { Code, Problem } from '$lib/wire';

function problem(code: OwnCode, status: number, title: string, message: string): Problem {
  return { status, code: code as Code, title, message, type: `urn:patchbay:problem:${code}`, occurred_at: new Date().toISOString(), instance: 'urn:patchbay:interface' };
}

/** The host did not answer at all. */
export const lostConnection = () =>
  problem('connection_lost', 0, 'Connection lost', 'Patchbay does not answer. Check that it is running and that the network is up, then try again.');

/** The host answered with something that is not ours. */
export const unreadable = (status: number) =>
  problem('connection_lost', status, 'Unexpected answer', `The answer (status ${status}) did not come from Patchbay. Check the proxy in front of it, then try again.`);
