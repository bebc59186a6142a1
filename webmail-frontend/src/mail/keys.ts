import { undoLast } from '../ui/toast.tsx';
import { doArchive, doDelete, doJunk, doStar, doUnread, openRow, step } from './doing.ts';
import { helpOpen } from './help.tsx';
import { go, route } from './route.ts';
import { compose, forward, reply } from './writing.tsx';

const KEYS: Record<string, () => void> = {
  j: () => step(1),
  k: () => step(-1),
  o: () => openRow(),
  u: () => go(route.value.mailbox),
  c: () => compose(),
  r: () => reply(false),
  a: () => reply(true),
  f: () => forward(),
  e: () => doArchive(),
  '#': () => doDelete(),
  '!': () => doJunk(),
  s: () => doStar(),
  U: () => doUnread(),
  z: () => undoLast(),
  '?': () => (helpOpen.value = true),
};

const typing = (target: EventTarget | null): boolean => {
  const element = target as HTMLElement | null;
  return Boolean(element?.closest?.('input, textarea, select, [contenteditable], dialog, [role="dialog"]'));
};

/** One handler for the page and for the reading frame, which has no scripts of its own. */
export function onKey(event: KeyboardEvent): void {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || typing(event.target)) return;
  if (document.querySelector('dialog[open]')) return;
  const act = KEYS[event.key];
  if (!act) return;
  event.preventDefault();
  act();
}

export function listen(): () => void {
  document.addEventListener('keydown', onKey);
  return () => document.removeEventListener('keydown', onKey);
}
