/** One column of a table. */
export interface Column {
  id: string;
  title: string;
  /** A track of the grid, such as `minmax(160px, 2fr)`. */
  width: string;
  /** The API's field to sort by. */
  sort?: string;
  align?: 'end';
  /** Not shown until chosen. */
  optional?: boolean;
}

export const ROW_HEIGHT = 32;
/** Most rows that are in the document at once. */
const MOST_ROWS = 60;
const AROUND = 8;

/** Least width of a row, so that all rows are equally wide when the window is narrow: sum of the columns' least widths. */
export function leastWidth(columns: Column[], marked: boolean): number {
  const tracks = columns.map((column) => Number(/(\d+)px/.exec(column.width)?.[1] ?? 96));
  const all = marked ? [32, ...tracks] : tracks;
  return all.reduce((sum, track) => sum + track, 0) + (all.length - 1) * 12 + 24;
}

/** Which rows are in the document for this place in the scroll. */
export function windowOf(scrollTop: number, height: number, count: number): { first: number; last: number } {
  const visible = Math.ceil(Math.max(height, ROW_HEIGHT) / ROW_HEIGHT) + 1;
  const first = Math.max(0, Math.min(count, Math.floor(scrollTop / ROW_HEIGHT)) - AROUND);
  return { first, last: Math.min(count, first + Math.min(MOST_ROWS, visible + 2 * AROUND)) };
}
