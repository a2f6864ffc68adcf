import type { Platform } from './types';

/** Chosen once, before anything is drawn; each host loads only its own half. */
export let platform: Platform;

export async function choosePlatform(): Promise<void> {
  platform = '__TAURI_INTERNALS__' in window ? (await import('./tauri')).tauri : (await import('./web')).web;
}

export { ProblemError } from './types';
export type { Platform } from './types';
