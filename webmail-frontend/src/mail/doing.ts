import { signal } from '@preact/signals';
import { complain } from '../ui/toast.tsx';
import { why } from '../api/problem.ts';
import { t } from '../i18n/index.ts';
import type { Id, Mailbox } from '../jmap/types.ts';
import { destroy, mark, move, target } from './actions.ts';
import { readBody } from './load.ts';
import { folderName } from './names.ts';
import { go, route, settle } from './route.ts';
import * as store from './store.ts';
import { editDraft } from './writing.tsx';

/** The row that keys act on: the open message, else the one the list's cursor is on. */
export const cursor = signal<Id>('');
export const asking = signal<Id>('');
const current = (): Id => route.value.email || cursor.value;
const ids = (): Id[] => store.list(route.value.mailbox).value.ids;

/** Opens a row: a draft in the editor, any other message in the reader. */
export function openRow(id: Id = cursor.value): void {
  const one = store.row(id);
  if (!one) return;
  cursor.value = id;
  if (!one.keywords['$draft']) return go(route.value.mailbox, id);
  readBody(id).then((full) => full && editDraft(full), (error) => complain(why(error)));
}

/** One row down or up; in the reader the next message opens. */
export function step(by: 1 | -1): void {
  const all = ids();
  const at = all.indexOf(current());
  const next = all[at < 0 ? 0 : at + by];
  if (!next) return;
  cursor.value = next;
  if (route.value.email && !store.row(next)?.keywords['$draft']) go(route.value.mailbox, next);
}

/** Where reading goes on when a message has left the list: the one below it, else above, else the list. */
function leave(id: Id): void {
  const all = ids();
  const at = all.indexOf(id);
  const next = all[at + 1] ?? all[at - 1] ?? '';
  cursor.value = next;
  if (route.value.email !== id) return;
  const wide = matchMedia('(min-width: 1000px)').matches;
  settle(route.value.mailbox, wide && next && !store.row(next)?.keywords['$draft'] ? next : '');
}

function put(id: Id, to: Mailbox, words: string): void {
  if (store.row(id)?.mailboxIds[to.id]) return;
  leave(id);
  void move(id, to, words);
}

function send(what: 'archive' | 'trash' | 'junk', id: Id): void {
  const one = store.row(id);
  const found = one && target(what, one);
  if (found) put(id, found.to, found.words);
}

export const doArchive = (id = current()): void => send('archive', id);
export const doJunk = (id = current()): void => send('junk', id);
export const doMove = (id: Id, to: Mailbox): void => put(id, to, t('did.move', { folder: folderName(to) }));

/** To the Trash; out of the Trash for ever, after a question. */
export function doDelete(id = current()): void {
  if (store.isIn(store.row(id), 'trash')) asking.value = id;
  else send('trash', id);
}

export async function doDestroy(): Promise<void> {
  const id = asking.value;
  asking.value = '';
  const all = ids();
  if (!(await destroy(id))) return;
  const at = all.indexOf(id);
  cursor.value = all[at + 1] ?? all[at - 1] ?? '';
  if (route.value.email === id) settle(route.value.mailbox);
}

export function doStar(id = current()): void {
  void mark(id, '$flagged', !store.row(id)?.keywords['$flagged']);
}

/** Marks unread and goes back to the list, since an open message is a read one. */
export function doUnread(id = current()): void {
  if (route.value.email === id) go(route.value.mailbox);
  void mark(id, '$seen', false);
}
