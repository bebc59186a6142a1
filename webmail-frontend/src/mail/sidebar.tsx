import { session, signOut } from '../api/auth.ts';
import { number, size, t } from '../i18n/index.ts';
import type { Mailbox } from '../jmap/types.ts';
import { BrandRow } from '../ui/brand.tsx';
import { Icon, IconButton } from '../ui/icons.tsx';
import { nextTheme, theme } from '../ui/theme.ts';
import { helpOpen } from './help.tsx';
import { folderIcon, folderName } from './names.ts';
import { go, route } from './route.ts';
import * as store from './store.ts';
import { compose } from './writing.tsx';

export function Sidebar({ onClose }: { onClose: () => void }) {
  return (
    <aside class="sidebar" aria-label={t('folders')}>
      <header class="sidebar-head"><BrandRow /></header>
      <button type="button" class="button is-primary compose-button" onClick={() => { onClose(); compose(); }} aria-keyshortcuts="c">
        <Icon name="compose" />{t('act.compose')}
      </button>
      <nav aria-label={t('folders')}>
        {store.ready.value ? <Folders onClose={onClose} /> : <Waiting />}
      </nav>
      <Storage />
      <footer class="sidebar-foot">
        <span class="account" title={session.value?.address}>{session.value?.address}</span>
        <IconButton icon={theme.value === 'auto' ? 'auto' : theme.value === 'dark' ? 'moon' : 'sun'} label={t(`theme.${theme.value}`)} onClick={nextTheme} />
        <IconButton icon="help" label={t('help.title')} shortcut="?" onClick={() => (helpOpen.value = true)} />
        <IconButton icon="signout" label={t('signout')} onClick={() => void signOut()} />
      </footer>
    </aside>
  );
}

function Folders({ onClose }: { onClose: () => void }) {
  return (
    <ul class="folders">
      {store.mailboxes.value.map((one) => (
        <li key={one.id}><Folder one={one} onClose={onClose} /></li>
      ))}
    </ul>
  );
}

function Folder({ one, onClose }: { one: Mailbox; onClose: () => void }) {
  const current = route.value.mailbox === one.id;
  const drafts = one.role === 'drafts';
  const count = drafts ? one.totalEmails : one.role === 'trash' ? 0 : one.unreadEmails;
  const open = (event: Event): void => {
    event.preventDefault();
    onClose();
    go(one.id);
  };
  return (
    <a href={`#/${one.id}`} class="folder" aria-current={current ? 'page' : undefined} onClick={open}>
      <Icon name={folderIcon(one)} />
      <span class="folder-name">{folderName(one)}</span>
      {count > 0 && (
        <span class={`folder-count ${drafts ? 'is-quiet' : ''}`}>
          <span aria-hidden="true">{number(count)}</span>
          <span class="visually-hidden">{drafts ? t('list.count', { n: count }) : t('folder.unread', { n: count })}</span>
        </span>
      )}
    </a>
  );
}

const Waiting = () => (
  <ul class="folders" aria-hidden="true">
    {[70, 50, 42, 60, 46, 52].map((width) => <li key={width} class="folder"><span class="bone" style={{ width: `${width}%` }} /></li>)}
  </ul>
);

function Storage() {
  const kept = store.storage.value;
  if (!kept || kept.hardLimit <= 0) return null;
  const share = Math.min(1, kept.used / kept.hardLimit);
  const words = t('storage', { used: size(kept.used), total: size(kept.hardLimit) });
  return (
    <div class={`storage ${share >= 0.8 ? 'is-high' : ''}`}>
      <div class="meter" role="meter" aria-label={words} aria-valuenow={Math.round(share * 100)} aria-valuemin={0} aria-valuemax={100}>
        <span style={{ width: `${Math.max(1, share * 100)}%` }} />
      </div>
      <span aria-hidden="true">{words}</span>
    </div>
  );
}
