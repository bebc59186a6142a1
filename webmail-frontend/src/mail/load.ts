import { offline } from '../api/auth.ts';
import { why } from '../api/problem.ts';
import { Client, ref } from '../jmap/client.ts';
import type { ChangesAnswer, Email, GetAnswer, Id, Mailbox, QueryAnswer, Row } from '../jmap/types.ts';
import * as store from './store.ts';
import { route } from './route.ts';

const PAGE = 50;
const POLL_MS = 20_000;
export const ROW = ['id', 'threadId', 'mailboxIds', 'keywords', 'from', 'to', 'subject', 'receivedAt', 'hasAttachment', 'preview', 'size'];
const FULL = [
  ...ROW,
  ...['blobId', 'messageId', 'inReplyTo', 'references', 'sentAt', 'cc', 'bcc', 'replyTo'],
  ...['textBody', 'htmlBody', 'attachments', 'bodyValues'],
];
const PART = ['partId', 'blobId', 'size', 'name', 'type', 'disposition', 'cid'];

/** How many writes have begun; an answer that was asked for before a write is not believed after it. */
let writes = 0;
let writing = 0;
let polling = false;
/** A refresh was asked for that could not be made yet. */
let again = false;

/** Runs a write; polling waits for it. */
export async function write<T>(work: () => Promise<T>): Promise<T> {
  writes += 1;
  writing += 1;
  try {
    return await work();
  } finally {
    writing -= 1;
    if (again && !writing) void refresh();
  }
}

/** Opens the mailbox: session, folders; the list follows from the route. */
export async function start(): Promise<void> {
  store.failed.value = '';
  try {
    store.connect(await Client.open());
    await Promise.all([readFolders(), route.value.mailbox && readMore(route.value.mailbox)]);
    store.ready.value = true;
    void readStorage();
  } catch (error) {
    store.failed.value = why(error);
  }
}

async function readFolders(): Promise<void> {
  const answer = await store.jmap().call<GetAnswer<Mailbox>>('Mailbox/get', { ids: null });
  store.mailboxes.value = store.sorted(answer.list);
  store.states.Mailbox = answer.state;
}

interface Quota {
  used: number;
  hardLimit: number;
  resourceType: string;
}

/** The storage meter, where the server offers RFC 9425; without it the meter is not shown. */
async function readStorage(): Promise<void> {
  if (!store.jmap().hasQuota) return;
  try {
    const answer = await store.jmap().call<GetAnswer<Quota>>('Quota/get', { ids: null });
    store.storage.value = answer.list.find((one) => one.resourceType === 'octets') ?? null;
  } catch {
    store.storage.value = null;
  }
}

function firstPage(mailbox: Id, anchor?: Id): Promise<{ rows: Row[]; state: string; done: boolean }> {
  const from = anchor ? { anchor, anchorOffset: 1 } : { position: 0 };
  return store
    .jmap()
    .request([
      ['Email/query', { filter: { inMailbox: mailbox }, sort: [{ property: 'receivedAt', isAscending: false }], ...from, limit: PAGE }, 'q'],
      ['Email/get', { '#ids': ref('q', 'Email/query', '/ids'), properties: ROW }, 'g'],
    ])
    .then((answers) => {
      const ids = answers.get<QueryAnswer>('q').ids;
      const got = answers.get<GetAnswer<Row>>('g');
      const byId = new Map(got.list.map((one) => [one.id, one]));
      return { rows: ids.flatMap((id) => byId.get(id) ?? []), state: got.state, done: ids.length < PAGE };
    });
}

/** Reads a folder's next page (its first, when nothing is there). Errors are shown in the list, with a retry. */
export async function readMore(mailbox: Id): Promise<void> {
  const at = store.list(mailbox);
  if (at.value.loading || at.value.done) return;
  at.value = { ...at.value, loading: true, error: '' };
  try {
    const page = await firstPage(mailbox, at.value.ids.at(-1));
    store.states.Email ||= page.state;
    store.append(mailbox, page.rows, page.done);
  } catch (error) {
    at.value = { ...at.value, loading: false, error: why(error) };
  }
}

/** Reads folders and the shown list anew: when the server cannot say what changed. */
async function readAnew(): Promise<void> {
  const before = writes;
  const mailbox = route.value.mailbox;
  await readFolders();
  if (!mailbox) return;
  const page = await firstPage(mailbox);
  if (before !== writes) return void (again = true);
  store.states.Email = page.state;
  store.restart(mailbox, page.rows, page.done);
  store.forgetListsBut(mailbox);
}

/** A message with its text. Errors: Problem; undefined when it is no longer there. */
export async function readBody(id: Id): Promise<Email | undefined> {
  const known = store.body(id);
  if (known) return known;
  const answer = await store.jmap().call<GetAnswer<Email>>('Email/get', {
    ids: [id],
    properties: FULL,
    bodyProperties: PART,
    fetchTextBodyValues: true,
    fetchHTMLBodyValues: true,
    maxBodyValueBytes: 256_000,
  });
  const full = answer.list[0];
  if (full) store.keepBody(full);
  else store.drop([id]);
  return full;
}

/** Asks what changed since the states we hold, and reads just that. */
async function readChanges(): Promise<void> {
  const before = writes;
  const answers = await store.jmap().request([
    ['Mailbox/changes', { sinceState: store.states.Mailbox }, 'm'],
    ['Email/changes', { sinceState: store.states.Email, maxChanges: 200 }, 'e'],
  ]);
  const folders = answers.get<ChangesAnswer>('m');
  const mails = answers.get<ChangesAnswer>('e');
  if (folders.newState !== store.states.Mailbox) await readFolders();
  const wanted = [...mails.created, ...mails.updated];
  const found = wanted.length ? await store.jmap().getAll<Row>('Email', wanted, { properties: ROW }) : [];
  if (before !== writes) return void (again = true);
  store.drop(mails.destroyed);
  if (found.length) store.keep(found);
  store.states.Email = mails.newState;
  if (folders.newState !== folders.oldState) void readStorage();
  if (mails.hasMoreChanges) await readChanges();
}


/** Brings the page up to date; quiet about a lost connection, which has its own banner. */
export async function refresh(): Promise<void> {
  if (!store.ready.value) return;
  again = true;
  if (polling || writing) return;
  polling = true;
  again = false;
  try {
    if (store.states.Email) await readChanges().catch(readAnew);
    else await readAnew();
  } catch {
    // The next poll tries again; what is shown stays.
  } finally {
    polling = false;
  }
  if (again && !writing) await refresh();
}

/** Polls while the tab is seen, and at once when it is looked at again. Returns what stops it. */
export function poll(): () => void {
  const tick = (): void => {
    if (document.visibilityState === 'visible') void refresh();
  };
  const timer = setInterval(tick, POLL_MS);
  addEventListener('focus', tick);
  document.addEventListener('visibilitychange', tick);
  let was = offline.value;
  const stop = offline.subscribe((away) => {
    if (was && !away) tick();
    was = away;
  });
  return () => {
    clearInterval(timer);
    removeEventListener('focus', tick);
    document.removeEventListener('visibilitychange', tick);
    stop();
  };
}
