// Hash routes: the same under tauri:// and http, and nothing of them reaches a server.

function read(): { path: string[]; query: URLSearchParams } {
  const hash = location.hash.replace(/^#\/?/, '');
  const cut = hash.indexOf('?');
  const path = cut < 0 ? hash : hash.slice(0, cut);
  return {
    path: path.split('/').filter(Boolean).map(decodeURIComponent),
    query: new URLSearchParams(cut < 0 ? '' : hash.slice(cut + 1)),
  };
}

let place = $state.raw(read());
let shown = location.hash;
let blocked = $state<string | null>(null);
let guard: (() => boolean) | null = null;

const pathOf = (hash: string) => hash.split('?')[0];

window.addEventListener('hashchange', () => {
  if (guard?.() && pathOf(location.hash) !== pathOf(shown)) {
    blocked = location.hash;
    history.replaceState(null, '', shown || '#/');
    return;
  }
  shown = location.hash;
  place = read();
});

window.addEventListener('beforeunload', (event) => {
  if (guard?.()) event.preventDefault();
});

/** Builds `#/a/b?x=y`; parameters without value are left out. */
export function href(path: string[], query: Record<string, string | string[] | undefined> = {}): string {
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) {
    if (Array.isArray(value)) value.forEach((one) => search.append(key, one));
    else if (value !== undefined && value !== '') search.set(key, value);
  }
  const tail = search.toString();
  return `#/${path.map(encodeURIComponent).join('/')}${tail ? `?${tail}` : ''}`;
}

export const router = {
  get path(): string[] {
    return place.path;
  },
  get query(): URLSearchParams {
    return place.query;
  },
  /** Where the person wanted to go while a form had changes. */
  get blocked(): string | null {
    return blocked;
  },
  go(to: string) {
    location.hash = to.replace(/^#/, '');
  },
  /** The same without a way back to where the person is now. */
  replace(to: string) {
    history.replaceState(null, '', `#${to.replace(/^#/, '')}`);
    shown = location.hash;
    place = read();
  },
  /** Changes query parameters of the present place without a new entry in the history. */
  set(changes: Record<string, string | string[] | null>) {
    const query = new URLSearchParams(place.query);
    for (const [key, value] of Object.entries(changes)) {
      query.delete(key);
      if (Array.isArray(value)) value.forEach((one) => query.append(key, one));
      else if (value !== null && value !== '') query.set(key, value);
    }
    const tail = query.toString();
    const next = `#/${place.path.map(encodeURIComponent).join('/')}${tail ? `?${tail}` : ''}`;
    history.replaceState(null, '', next);
    shown = next;
    place = read();
  },
  /** Asks `dirty` before the place changes; give nothing to stop asking. */
  guard(dirty: (() => boolean) | null) {
    guard = dirty;
  },
  leave() {
    const to = blocked;
    blocked = null;
    guard = null;
    if (to !== null) this.go(to);
  },
  stay() {
    blocked = null;
  },
};
