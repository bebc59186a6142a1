import { computed, signal, type Signal } from '@preact/signals';
import type { Client } from '../jmap/client.ts';
import type { Email, Id, Mailbox, Row } from '../jmap/types.ts';

/** A folder's list as far as it has been read, newest first. */
export interface List {
  ids: Id[];
  done: boolean;
  loading: boolean;
  error: string;
}

const EMPTY: List = { ids: [], done: false, loading: false, error: '' };
const BODIES_KEPT = 40;

/** The normalised records of this mailbox: rows and bodies by id, a list of ids for each folder opened. */
export const mailboxes = signal<Mailbox[]>([]);
export const ready = signal(false);
export const failed = signal('');
/** Bytes used and allowed, where the server tells (RFC 9425). */
export const storage = signal<{ used: number; hardLimit: number } | null>(null);
/** Moves whenever a row changes, so that a view that reads rows is drawn again. */
export const revision = signal(0);
export const states: { Mailbox: string; Email: string } = { Mailbox: '', Email: '' };

const rows = new Map<Id, Row>();
const bodies = new Map<Id, Email>();
const lists = new Map<Id, Signal<List>>();

let client: Client | undefined;
export const jmap = (): Client => client as Client;
export const connect = (opened: Client): void => void (client = opened);

export function list(mailbox: Id): Signal<List> {
  const known = lists.get(mailbox);
  if (known) return known;
  const made = signal(EMPTY);
  lists.set(mailbox, made);
  return made;
}

export const row = (id: Id): Row | undefined => rows.get(id);
export const body = (id: Id): Email | undefined => bodies.get(id);
export const byRole = (role: string): Mailbox | undefined => mailboxes.value.find((one) => one.role === role);
export const inboxUnread = computed(() => byRole('inbox')?.unreadEmails ?? 0);
export const isIn = (one: Row | undefined, role: string): boolean => Boolean(one?.mailboxIds[byRole(role)?.id ?? '']);

/** Takes rows from the server and puts each into the loaded lists that it belongs to. */
export function keep(found: readonly Row[]): void {
  for (const one of found) {
    rows.set(one.id, one);
    const full = bodies.get(one.id);
    if (full) bodies.set(one.id, { ...full, keywords: one.keywords, mailboxIds: one.mailboxIds });
    place(one);
  }
  revision.value += 1;
}

/** Takes a page of a folder's query, in its order, behind what is there. */
export function append(mailbox: Id, found: readonly Row[], done: boolean): void {
  for (const one of found) rows.set(one.id, one);
  const at = list(mailbox);
  const known = new Set(at.value.ids);
  at.value = { ids: [...at.value.ids, ...found.map((one) => one.id).filter((id) => !known.has(id))], done, loading: false, error: '' };
  revision.value += 1;
}

/** Takes the first page anew: what was read further down is asked for again when it is scrolled to. */
export function restart(mailbox: Id, found: readonly Row[], done: boolean): void {
  list(mailbox).value = { ...EMPTY };
  append(mailbox, found, done);
}

/** Lists of folders that are not shown are forgotten, so that they are read anew when opened. */
export function forgetListsBut(mailbox: Id): void {
  for (const [id, kept] of lists) if (id !== mailbox) kept.value = { ...EMPTY };
}

export function keepBody(full: Email): void {
  bodies.delete(full.id);
  bodies.set(full.id, full);
  const oldest = bodies.size > BODIES_KEPT ? bodies.keys().next().value : undefined;
  if (oldest !== undefined) bodies.delete(oldest);
  rows.set(full.id, full);
  revision.value += 1;
}

export function drop(ids: readonly Id[]): void {
  const gone = new Set(ids);
  for (const id of gone) {
    rows.delete(id);
    bodies.delete(id);
  }
  for (const at of lists.values()) {
    if (at.value.ids.some((id) => gone.has(id))) at.value = { ...at.value, ids: at.value.ids.filter((id) => !gone.has(id)) };
  }
  revision.value += 1;
}

function place(one: Row): void {
  for (const [mailbox, at] of lists) {
    const { ids, done } = at.value;
    const here = ids.indexOf(one.id);
    const belongs = Boolean(one.mailboxIds[mailbox]);
    if (belongs === here >= 0) continue;
    if (belongs) insert(at, mailbox, one, done);
    else {
      below.set(`${mailbox} ${one.id}`, ids[here + 1] ?? '');
      at.value = { ...at.value, ids: ids.filter((id) => id !== one.id) };
    }
  }
}

/** What stood below a row that left a list: a move undone puts it back there, among others of the same second. */
const below = new Map<string, Id>();

/** By date, newest first; below what has been read it waits for its page. */
function insert(at: Signal<List>, mailbox: Id, one: Row, done: boolean): void {
  const { ids } = at.value;
  const known = ids.indexOf(below.get(`${mailbox} ${one.id}`) ?? '');
  const before = known >= 0 ? known : ids.findIndex((id) => (rows.get(id)?.receivedAt ?? '') < one.receivedAt);
  if (before < 0 && !done) return;
  at.value = { ...at.value, ids: before < 0 ? [...ids, one.id] : ids.toSpliced(before, 0, one.id) };
}

const seen = (one: Row): boolean => Boolean(one.keywords['$seen']);

/** Puts a changed row in place of the old one at once, folder counters included, before the server has answered. */
export function change(id: Id, part: Partial<Pick<Row, 'keywords' | 'mailboxIds'>>): void {
  const old = rows.get(id);
  if (!old) return;
  const next = { ...old, ...part };
  mailboxes.value = mailboxes.value.map((one) => counted(one, old, next));
  keep([next]);
}

function counted(one: Mailbox, old: Row, next: Row): Mailbox {
  const was = Boolean(old.mailboxIds[one.id]);
  const is = Boolean(next.mailboxIds[one.id]);
  if (!was && !is) return one;
  const unread = Number(is && !seen(next)) - Number(was && !seen(old));
  return {
    ...one,
    totalEmails: Math.max(0, one.totalEmails + Number(is) - Number(was)),
    unreadEmails: Math.max(0, one.unreadEmails + unread),
  };
}

/** Folders as people expect them: by role, then by the order and name that their owner gave. */
const ROLES = ['inbox', 'drafts', 'sent', 'archive', 'junk', 'trash'];

export function sorted(found: readonly Mailbox[]): Mailbox[] {
  const rank = (one: Mailbox): number => (one.role && ROLES.includes(one.role) ? ROLES.indexOf(one.role) : ROLES.length);
  return [...found].sort((a, b) => rank(a) - rank(b) || a.sortOrder - b.sortOrder || a.name.localeCompare(b.name));
}
