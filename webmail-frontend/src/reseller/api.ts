import { signal } from '@preact/signals';
import { Problem, problemOf } from '../api/problem.ts';
import { t } from '../i18n/index.ts';

export interface DomainRow {
  domain: string;
  state: 'pending' | 'live' | 'mx_lost' | 'suspended' | 'reversed';
}

export interface Dns {
  name: string;
  type: string;
  value: string;
  purpose: string;
  required: boolean;
  state: 'ok' | 'missing' | 'wrong' | 'unknown';
  seen: string[];
  checked_at: string | null;
}

export interface Domain extends DomainRow {
  dns: Dns[];
}

export interface MailboxRow {
  address: string;
  imap: boolean;
  admin: boolean;
  storage_mb: number;
  storage: { used: number; limit: number };
}

const KEY = 'key';

/** The API key of this tab. It is kept like a session: for the tab, and gone with it. */
export const key = signal(sessionStorage.getItem(KEY) ?? '');

export function keepKey(value: string): void {
  key.value = value;
  if (value) sessionStorage.setItem(KEY, value);
  else sessionStorage.removeItem(KEY);
}

/** One call of the REST API. Errors: Problem with the server's words; a refused key signs out. */
export async function call<T>(method: string, path: string, body?: unknown, using = key.value, once = ''): Promise<T> {
  const headers: Record<string, string> = { Authorization: `Bearer ${using}`, Accept: 'application/json' };
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  if (once) headers['Idempotency-Key'] = once;
  let response: Response;
  try {
    response = await fetch(`/v1${path}`, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
  } catch {
    throw new Problem(t('error.network'), 0, 'network');
  }
  if (response.status === 401 && key.value === using) keepKey('');
  if (!response.ok) throw await problemOf(response);
  return (await response.json()) as T;
}

/** All pages of a list. */
export async function all<T>(path: string, name: string, using = key.value): Promise<T[]> {
  const found: T[] = [];
  for (let cursor: string | null = ''; cursor !== null; ) {
    const page: Record<string, unknown> = await call('GET', `${path}?limit=200${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ''}`, undefined, using);
    found.push(...(page[name] as T[]));
    cursor = (page['cursor'] as string | null | undefined) || null;
  }
  return found;
}

export const pathOf = (domain: string): string => `/domains/${encodeURIComponent(domain)}`;
