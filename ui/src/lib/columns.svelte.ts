import type { Column } from '$kit/table';
import { platform } from '$lib/platform';

/** Which columns a list shows; the person's choice is remembered. */
export function columns(list: string, all: Column[]) {
  const kept = platform.preference(`columns_${list}`)?.split(',');
  let shown = $state(kept ?? all.filter((column) => !column.optional).map((column) => column.id));
  return {
    all,
    get shown(): Column[] {
      return all.filter((column, index) => index === 0 || shown.includes(column.id));
    },
    has: (id: string) => shown.includes(id),
    set(id: string, on: boolean) {
      shown = on ? [...shown, id] : shown.filter((one) => one !== id);
      platform.setPreference(`columns_${list}`, shown.join(','));
    },
  };
}

export type Columns = ReturnType<typeof columns>;
