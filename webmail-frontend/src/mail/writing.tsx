import { signal } from '@preact/signals';
import { t } from '../i18n/index.ts';
import type { Email } from '../jmap/types.ts';
import { complain, say } from '../ui/toast.tsx';
import { session } from '../api/auth.ts';
import { readBody } from './load.ts';
import { route } from './route.ts';
import * as store from './store.ts';
import type { Draft } from '../compose/draft.ts';
import { prepare } from '../safety/sanitize.ts';
import { recall } from '../compose/snapshot.ts';

type Composing = typeof import('../compose/index.tsx');

/** The letter being written; one at a time. */
export const draft = signal<Draft | null>(null);
const loaded = signal<Composing | null>(null);

/** Loads the editor, which most visits to a mailbox do not need. */
async function editor(): Promise<Composing | null> {
  try {
    await prepare();
    loaded.value ??= await import('../compose/index.tsx');
  } catch {
    complain(t('error.network'));
  }
  return loaded.value;
}

async function open(make: (from: Composing) => Draft | Promise<Draft>): Promise<void> {
  const from = await editor();
  if (!from) return;
  if (draft.value) {
    say(t('compose.open'));
    document.querySelector<HTMLElement>('.composer input, .composer [contenteditable]')?.focus();
    return;
  }
  draft.value = await make(from);
}

export const compose = (): void => void open((from) => from.blank());
export const editDraft = (email: Email): void => void open((from) => from.reopened(email));
export const writeTo = (mailto: string): void => void open((from) => from.addressed(mailto));

function answer(make: (from: Composing, email: Email) => Draft): void {
  const id = route.value.email;
  if (!id) return;
  void open(async (from) => {
    const email = await readBody(id);
    return email ? make(from, email) : from.blank();
  }).catch(() => complain(t('read.error')));
}

export const reply = (all: boolean): void => answer((from, email) => from.answering(email, all, session.value?.address ?? ''));
export const forward = (): void => answer((from, email) => from.forwarding(email));

/** After a reload: the letter that was being written in this tab, by the same person. */
export function restoreDraft(): void {
  const kept = recall(session.value?.address ?? '');
  if (kept) void open(() => kept);
}

export function Writing() {
  const module = loaded.value;
  const current = draft.value;
  if (!module || !current || !store.ready.value) return null;
  return <module.Composer key={current.key} initial={current} onClose={() => (draft.value = null)} />;
}
