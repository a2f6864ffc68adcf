import type { Change, LinkOffer, Problem, SignIn } from '$lib/wire';
import { lostConnection, unreadable } from './trouble';
import { ProblemError, type Platform } from './types';

/** Who asked to be told whether the server answers. */
const listeners = new Set<(answers: boolean) => void>();
let answers = true;

/** How often a server that does not answer is asked again, in milliseconds. */
const ASK_AGAIN = 3000;
let asking: ReturnType<typeof setInterval> | undefined;

function heard(now: boolean): void {
  if (now === answers) return;
  answers = now;
  clearInterval(asking);
  // The events come back by themselves too, unless their connection never noticed.
  if (!now) asking = setInterval(() => void fetch('/healthz', { cache: 'no-store' }).then((answer) => heard(answer.ok), () => undefined), ASK_AGAIN);
  for (const listener of listeners) listener(now);
}

async function send(path: string, method: string, body?: unknown): Promise<unknown> {
  let response: Response;
  try {
    response = await fetch(path, {
      method,
      credentials: 'same-origin',
      headers: body === undefined ? {} : { 'Content-Type': 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch {
    heard(false);
    throw new ProblemError(lostConnection());
  }
  const text = await response.text();
  // A gateway that speaks for a server behind it is no answer of the server.
  heard(![502, 504].includes(response.status) || text.startsWith('{'));
  let answer: unknown = null;
  try {
    answer = text === '' ? null : JSON.parse(text);
  } catch {
    throw new ProblemError(unreadable(response.status));
  }
  if (response.ok) return answer;
  throw new ProblemError(isProblem(answer) ? answer : unreadable(response.status));
}

function isProblem(value: unknown): value is Problem {
  return typeof value === 'object' && value !== null && 'code' in value && 'message' in value;
}

const COOKIE_YEAR = 31536000;

/** The interface in a browser, served by `patchbay serve`. */
export const web: Platform = {
  host: 'web',
  can: { consentWindow: false, consentBrowser: false, consentLink: true, localStores: false, signOut: true, openLinks: true },

  async rpc(command, params) {
    // Asking who is signed in is no attempt to do something, and is not written into the audit when nobody is.
    if (command === 'session.info') return (await send('/session', 'GET')) as never;
    return (await send('/rpc', 'POST', { command, params })) as never;
  },

  events(listener, gap) {
    let source: EventSource | null = null;
    let retry: ReturnType<typeof setTimeout> | undefined;
    let lost = false;
    const open = () => {
      source = new EventSource('/events');
      source.onopen = () => {
        heard(true);
        if (lost) gap();
        lost = false;
      };
      const take = (event: MessageEvent<string>) => {
        try {
          listener(JSON.parse(event.data) as Change);
        } catch {
          gap();
        }
      };
      source.onmessage = take;
      source.addEventListener('change', take as EventListener);
      source.addEventListener('gap', gap);
      source.onerror = () => {
        lost = true;
        // Closed for good means that something answered, only no events.
        if (source?.readyState !== EventSource.CLOSED) heard(false);
        // The browser resumes by itself with Last-Event-ID, except after an answer that is no event stream.
        if (source?.readyState === EventSource.CLOSED) retry = setTimeout(open, 5000);
      };
    };
    open();
    return () => {
      clearTimeout(retry);
      source?.close();
    };
  },

  connection(listener) {
    listeners.add(listener);
    if (!answers) listener(false);
    return () => listeners.delete(listener);
  },

  async signIn(how: SignIn) {
    await send('/session', 'POST', how);
  },

  async lookAtLink(link: string) {
    return (await send('/session/link', 'POST', { link })) as LinkOffer;
  },

  async signOut() {
    await send('/session', 'DELETE');
  },

  async copy(text) {
    await navigator.clipboard.writeText(text);
  },

  async saveFile(name, content) {
    const url = URL.createObjectURL(new Blob([content], { type: 'text/plain;charset=utf-8' }));
    const link = document.createElement('a');
    link.href = url;
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
    return name;
  },

  // Cookies of a person's own choices; the session's cookie is HttpOnly and out of reach here.
  preference(name) {
    const found = document.cookie.split('; ').find((part) => part.startsWith(`patchbay_${name}=`));
    return found ? decodeURIComponent(found.slice(found.indexOf('=') + 1)) : null;
  },

  setPreference(name, value) {
    const age = value === null ? 0 : COOKIE_YEAR;
    document.cookie = `patchbay_${name}=${encodeURIComponent(value ?? '')}; Path=/; Max-Age=${age}; SameSite=Strict`;
  },
};
