import { useEffect, useState } from 'preact/hooks';
import { why } from '../api/problem.ts';
import { longDate, shortDate, t } from '../i18n/index.ts';
import { session } from '../api/auth.ts';
import type { Address, Email, Id } from '../jmap/types.ts';
import { Dialog } from '../ui/dialog.tsx';
import { Icon, IconButton } from '../ui/icons.tsx';
import { mark } from './actions.ts';
import { Attachments, saveOriginal } from './attachments.tsx';
import { asking, doArchive, doDelete, doDestroy, doJunk, doMove, doStar, doUnread } from './doing.ts';
import { readBody } from './load.ts';
import { MessageFrame } from './message.tsx';
import { folderIcon, folderName, full, hue, initials, people, personName } from './names.ts';
import { go, route } from './route.ts';
import * as store from './store.ts';
import { forward, reply } from './writing.tsx';

interface Loaded {
  id: Id;
  error: string;
  gone: boolean;
}

/** Reads the message that the route names; marks it read once its text is there. */
function useMessage(id: Id): Loaded & { email: Email | undefined; again: () => void } {
  const [loaded, setLoaded] = useState<Loaded>({ id: '', error: '', gone: false });
  const [round, setRound] = useState(0);
  useEffect(() => {
    if (!id || !store.ready.value) return;
    let current = true;
    const tell = (error: string, gone: boolean): void => void (current && setLoaded({ id, error, gone }));
    readBody(id).then(
      (found) => {
        tell('', !found);
        if (found && current) void mark(id, '$seen', true);
      },
      (error) => tell(why(error), false),
    );
    return () => void (current = false);
  }, [id, round, store.ready.value]);
  void store.revision.value;
  return { ...loaded, email: id ? store.body(id) : undefined, again: () => setRound(round + 1) };
}

export function Reader() {
  const id = route.value.email;
  const { email, id: known, error, gone, again } = useMessage(id);
  if (!id) return <Nothing />;
  const stale = known === id;
  return (
    <section class="reader" aria-label={t('read.frame')}>
      <Toolbar id={id} />
      {email ? <Message key={id} email={email} /> : stale && (error || gone) ? <Trouble text={gone ? t('read.gone') : error} again={gone ? null : again} /> : <Bones />}
      {asking.value && <Ask />}
    </section>
  );
}

function Nothing() {
  return (
    <section class="reader" aria-label={t('read.frame')}>
      <div class="blank">
        <span class="blank-mark"><Icon name="unread" /></span>
        <h2>{t('read.none')}</h2>
        <p>{t('read.none.lead')}</p>
      </div>
      {asking.value && <Ask />}
    </section>
  );
}

function Trouble({ text, again }: { text: string; again: (() => void) | null }) {
  return (
    <div class="blank" role="alert">
      <span class="blank-mark"><Icon name="alert" /></span>
      <h2>{t('read.error')}</h2>
      <p>{text}</p>
      {again && <button type="button" class="button" onClick={again}>{t('retry')}</button>}
    </div>
  );
}

function Toolbar({ id }: { id: Id }) {
  const one = store.row(id);
  const flagged = Boolean(one?.keywords['$flagged']);
  const junk = store.isIn(one, 'junk');
  const trash = store.isIn(one, 'trash');
  return (
    <div class="pane-head toolbar" role="toolbar" aria-label={t('read.frame')}>
      <IconButton icon="back" label={t('back')} shortcut="u" class="back" onClick={() => go(route.value.mailbox)} />
      {!store.isIn(one, 'archive') && <IconButton icon="archive" label={t('act.archive')} shortcut="e" onClick={() => doArchive(id)} />}
      <IconButton icon="trash" label={trash ? t('act.deleteforever') : t('act.delete')} shortcut="#" onClick={() => doDelete(id)} />
      {!store.isIn(one, 'sent') && <IconButton icon={junk ? 'inbox' : 'junk'} label={junk ? t('act.notjunk') : t('act.junk')} shortcut="!" onClick={() => doJunk(id)} />}
      <MoveMenu id={id} />
      <span class="divider" />
      <IconButton icon="unread" label={t('act.unread')} shortcut="Shift+U" onClick={() => doUnread(id)} />
      <IconButton icon="star" label={flagged ? t('act.unstar') : t('act.star')} shortcut="s" filled={flagged} class={flagged ? 'is-starred' : ''} onClick={() => doStar(id)} />
      <IconButton icon="download" label={t('act.original')} class="only-wide" onClick={() => void saveOriginal(id)} />
      <span class="spring only-roomy" />
      <IconButton icon="reply" label={t('act.reply')} shortcut="r" class="only-roomy" onClick={() => reply(false)} />
      <IconButton icon="replyall" label={t('act.replyall')} shortcut="a" class="only-roomy" onClick={() => reply(true)} />
      <IconButton icon="forward" label={t('act.forward')} shortcut="f" class="only-roomy" onClick={() => forward()} />
    </div>
  );
}

