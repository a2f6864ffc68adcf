import { Channel, invoke } from '@tauri-apps/api/core';
import type { Change, Problem } from '$lib/wire';
import { lostConnection } from './trouble';
import { ProblemError, type Platform } from './types';

function asProblem(error: unknown): Problem {
  if (typeof error === 'object' && error !== null && 'code' in error && 'message' in error) return error as Problem;
  return { ...lostConnection(), message: `The application's core failed: ${String(error)}. Close Patchbay, open it again, and report this if it comes back.` };
}

const listeners = new Set<{ listener: (change: Change) => void; gap: () => void }>();
let following = false;

/** The core sends the changes of whatever store is open for as long as the window is there, so it is asked once. */
function follow(): void {
  if (following) return;
  following = true;
  const lost = () => listeners.forEach((one) => one.gap());
  const channel = new Channel<Change>();
  channel.onmessage = (change) => {
    // Sequences may have holes, where a change is not for this caller. Of missed ones the core tells by a change of every kind.
    listeners.forEach((one) => one.listener(change));
  };
  void invoke('subscribe', { channel }).catch(() => {
    following = false;
    lost();
  });
}

/** The interface in the application's own window. */
export const tauri: Platform = {
  host: 'desktop',
  can: { consentWindow: true, consentBrowser: true, consentLink: false, localStores: true, signOut: false, openLinks: false },

  async rpc(command, params) {
    try {
      return await invoke('rpc', { command, params });
    } catch (error) {
      throw new ProblemError(asProblem(error));
    }
  },

  events(listener, gap) {
    const one = { listener, gap };
    listeners.add(one);
    follow();
    return () => listeners.delete(one);
  },

  // The core is in this process: it answers or there is no window.
  connection: () => () => undefined,

  async signIn() {
    await Promise.reject(new ProblemError(lostConnection()));
  },

  async lookAtLink() {
    return Promise.reject(new ProblemError(lostConnection()));
  },

  async signOut() {
    await Promise.reject(new ProblemError(lostConnection()));
  },

  async copy(text) {
    await navigator.clipboard.writeText(text);
  },

  async saveFile(name, content) {
    const answer = await tauri.rpc('file.save', { suggested_name: name, content });
    return answer.path ?? null;
  },

  preference(name) {
    return localStorage.getItem(`patchbay.${name}`);
  },

  setPreference(name, value) {
    if (value === null) localStorage.removeItem(`patchbay.${name}`);
    else localStorage.setItem(`patchbay.${name}`, value);
  },
};
