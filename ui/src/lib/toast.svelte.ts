import type { Deletion } from '$lib/wire';

export interface Toast {
  id: number;
  text: string;
  tone: 'plain' | 'bad';
  action?: { title: string; run: () => void };
}

let toasts = $state<Toast[]>([]);
let deletions = $state<{ deletion: Deletion; text: string; undo: () => Promise<void> }[]>([]);
let next = 1;
const timers = new Map<number, ReturnType<typeof setTimeout>>();

/** Short messages at the foot of the window, read out by screen readers. */
export const toast = {
  get all(): Toast[] {
    return toasts;
  },
  show(text: string, action?: Toast['action'], tone: Toast['tone'] = 'plain') {
    const id = next++;
    toasts = [...toasts.slice(-3), { id, text, tone, ...(action ? { action } : {}) }];
    this.restart(id);
  },
  hold(id: number) {
    clearTimeout(timers.get(id));
  },
  restart(id: number) {
    const one = toasts.find((entry) => entry.id === id);
    clearTimeout(timers.get(id));
    timers.set(
      id,
      setTimeout(() => this.drop(id), one?.action ? 15_000 : 6_000),
    );
  },
  drop(id: number) {
    clearTimeout(timers.get(id));
    timers.delete(id);
    toasts = toasts.filter((entry) => entry.id !== id);
  },
};

/** Deletions of this session that can still be undone; the bell lists them after the toast has gone. */
export const undoable = {
  get all() {
    return deletions;
  },
  add(deletion: Deletion, text: string, undo: () => Promise<void>) {
    deletions = [{ deletion, text, undo }, ...deletions].slice(0, 20);
  },
  drop(id: string) {
    deletions = deletions.filter((entry) => entry.deletion.id !== id);
  },
};
