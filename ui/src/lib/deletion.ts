import { platform, ProblemError } from '$lib/platform';
import { invalidate, type Kind } from '$lib/query';
import { toast, undoable } from '$lib/toast.svelte';
import type { Deletion } from '$lib/wire';

/** After a delete: the message with Undo, which the bell also keeps for as long as it can be done. */
export function offerUndo(deletions: Deletion[], text: string, kinds: Kind[]): void {
  const refresh = () => kinds.forEach((kind) => invalidate(kind));
  const undo = async () => {
    try {
      for (const deletion of deletions) {
        await platform.rpc('deletions.undo', { path: { deletion_id: deletion.id } });
        undoable.drop(deletion.id);
      }
      toast.show('Restored.');
    } catch (error) {
      toast.show(error instanceof ProblemError ? error.problem.message : 'This could not be undone.', undefined, 'bad');
    }
    refresh();
  };
  const first = deletions[0];
  if (first) undoable.add(first, text, undo);
  toast.show(text, { title: 'Undo', run: () => void undo() });
  refresh();
}
