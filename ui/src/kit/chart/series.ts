// What the chart of calls is drawn from.

/** One column: a stretch of time with the calls in it. */
export interface Bucket {
  /** When it begins, RFC 3339. */
  created_at: string;
  succeeded: number;
  failed: number;
}

/** A stacked part of a column, from one height to another. */
export interface Part {
  at: number;
  from: number;
  to: number;
}

/** The parts of one kind: those that failed stand on the axis, where they are not overlooked, the others on them. */
export const partsOf = (buckets: Bucket[], kind: 'succeeded' | 'failed'): Part[] =>
  buckets.flatMap((bucket, at) => {
    const from = kind === 'failed' ? 0 : bucket.failed;
    const to = kind === 'failed' ? bucket.failed : bucket.failed + bucket.succeeded;
    return to > from ? [{ at, from, to }] : [];
  });

export const tallest = (buckets: Bucket[]): number => Math.max(0, ...buckets.map((bucket) => bucket.succeeded + bucket.failed));

/** Round values for the lines across, at most `most` above zero; whole calls only. */
export function ticks(highest: number, most = 3): number[] {
  if (highest <= 0) return [0];
  const rough = highest / most;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = Math.max(1, [1, 2, 5, 10].map((one) => one * power).find((one) => one >= rough) ?? 10 * power);
  return Array.from({ length: Math.ceil(highest / step) + 1 }, (_, index) => index * step);
}

/** Which columns carry their time: round ones, as many as there is room for. */
export function labelled(buckets: Bucket[], unit: 'minute' | 'hour' | 'day', room: number): number[] {
  const part = (at: string) => (unit === 'minute' ? new Date(at).getMinutes() : unit === 'hour' ? new Date(at).getHours() : 0);
  const steps = { minute: [5, 10, 15, 30, 60], hour: [1, 2, 3, 6, 12], day: [1] }[unit];
  const rounds = steps.map((step) => buckets.flatMap((bucket, index) => (part(bucket.created_at) % step === 0 ? [index] : [])));
  return rounds.find((round) => round.length <= room) ?? rounds.at(-1) ?? [];
}

/** `412 calls in the last hour, 9 of them failed.` */
export function summary(buckets: Bucket[], span: string): string {
  const failed = buckets.reduce((sum, one) => sum + one.failed, 0);
  const all = failed + buckets.reduce((sum, one) => sum + one.succeeded, 0);
  const number = new Intl.NumberFormat('en');
  if (all === 0) return `No call ${span}.`;
  return `${number.format(all)} ${all === 1 ? 'call' : 'calls'} ${span}, ${failed === 0 ? 'none' : number.format(failed)} of them failed.`;
}
