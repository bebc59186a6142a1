import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import '../styles/compose.css';
import { Problem, why } from '../api/problem.ts';
import { session } from '../api/auth.ts';
import { t } from '../i18n/index.ts';
import { refresh } from '../mail/load.ts';
import { personName } from '../mail/names.ts';
import { Icon, IconButton } from '../ui/icons.tsx';
import { complain, say } from '../ui/toast.tsx';
import { isValid } from './addresses.ts';
import { everyone, LIMITS, travelling, type Draft } from './draft.ts';
import { Editor } from './editor.tsx';
import { AttachButton, Files, useFiles } from './files.tsx';
import { Letter, type Saving } from './letter.ts';
import { Recipients } from './recipients.tsx';

/** What stands against sending, in words; '' when nothing does. */
function obstacle(draft: Draft): string {
  const all = everyone(draft);
  const wrong = all.filter((one) => !isValid(one.email));
  if (!all.length) return t('compose.norecipients');
  if (wrong.length) return t('compose.invalid', { names: wrong.map(personName).join(', ') });
  if (all.length > LIMITS.recipients) return t('compose.toomany', { max: LIMITS.recipients, n: all.length });
  if (draft.files.some((file) => !file.blobId)) return t('compose.uploadwait');
  return travelling(draft) > LIMITS.bytes ? t('compose.toolarge', { name: t('read.frame'), max: '25 MB', size: '> 25 MB' }) : '';
}

/** Obstacles of the words first, then those of files, once each is uploaded or has failed. */
async function whatHinders(letter: Letter): Promise<string> {
  letter.collect();
  const before = obstacle(letter.draft.value);
  if (before && before !== t('compose.uploadwait')) return before;
  await Promise.all(letter.uploads);
  return obstacle(letter.draft.value);
}

function reason(error: unknown): string {
  const wait = error instanceof Problem ? error.retryAfter : 0;
  const words = wait ? t('compose.rate', { n: Math.ceil(wait) }) : t('compose.notsent', { why: why(error) });
  return `${words} ${t('compose.kept')}`;
}

/** The state and the doings of one open letter. */
function useLetter(initial: Draft, onClose: () => void) {
  const letter = useMemo(() => new Letter(initial), []);
  const [trouble, setTrouble] = useState('');
  const send = async (): Promise<void> => {
    if (letter.sending.value) return;
    letter.sending.value = true;
    const problem = await whatHinders(letter);
    setTrouble(problem);
    letter.sending.value = problem === '';
    if (problem) return;
    try {
      await letter.send();
    } catch (error) {
      return setTrouble(reason(error));
    }
    say(t('did.sent'));
    onClose();
    void refresh();
  };
  const close = (): void => {
    const { id } = letter.draft.value;
    letter.close().then(
      () => {
        if (letter.draft.value.id && letter.draft.value.id !== id) say(t('did.draft'));
        onClose();
      },
      (error) => complain(t('compose.savefailed', { why: why(error) })),
    );
  };
  const discard = (): void => {
    void letter.discard();
    say(t('did.discard'));
    onClose();
  };
  return { letter, trouble, setTrouble, send, close, discard };
}

