import type { StoreWork } from '$lib/wire';
import { count, counted } from '$lib/words';

/** Names of tables in the product's nouns, as far as people know them. */
const noun = (table: string): string => table.replaceAll('_', ' ');

/** How far work has come, in words and as a percentage of the bar. It is full only when it has ended. */
export function workProgress({ step, kind }: Pick<StoreWork, 'step' | 'kind'>): { words: string; percent: number } {
  if (!step) return { words: kind === 'verify' ? 'Looking at the pages of the store' : 'Making the new store', percent: 0 };
  const percent = step.of === 0 ? 99 : Math.min(99, Math.floor((step.rows / step.of) * 100));
  return { words: `${step.doing}: ${noun(step.table)}, ${count(step.rows)} of ${counted(step.of, 'row')}`, percent };
}
