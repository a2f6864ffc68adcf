// One clock for all relative times on screen.
let now = $state(Date.now());
setInterval(() => {
  now = Date.now();
}, 20_000);

const UNITS: [number, Intl.RelativeTimeFormatUnit][] = [
  [60, 'second'],
  [60, 'minute'],
  [24, 'hour'],
  [7, 'day'],
  [4.35, 'week'],
  [12, 'month'],
  [Infinity, 'year'],
];
const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });
const exact = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'long' });
const clock = new Intl.DateTimeFormat('en-GB', { timeStyle: 'short' });
const day = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium' });

export function relativeTime(at: string): string {
  // What is new since the clock's last tick lies in no future.
  let span = (Date.parse(at) - Math.max(now, Date.now())) / 1000;
  if (Number.isNaN(span)) return at;
  if (Math.abs(span) < 45) return span > 5 ? 'in a moment' : 'just now';
  for (const [size, unit] of UNITS) {
    if (Math.abs(span) < size) return relative.format(Math.round(span), unit);
    span /= size;
  }
  return day.format(new Date(at));
}

export const exactTime = (at: string): string => (Number.isNaN(Date.parse(at)) ? at : exact.format(new Date(at)));
export const dayOf = (at: string): string => (Number.isNaN(Date.parse(at)) ? at : day.format(new Date(at)));
/** `14:05`, by the clock of the person. */
export const clockTime = (at: string): string => (Number.isNaN(Date.parse(at)) ? at : clock.format(new Date(at)));
const weekday = new Intl.DateTimeFormat('en-GB', { weekday: 'short', day: 'numeric', month: 'short' });
/** `Sun 22 Nov`. */
export const shortDay = (at: string): string => (Number.isNaN(Date.parse(at)) ? at : weekday.format(new Date(at)));
/** Whether the moment has passed, by the clock on screen. */
export const isPast = (at: string): boolean => Date.parse(at) <= now;