function MoveMenu({ id }: { id: Id }) {
  const one = store.row(id);
  const choices = store.mailboxes.value.filter((box) => !one?.mailboxIds[box.id] && box.role !== 'drafts' && box.role !== 'sent');
  return (
    <>
      <button type="button" class="icon-button move-button" aria-label={t('act.move')} title={t('act.move')} popovertarget="move-menu"><Icon name="move" /></button>
      <div class="menu" id="move-menu" popover="auto" aria-label={t('act.move')} role="group">
        {choices.map((box) => (
          <button key={box.id} type="button" onClick={() => { document.getElementById('move-menu')?.hidePopover(); doMove(id, box); }}>
            <Icon name={folderIcon(box)} />{folderName(box)}
          </button>
        ))}
      </div>
    </>
  );
}

function Message({ email }: { email: Email }) {
  const draft = email.keywords['$draft'];
  return (
    <div class="scroll" tabIndex={-1}>
      <article class="message">
        <h1 class="subject">{email.subject || t('list.nosubject')}</h1>
        <Head email={email} />
        <Attachments email={email} />
        <MessageFrame email={email} />
        {!draft && (
          <div class="answers">
            <button type="button" class="button" onClick={() => reply(false)} aria-keyshortcuts="r"><Icon name="reply" />{t('act.reply')}</button>
            <button type="button" class="button" onClick={() => reply(true)} aria-keyshortcuts="a"><Icon name="replyall" />{t('act.replyall')}</button>
            <button type="button" class="button" onClick={() => forward()} aria-keyshortcuts="f"><Icon name="forward" />{t('act.forward')}</button>
          </div>
        )}
      </article>
    </div>
  );
}

function Head({ email }: { email: Email }) {
  const sender = email.from?.[0];
  const me = session.value?.address;
  const all = [...(email.to ?? []), ...(email.cc ?? [])];
  const names = all.map((one) => (one.email.toLowerCase() === me ? t('read.me') : personName(one)));
  const shown = names.length > 4 ? `${names.slice(0, 3).join(', ')} +${names.length - 3}` : names.join(', ');
  return (
    <header class="message-head">
      <span class={`disc hue-${hue(sender)}`} aria-hidden="true">{initials(sender)}</span>
      <div class="message-who">
        <div class="message-line">
          <strong>{people(email.from, t('list.nosender'))}</strong>
          {sender?.name && <span class="quiet address">&lt;{sender.email}&gt;</span>}
          <time class="quiet" dateTime={email.receivedAt} title={longDate(email.receivedAt)}>{shortDate(email.receivedAt)}</time>
        </div>
        <details class="details">
          <summary><span>{names.length ? t('read.to', { names: shown }) : t('read.details')}</span></summary>
          <dl>
            <Field name={t('read.from')} all={email.from} />
            <Field name={t('read.replyto')} all={email.replyTo} />
            <Field name={t('read.tolabel')} all={email.to} />
            <Field name={t('read.cc')} all={email.cc} />
            <Field name={t('read.bcc')} all={email.bcc} />
            <div><dt>{t('read.date')}</dt><dd>{longDate(email.sentAt ?? email.receivedAt)}</dd></div>
          </dl>
        </details>
      </div>
    </header>
  );
}

function Field({ name, all }: { name: string; all: Address[] | null }) {
  if (!all?.length) return null;
  return <div><dt>{name}</dt><dd>{all.map(full).join(', ')}</dd></div>;
}

const Bones = () => (
  <div class="message" aria-busy="true">
    <span class="bone is-title" />
    {[30, 90, 96, 84, 92, 60].map((width) => <span key={width} class="bone is-line" style={{ width: `${width}%` }} />)}
  </div>
);

/** Nothing brings back what is deleted out of the Trash. */
function Ask() {
  const close = (): void => void (asking.value = '');
  return (
    <Dialog label={t('act.deleteforever')} onClose={close}>
      <p>{t('confirm.destroy')}</p>
      <div class="dialog-actions">
        <button type="button" class="button" onClick={close}>{t('cancel')}</button>
        <button type="button" class="button is-danger" onClick={() => void doDestroy()}>{t('act.deleteforever')}</button>
      </div>
    </Dialog>
  );
}
