import { platform, ProblemError } from '$lib/platform';
import { invalidate, type Kind } from '$lib/query';
import { session } from '$lib/session.svelte';
import { toast } from '$lib/toast.svelte';

const refused = (error: unknown): string => (error instanceof ProblemError ? error.problem.message : 'This could not be undone.');

/** Takes the change of an audit row back, and offers to make it again: an undo is a change like any other. */
export async function undo(id: string, refresh: Kind[]): Promise<boolean> {
  try {
    const { result } = await platform.rpc('audit.undo', { path: { audit_id: id } });
    toast.show(result.x_patchbay.undo_of ? 'Undone.' : 'Done.', result.x_patchbay.undoable ? { title: 'Redo', run: () => void undo(result.x_patchbay.id, refresh) } : undefined);
    return true;
  } catch (error) {
    toast.show(refused(error), undefined, 'bad');
    return false;
  } finally {
    for (const kind of new Set<Kind>([...refresh, 'audit', 'overview'])) invalidate(kind);
  }
}

/** Whether this session may read the audit log; asking in vain would stand in it as a refusal. */
const reads = (): boolean => {
  const set = session.info.permission_set;
  return set === undefined || set === 'administrator' || set === 'viewer' || set === 'member';
};

/** After a change: reads anew what shows it, and says it with Undo where the change can be taken back. */
export async function announce(text: string, object: string, refresh: Kind[]): Promise<void> {
  for (const kind of refresh) invalidate(kind);
  let row: string | null = null;
  if (reads()) {
    try {
      const { result } = await platform.rpc('audit.list', { query: { filter: [`object_id[eq]${object}`], order: ['created_at[desc]'], limit: 1 } });
      const last = result[0];
      // Somebody else's later change is theirs to take back.
      if (last?.x_patchbay.undoable && last.member_id === session.info.member.id) row = last.x_patchbay.id;
    } catch {
      // The change is done all the same; it can be undone in the audit log.
    }
  }
  toast.show(text, row === null ? undefined : { title: 'Undo', run: () => void undo(row, refresh) });
}
