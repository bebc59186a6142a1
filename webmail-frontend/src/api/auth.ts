import { signal } from '@preact/signals';
import { t } from '../i18n/index.ts';
import { Problem, problemOf } from './problem.ts';

export interface Session {
  token: string;
  account_id: string;
  address: string;
  expires_at: string;
}

const KEY = 'session';
/** The session resource of the JMAP server as this tab has read it; it belongs to whoever was signed in. */
export const SERVER_KEY = 'server';

/** The signed-in session of this tab; null shows the sign-in page. */
export const session = signal<Session | null>(remembered());
/** The token was refused: whoever called waits until the same person has signed in again. */
export const expired = signal(false);
export const offline = signal(!navigator.onLine);

let waiting: Array<() => void> = [];
addEventListener('online', () => (offline.value = false));
addEventListener('offline', () => (offline.value = true));

function remembered(): Session | null {
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEY) ?? 'null') as Session | null;
    return kept && Date.parse(kept.expires_at) > Date.now() ? kept : null;
  } catch {
    return null;
  }
}

/** Signs in (POST /v1/sessions) and lets every request that waited go on. Errors: Problem with the server's words. */
export async function signIn(address: string, password: string): Promise<void> {
  const response = await send('/v1/sessions', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Accept: 'application/json' },
    body: JSON.stringify({ address, password }),
  });
  if (!response.ok) throw await problemOf(response);
  const opened = (await response.json()) as Session;
  sessionStorage.removeItem(SERVER_KEY);
  sessionStorage.setItem(KEY, JSON.stringify(opened));
  session.value = opened;
  expired.value = false;
  const released = waiting;
  waiting = [];
  released.forEach((go) => go());
}

/** Ends the session there and here. The page is loaded anew, so that no mail stays in memory. */
export async function signOut(): Promise<void> {
  const token = session.value?.token;
  sessionStorage.clear();
  try {
    if (token) await fetch('/v1/sessions', { method: 'DELETE', headers: { Authorization: `Bearer ${token}` }, keepalive: true });
  } catch {
    // Signing out must work without a network too; the token then ends by its own date.
  }
  location.replace(location.pathname);
}

/** `fetch` that tells a lost connection from an answer. Errors: Problem("network"). */
async function send(url: string, init: RequestInit): Promise<Response> {
  try {
    const response = await fetch(url, init);
    offline.value = false;
    return response;
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    offline.value = !navigator.onLine;
    throw new Problem(t('error.network'), 0, 'network');
  }
}

/** Sends with the token; on 401 waits for a new sign-in and sends again: nobody loses what they wrote. */
export async function authorized(url: string, init: RequestInit = {}): Promise<Response> {
  for (;;) {
    const token = session.value?.token ?? '';
    const headers = new Headers(init.headers);
    headers.set('Authorization', `Bearer ${token}`);
    const response = await send(url, { ...init, headers });
    if (response.status !== 401) return response;
    await renewed(token);
  }
}

async function renewed(refused: string): Promise<void> {
  if (session.value?.token !== refused) return;
  expired.value = true;
  await new Promise<void>((go) => waiting.push(go));
}
