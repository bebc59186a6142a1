import type { Address, Mailbox } from '../jmap/types.ts';
import { t, type Key } from '../i18n/index.ts';
import type { IconName } from '../ui/icons.tsx';

const ROLE_ICONS: Record<string, IconName> = {
  inbox: 'inbox',
  drafts: 'drafts',
  sent: 'sent',
  archive: 'archive',
  junk: 'junk',
  trash: 'trash',
};

/** A folder's name in the reader's language where its role has one. */
export const folderName = (one: Mailbox): string => (one.role && one.role in ROLE_ICONS ? t(`folder.${one.role}` as Key) : one.name);
export const folderIcon = (one: Mailbox): IconName => ROLE_ICONS[one.role ?? ''] ?? 'folder';

/** A person's name, else the address; characters that turn or hide text are left out, as they serve to deceive. */
export function personName({ name, email }: Address): string {
  return (name ?? '').replace(/[\u0000-\u001f\u007f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g, '').trim() || email;
}

/** `Name <address>` for a header field. */
export const full = (one: Address): string => (one.name ? `${personName(one)} <${one.email}>` : one.email);

export const people = (all: readonly Address[] | null, none: string): string => all?.map(personName).join(', ') || none;

/** One or two letters for a sender's disc. */
export function initials(one: Address | undefined): string {
  const words = one ? personName(one).replace(/@.*/, '').split(/[\s._-]+/).filter((word) => /[\p{L}\p{N}]/u.test(word)) : [];
  const letters = words.map((word) => /[\p{L}\p{N}]/u.exec(word)?.[0] ?? '');
  return ((letters[0] ?? '?') + (letters.length > 1 ? (letters.at(-1) ?? '') : '')).toUpperCase();
}

/** One of eight hues of styles/mail.css, the same for the same address. */
export function hue(one: Address | undefined): number {
  let sum = 0;
  for (const letter of one?.email.toLowerCase() ?? '') sum = (sum * 31 + (letter.codePointAt(0) ?? 0)) % 9973;
  return sum % 8;
}
