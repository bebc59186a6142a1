import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { t, shortDate } from '../i18n/index.ts';
import type { Id, Mailbox } from '../jmap/types.ts';
import { Icon, IconButton } from '../ui/icons.tsx';
import { cursor, doStar, openRow } from './doing.ts';
import { readMore, refresh } from './load.ts';
import { folderIcon, folderName, people } from './names.ts';
import { route } from './route.ts';
import * as store from './store.ts';
import { compose } from './writing.tsx';

const ROW_HEIGHT = 84;
const BEYOND = 6;

export function MessageList({ onMenu }: { onMenu: () => void }) {
  const folder = store.mailboxes.value.find((one) => one.id === route.value.mailbox);
  const name = folder ? folderName(folder) : '';
  return (
    <main class="list-pane" id="list">
      <header class="pane-head">
        <IconButton icon="menu" label={t('menu')} class="only-narrow" onClick={onMenu} />
        <div class="list-title">
          <h1>{name || '\u00a0'}</h1>
          {folder && <span class="quiet">{t('list.count', { n: folder.totalEmails })}</span>}
        </div>
        <IconButton icon="refresh" label={t('list.refresh')} onClick={() => void refresh()} />
      </header>
      <button type="button" class="button is-primary fab" onClick={compose}><Icon name="compose" />{t('act.compose')}</button>
      {folder ? <Rows key={folder.id} folder={folder} name={name} /> : <Bones />}
    </main>
  );
}

/** What of the list is in sight, by scroll position and height. */
function useWindow(count: number) {
  const element = useRef<HTMLDivElement>(null);
  const [start, setStart] = useState(0);
  const [height, setHeight] = useState(800);
  useLayoutEffect(() => {
    const seen = element.current;
    if (!seen) return;
    const watch = new ResizeObserver(() => setHeight(seen.clientHeight));
    watch.observe(seen);
    return () => watch.disconnect();
  }, [element.current]);
  const first = Math.max(0, start - BEYOND);
  const last = Math.min(count, start + Math.ceil(height / ROW_HEIGHT) + 1 + BEYOND);
  const scroll = (): void => setStart(Math.floor((element.current?.scrollTop ?? 0) / ROW_HEIGHT));
  return { element, first, last, scroll };
}

function Rows({ folder, name }: { folder: Mailbox; name: string }) {
  const { ids, done, loading, error } = store.list(folder.id).value;
  void store.revision.value;
  const { element, first, last, scroll } = useWindow(ids.length);
  const active = route.value.email || cursor.value;

  useEffect(() => {
    if (last + 10 >= ids.length && !done && !loading && !error && ids.length) void readMore(folder.id);
  }, [last, ids.length, done, loading, error]);
  useEffect(() => reveal(element.current, ids.indexOf(active)), [active]);

  if (!ids.length && error) return <Failure folder={folder} error={error} />;
  if (!ids.length && !done) return <Bones />;
  if (!ids.length) return <Empty folder={folder} name={name} />;
  return (
    <div
      ref={element} class="rows" role="listbox" tabIndex={0} aria-label={t('list.label', { folder: name })}
      aria-activedescendant={ids.includes(active) ? `row-${active}` : undefined} onScroll={scroll} onKeyDown={(event) => onListKey(event, ids)}
    >
      <div class="rows-inner" role="presentation" style={{ height: `${ids.length * ROW_HEIGHT}px` }}>
        {ids.slice(first, last).map((id, i) => (
          <Line key={id} id={id} at={first + i} total={folder.totalEmails} active={id === active} sent={folder.role === 'sent' || folder.role === 'drafts'} />
        ))}
      </div>
      {loading && <div class="rows-more" role="presentation">{t('list.more')}</div>}
      {error && <Failure folder={folder} error={error} />}
    </div>
  );
}

/** Brings the active row into sight, no further than needed. */
function reveal(element: HTMLElement | null, at: number): void {
  if (!element || at < 0) return;
  const top = at * ROW_HEIGHT;
  if (top < element.scrollTop) element.scrollTop = top;
  else if (top + ROW_HEIGHT > element.scrollTop + element.clientHeight) element.scrollTop = top + ROW_HEIGHT - element.clientHeight;
}

