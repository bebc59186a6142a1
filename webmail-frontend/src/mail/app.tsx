import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import '../styles/mail.css';
import { expired, offline, session, signOut } from '../api/auth.ts';
import { title } from '../brand/brand.ts';
import { t } from '../i18n/index.ts';
import { Dialog } from '../ui/dialog.tsx';
import { Icon } from '../ui/icons.tsx';
import { SignInForm } from '../ui/signin.tsx';
import { Toasts } from '../ui/toast.tsx';
import { restoreDraft, Writing } from './writing.tsx';
import { Help, helpOpen } from './help.tsx';
import { listen } from './keys.ts';
import { poll, readMore, start } from './load.ts';
import { MessageList } from './list.tsx';
import { Reader } from './reader.tsx';
import { route, settle } from './route.ts';
import { Sidebar } from './sidebar.tsx';
import * as store from './store.ts';

/** The mailbox: folders, list, reader; below 700 px one of them at a time. */
export function App() {
  const menu = useSignal(false);
  useEffect(() => void begin(), []);
  useEffect(() => (store.ready.value ? poll() : undefined), [store.ready.value]);
  useEffect(listen, []);
  useEffect(() => title(store.inboxUnread.value), [store.inboxUnread.value]);
  useEffect(() => {
    menu.value = false;
    if (route.value.mailbox && store.ready.value && store.list(route.value.mailbox).value.ids.length === 0) void readMore(route.value.mailbox);
  }, [route.value.mailbox, store.ready.value]);

  if (store.failed.value) return <Failed />;
  const view = route.value.email ? 'reader' : 'list';
  return (
    <div class={`app shows-${view} ${menu.value ? 'has-menu' : ''}`}>
      <a class="skip" href="#list" onClick={skip}>{t('skip')}</a>
      {offline.value && <div class="offline" role="status"><Icon name="offline" />{t('error.offline')}</div>}
      <div class="panes">
        <Sidebar onClose={() => (menu.value = false)} />
        <button type="button" class="scrim" aria-label={t('close')} tabIndex={-1} onClick={() => (menu.value = false)} />
        <MessageList onMenu={() => (menu.value = true)} />
        <Reader />
      </div>
      <Writing />
      <Toasts />
      {helpOpen.value && <Help />}
      {expired.value && <SignInAgain />}
    </div>
  );
}

async function begin(): Promise<void> {
  await start();
  if (!store.ready.value) return;
  const known = store.mailboxes.value.some((one) => one.id === route.value.mailbox);
  if (!known) settle((store.byRole('inbox') ?? store.mailboxes.value[0])?.id ?? '');
  restoreDraft();
}

function skip(event: Event): void {
  event.preventDefault();
  document.querySelector<HTMLElement>('[role="listbox"]')?.focus();
}

function Failed() {
  return (
    <div class="gate">
      <main class="gate-card">
        <div class="notice is-error" role="alert">{store.failed.value}</div>
        <form>
          <button class="button is-primary" type="button" onClick={() => void begin()}>{t('retry')}</button>
          <button class="button" type="button" onClick={() => void signOut()}>{t('signout')}</button>
        </form>
      </main>
      {expired.value && <SignInAgain />}
    </div>
  );
}

/** The session ended while the page was open: sign in over it, so that a letter being written stays. */
function SignInAgain() {
  return (
    <Dialog label={t('signin.again')} onClose={() => undefined} modal>
      <p>{t('signin.expired')}</p>
      <div class="again"><SignInForm fixed={session.value?.address ?? ''} /></div>
      <button type="button" class="link-button" onClick={() => void signOut()}>{t('signout')}</button>
    </Dialog>
  );
}
