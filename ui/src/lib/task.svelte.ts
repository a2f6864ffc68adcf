import { ProblemError } from '$lib/platform';
import { unexpected } from '$lib/problem';
import type { Problem } from '$lib/wire';

/** One thing that runs at a time, with what came of it. Answers of tasks are not cached: some hold a new secret. */
export function task() {
  let busy = $state(false);
  let problem = $state.raw<Problem | null>(null);
  return {
    get busy() {
      return busy;
    },
    get problem() {
      return problem;
    },
    clear() {
      problem = null;
    },
    /** Runs it; answers nothing after a problem. */
    async run<T>(work: () => Promise<T>): Promise<T | undefined> {
      if (busy) return undefined;
      busy = true;
      problem = null;
      try {
        return await work();
      } catch (error) {
        problem = error instanceof ProblemError ? error.problem : unexpected(error);
        return undefined;
      } finally {
        busy = false;
      }
    },
  };
}

export type Task = ReturnType<typeof task>;

/** The problem in whatever a query or call threw. */
export function problemOf(error: unknown): Problem | null {
  if (error === null || error === undefined) return null;
  return error instanceof ProblemError ? error.problem : unexpected(error);
}
