import { why } from '../api/problem.ts';
import { MethodError } from '../jmap/client.ts';
import type { Id, Mailbox, Row, SetAnswer, SetError } from '../jmap/types.ts';
import { t } from '../i18n/index.ts';
import { complain, say } from '../ui/toast.tsx';
import { write } from './load.ts';
import { folderName } from './names.ts';
import * as store from './store.ts';

/** The first refusal of a /set answer, as an error. */
export function refused(answer: SetAnswer): MethodError | null {
  const all: Array<Record<string, SetError> | null | undefined> = [answer.notCreated, answer.notUpdated, answer.notDestroyed];
  const first = all.flatMap((some) => Object.values(some ?? {}))[0];
  return first ? new MethodError(first) : null;
}

/** One Email/set. A state that moved by our own change of known rows is taken over: the next poll need not read it back. */
export async function emailSet(args: Record<string, unknown>): Promise<SetAnswer> {
  return write(async () => {
    const answer = await store.jmap().call<SetAnswer>('Email/set', args);
    if (!('create' in args) && answer.oldState === store.states.Email) store.states.Email = answer.newState;
    const error = refused(answer);
    if (error) throw error;
    return answer;
  });
}

/** Shows a change at once, asks for it, and shows the old again when it is refused. Says whether it was made. */
async function change(id: Id, part: Partial<Pick<Row, 'keywords' | 'mailboxIds'>>, patch: Record<string, unknown>): Promise<boolean> {
  const old = store.row(id);
  if (!old) return false;
  store.change(id, part);
  try {
    await emailSet({ update: { [id]: patch } });
    return true;
  } catch (error) {
    store.change(id, { keywords: old.keywords, mailboxIds: old.mailboxIds });
    complain(t('did.failed', { why: why(error) }));
    return false;
  }
}

/** Sets or removes a keyword such as `$seen`. */
export async function mark(id: Id, keyword: string, on: boolean): Promise<void> {
  const old = store.row(id);
  if (!old || Boolean(old.keywords[keyword]) === on) return;
  const { [keyword]: _, ...others } = old.keywords;
  await change(id, { keywords: on ? { ...others, [keyword]: true } : others }, { [`keywords/${keyword}`]: on || null });
}

/** Moves a message into one folder, and offers to undo it. */
export async function move(id: Id, to: Mailbox, words: string): Promise<void> {
  const old = store.row(id);
  if (!old || old.mailboxIds[to.id]) return;
  const moved = change(id, { mailboxIds: { [to.id]: true } }, { mailboxIds: { [to.id]: true } });
  say(words, () => void moved.then((done) => (done ? undoMove(id, old) : undefined)));
  await moved;
}

async function undoMove(id: Id, old: Row): Promise<void> {
  if (await change(id, { mailboxIds: old.mailboxIds }, { mailboxIds: old.mailboxIds })) say(t('did.undone'));
}

/** What archive, delete and junk do to a message: where it goes, and what is said. */
export function target(what: 'archive' | 'trash' | 'junk', one: Row): { to: Mailbox; words: string } | null {
  const back = what === 'junk' && store.isIn(one, 'junk');
  const to = store.byRole(back ? 'inbox' : what);
  if (!to) return null;
  return { to, words: back ? t('did.move', { folder: folderName(to) }) : t(`did.${what}`) };
}

/** Deletes for ever; asked before, since nothing brings it back. */
export async function destroy(id: Id): Promise<boolean> {
  try {
    await emailSet({ destroy: [id] });
  } catch (error) {
    complain(t('did.failed', { why: why(error) }));
    return false;
  }
  const old = store.row(id);
  if (old) store.change(id, { mailboxIds: {} });
  store.drop([id]);
  say(t('did.destroy'));
  return true;
}
