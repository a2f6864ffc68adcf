import type { BackupSettings } from '$lib/wire';
import { counted } from '$lib/words';

/** Most days or weeks of which backups are kept (backup.rs). */
const MOST = 1000;

/** What is wrong with a number of days or weeks. */
export function countFault(text: string, least: number): string | null {
  const given = text.trim();
  return /^\d+$/.test(given) && Number(given) >= least && Number(given) <= MOST ? null : `Enter a whole number from ${least} to ${MOST}.`;
}

/** What is kept, in words. */
export function keptWords({ enabled, daily, weekly }: BackupSettings): string {
  if (!enabled) return 'Those that were made by hand, and those that are there';
  const days = `the newest of each of ${counted(daily, 'day')}`;
  return weekly === 0 ? `${days[0]?.toUpperCase()}${days.slice(1)}` : `${days[0]?.toUpperCase()}${days.slice(1)} and of ${counted(weekly, 'week')}`;
}