export function Composer({ initial, onClose }: { initial: Draft; onClose: () => void }) {
  const { letter, trouble, setTrouble, send, close, discard } = useLetter(initial, onClose);
  const [small, setSmall] = useState(false);
  const element = useRef<HTMLElement>(null);
  const files = useFiles(letter, setTrouble);
  const draft = letter.draft.value;
  useEffect(() => keepOnLeave(letter), []);
  useEffect(() => focusFirst(element.current, initial), []);

  const onKey = (event: KeyboardEvent): void => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) void send();
    else if (event.key === 'Escape') close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const heading = draft.subject || t(`compose.${draft.kind}`);
  return (
    <section
      ref={element} class={`composer ${small ? 'is-small' : ''}`} role="dialog" aria-label={t(`compose.${draft.kind}`)} onKeyDown={onKey}
      onDragOver={(event) => event.preventDefault()} onDrop={files.onDrop}
    >
      <header class="composer-head">
        <h2>{heading}</h2>
        <IconButton icon={small ? 'restore' : 'minimise'} label={small ? t('compose.restore') : t('compose.minimise')} class="only-wide" onClick={() => setSmall(!small)} />
        <IconButton icon="close" label={t('compose.close')} onClick={close} />
      </header>
      <div class="composer-body" hidden={small}>
        <Fields letter={letter} />
        <Editor letter={letter} />
        <Files letter={letter} remove={files.remove} />
        {trouble && <div key="trouble" class="notice is-error composer-trouble" role="alert">{trouble}</div>}
        <footer class="composer-foot">
          <button type="button" class="button is-primary" disabled={letter.sending.value} onClick={() => void send()}>
            {letter.sending.value ? <span class="spinner" aria-hidden="true" /> : <Icon name="sent" />}
            {letter.sending.value ? t('compose.sending') : t('compose.send')}
          </button>
          <AttachButton add={files.add} />
          <SavedState saving={letter.saving.value} error={letter.error.value} />
          <IconButton icon="trash" label={t('compose.discard')} onClick={discard} />
        </footer>
      </div>
    </section>
  );
}

function Fields({ letter }: { letter: Letter }) {
  const draft = letter.draft.value;
  const [more, setMore] = useState({ cc: draft.cc.length > 0, bcc: draft.bcc.length > 0 });
  const count = everyone(draft).length;
  return (
    <div class="composer-fields">
      <div class="line">
        <span class="line-name">{t('compose.from')}</span>
        <span class="composer-from">{session.value?.address}</span>
      </div>
      <Recipients key="to" name="to" label={t('compose.to')} all={draft.to} onChange={(to) => letter.edit({ to })}>
        {!more.cc && <button type="button" class="line-more" onClick={() => setMore({ ...more, cc: true })}>{t('compose.addcc')}</button>}
        {!more.bcc && <button type="button" class="line-more" onClick={() => setMore({ ...more, bcc: true })}>{t('compose.addbcc')}</button>}
      </Recipients>
      {more.cc && <Recipients key="cc" name="cc" label={t('compose.cc')} all={draft.cc} onChange={(cc) => letter.edit({ cc })} />}
      {more.bcc && <Recipients key="bcc" name="bcc" label={t('compose.bcc')} all={draft.bcc} onChange={(bcc) => letter.edit({ bcc })} />}
      {count >= LIMITS.countFrom && (
        <div key="count" class={`line-note ${count > LIMITS.recipients ? 'is-over' : ''}`} role="status">{t('compose.count', { n: count, max: LIMITS.recipients })}</div>
      )}
      <div key="subject" class="line">
        <label class="line-name" for="compose-subject">{t('compose.subject')}</label>
        <input id="compose-subject" class="line-input" value={draft.subject} maxLength={900} onInput={(event) => letter.edit({ subject: event.currentTarget.value })} />
      </div>
    </div>
  );
}

function SavedState({ saving, error }: { saving: Saving; error: string }) {
  const words = { clean: '', dirty: t('compose.unsaved'), saving: t('compose.saving'), saved: t('compose.saved'), failed: t('compose.savefailed', { why: error }) };
  return <span class={`saved-state ${saving === 'failed' ? 'is-failed' : ''}`} role="status">{words[saving]}</span>;
}

/** Leaving the page keeps the words in the tab; the browser asks first when they are not on the server yet. */
function keepOnLeave(letter: Letter): () => void {
  const leave = (event: BeforeUnloadEvent): void => {
    letter.snapshot();
    if (letter.saving.value === 'dirty' && letter.draft.value.files.some((file) => !file.blobId)) event.preventDefault();
  };
  const hide = (): void => letter.snapshot();
  addEventListener('beforeunload', leave);
  addEventListener('pagehide', hide);
  return () => {
    removeEventListener('beforeunload', leave);
    removeEventListener('pagehide', hide);
  };
}

/** A new letter begins with its recipient, an answer with its words (the editor takes the focus itself). */
function focusFirst(element: HTMLElement | null, initial: Draft): void {
  if (initial.kind !== 'reply') element?.querySelector<HTMLElement>(initial.to.length ? '#compose-subject' : '.recipients input')?.focus();
}