function onListKey(event: KeyboardEvent, ids: Id[]): void {
  const at = ids.indexOf(cursor.value || route.value.email);
  const to: Record<string, number> = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: ids.length - 1, PageDown: at + 8, PageUp: at - 8 };
  if (event.key === 'Enter' || event.key === ' ') openRow();
  else if (event.key in to) {
    const next = ids[Math.min(ids.length - 1, Math.max(0, to[event.key] as number))] as Id;
    cursor.value = next;
    if (route.value.email) openRow(next);
  } else return;
  event.preventDefault();
}

interface LineProps {
  id: Id;
  at: number;
  total: number;
  active: boolean;
  sent: boolean;
}

function Line({ id, at, total, active, sent }: LineProps) {
  const one = store.row(id);
  if (!one) return null;
  const unread = !one.keywords['$seen'];
  const flagged = Boolean(one.keywords['$flagged']);
  const subject = one.subject || t('list.nosubject');
  const who = sent ? t('list.to', { names: people(one.to, '—') }) : people(one.from, t('list.nosender'));
  const star = (event: Event): void => {
    event.stopPropagation();
    doStar(id);
  };
  return (
    <div
      id={`row-${id}`} class={`row ${unread ? 'is-unread' : ''} ${active ? 'is-active' : ''}`} style={{ top: `${at * ROW_HEIGHT}px` }}
      role="option" aria-selected={active} aria-setsize={total} aria-posinset={at + 1} onClick={() => openRow(id)}
    >
      <span class="row-dot" aria-hidden="true" />
      <span class="row-who">{unread && <Spoken words={t('row.unread')} />}{who}</span>
      <span class="row-subject">{subject}</span>
      <span class={`row-star ${flagged ? 'is-on' : ''}`} onClick={star}><Icon name="star" filled={flagged} />{flagged && <Spoken words={t('row.flagged')} />}</span>
      <span class="row-marks">
        {one.keywords['$answered'] && <><Icon name="reply" /><Spoken words={t('row.answered')} /></>}
        {one.hasAttachment && <><Icon name="clip" /><Spoken words={t('row.attachment')} /></>}
        <time dateTime={one.receivedAt}>{shortDate(one.receivedAt)}</time>
      </span>
      <span class="row-preview">{one.preview}</span>
    </div>
  );
}

/** What the eye sees as a mark, for the ear. */
const Spoken = ({ words }: { words: string }) => <span class="visually-hidden">{words}. </span>;

const Bones = () => (
  <div class="rows" aria-busy="true" aria-label={t('list.more')} role="status">
    {Array.from({ length: 9 }, (_, i) => (
      <div class="row is-bone" key={i} style={{ top: `${i * ROW_HEIGHT}px` }}>
        <span class="bone" style={{ width: `${35 + ((i * 17) % 25)}%` }} />
        <span class="bone" style={{ width: `${55 + ((i * 23) % 30)}%` }} />
        <span class="bone" style={{ width: `${70 + ((i * 13) % 25)}%` }} />
      </div>
    ))}
  </div>
);

function Empty({ folder, name }: { folder: Mailbox; name: string }) {
  const role = folder.role;
  const lead = role === 'inbox' || role === 'drafts' || role === 'sent' || role === 'trash' || role === 'junk' ? role : 'other';
  return (
    <div class="blank">
      <span class="blank-mark"><Icon name={folderIcon(folder)} /></span>
      <h2>{role === 'inbox' ? t('list.empty.inbox') : t('list.empty', { folder: name })}</h2>
      <p>{t(`list.empty.${lead}.lead`)}</p>
    </div>
  );
}

function Failure({ folder, error }: { folder: Mailbox; error: string }) {
  return (
    <div class="blank" role="alert">
      <span class="blank-mark"><Icon name="alert" /></span>
      <h2>{t('list.error')}</h2>
      <p>{error}</p>
      <button type="button" class="button" onClick={() => void readMore(folder.id)}>{t('retry')}</button>
    </div>
  );
}
