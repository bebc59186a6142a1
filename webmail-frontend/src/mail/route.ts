import { signal } from '@preact/signals';
import type { Id } from '../jmap/types.ts';

/** What the address shows: `#/folder` or `#/folder/message`, so that back, reload and links work. */
export interface Route {
  mailbox: Id;
  email: Id;
}

const read = (): Route => {
  const [mailbox = '', email = ''] = location.hash.replace(/^#\/?/, '').split('/').map(decodeURIComponent);
  return { mailbox, email };
};

export const route = signal<Route>(read());
addEventListener('hashchange', () => (route.value = read()));

const path = (mailbox: Id, email: Id): string => `#/${encodeURIComponent(mailbox)}${email ? `/${encodeURIComponent(email)}` : ''}`;

/** Goes to a folder or message; from message to message the history keeps one entry, so that back leads to the list. */
export function go(mailbox: Id, email = ''): void {
  if (mailbox === route.value.mailbox && email === route.value.email) return;
  const replace = email !== '' && route.value.email !== '' && mailbox === route.value.mailbox;
  history[replace ? 'replaceState' : 'pushState'](null, '', path(mailbox, email));
  route.value = { mailbox, email };
}

/** Goes without leaving an entry: the first folder, or away from a message that is gone. */
export function settle(mailbox: Id, email = ''): void {
  history.replaceState(null, '', path(mailbox, email));
  route.value = { mailbox, email };
}
