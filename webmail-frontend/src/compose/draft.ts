import type { Address, Email, Id } from '../jmap/types.ts';
import { without } from './addresses.ts';

/** A file of the letter: being uploaded (no blobId yet), there, or failed. */
export interface FileEntry {
  key: string;
  name: string;
  type: string;
  size: number;
  blobId: Id;
  share: number;
  error: string;
}

/** A letter being written. `html` null: plain text. */
export interface Draft {
  key: string;
  kind: 'new' | 'reply' | 'forward';
  /** The draft on the server that holds the last saved words; '' before the first save. */
  id: Id;
  to: Address[];
  cc: Address[];
  bcc: Address[];
  subject: string;
  html: string | null;
  text: string;
  files: FileEntry[];
  inReplyTo: string[] | null;
  references: string[] | null;
  /** The message that this answers or forwards. */
  about: Id;
}

/** What the service allows (S19, S20), told before the server would refuse. */
export const LIMITS = { files: 4, bytes: 25 * 1_048_576, recipients: 250, countFrom: 200 };

let last = 0;
export const newKey = (): string => `${Date.now().toString(36)}-${(last += 1)}`;

export const EMPTY = (): Draft => ({
  key: newKey(),
  kind: 'new',
  id: '',
  to: [],
  cc: [],
  bcc: [],
  subject: '',
  html: '',
  text: '',
  files: [],
  inReplyTo: null,
  references: null,
  about: '',
});

export const everyone = (draft: Draft): Address[] => [...draft.to, ...draft.cc, ...draft.bcc];

/** Bytes of a file in base64 with line ends (RFC 2045 §6.8): 57 of it make a line of 78. */
export const encoded = (bytes: number): number => Math.ceil(bytes / 57) * 78;

/** The whole message as it would travel; text may be quoted-printable, headers are rounded up. */
export function travelling(draft: Draft, more = 0): number {
  const words = new TextEncoder().encode(draft.subject + draft.text + (draft.html ?? '')).length * 2;
  const headers = 2_000 + everyone(draft).reduce((sum, who) => sum + who.email.length + (who.name?.length ?? 0) * 3 + 6, 0);
  return draft.files.reduce((sum, file) => sum + encoded(file.size) + 400, 0) + (more ? encoded(more) + 400 : 0) + words + headers;
}

/** Re: or Fwd: once, however often a thread was answered. */
export const subjectFor = (prefix: 'Re' | 'Fwd', subject: string | null): string => {
  const bare = (subject ?? '').replace(prefix === 'Re' ? /^(\s*(re|aw|sv)(\[\d+\])?:\s*)+/i : /^(\s*(fwd?|wg):\s*)+/i, '');
  return `${prefix}: ${bare}`.trim();
};

/** RFC 5322 §3.6.4: the parent's References (or its In-Reply-To, if one) and the parent. */
export function threading(email: Email): Pick<Draft, 'inReplyTo' | 'references'> {
  if (!email.messageId?.length) return { inReplyTo: null, references: null };
  const before = email.references ?? (email.inReplyTo?.length === 1 ? email.inReplyTo : []);
  return { inReplyTo: email.messageId, references: [...before, ...email.messageId] };
}

/** To whom an answer goes: Reply-To or From; for one's own message, whom it went to. */
export function answerTo(email: Email, all: boolean, me: string): Pick<Draft, 'to' | 'cc'> {
  const own: Address[] = [{ name: null, email: me }];
  const mine = email.from?.[0]?.email.toLowerCase() === me.toLowerCase();
  const back = mine ? (email.to ?? []) : email.replyTo?.length ? email.replyTo : (email.from ?? []);
  const to = without(back, []);
  if (!all) return { to, cc: [] };
  const first = mine ? to : [...to, ...without(email.to ?? [], [...own, ...to])];
  return { to: first, cc: without(email.cc ?? [], [...own, ...first]) };
}

/** The draft as a JMAP Email to create (RFC 8621 §4.6). */
export function toEmail(draft: Draft, from: Address, drafts: Id): Record<string, unknown> {
  const html = draft.html === null ? {} : { htmlBody: [{ partId: 'html', type: 'text/html' }] };
  const values = { text: { value: draft.text }, ...(draft.html === null ? {} : { html: { value: dressed(draft.html) } }) };
  const optional = Object.entries({ cc: draft.cc, bcc: draft.bcc, inReplyTo: draft.inReplyTo, references: draft.references });
  return {
    mailboxIds: { [drafts]: true },
    keywords: { $draft: true, $seen: true },
    from: [from],
    to: draft.to,
    ...Object.fromEntries(optional.filter(([, value]) => value?.length)),
    subject: draft.subject,
    bodyValues: values,
    textBody: [{ partId: 'text', type: 'text/plain' }],
    ...html,
    attachments: draft.files.filter((file) => file.blobId).map(({ blobId, type, name }) => ({ blobId, type, name, disposition: 'attachment' })),
  };
}

const QUOTE = 'margin:0 0 0 8px;padding-left:12px;border-left:2px solid #c4c7cc';

/** Quotes get their line in the letter itself, since other readers bring no style sheet of ours. */
const dressed = (html: string): string => `<html><body>${html.replace(/<blockquote>/g, `<blockquote style="${QUOTE}">`)}</body></html>`;

/** Whether there is anything worth keeping. */
export const hasContent = (draft: Draft): boolean =>
  Boolean(everyone(draft).length || draft.subject.trim() || draft.text.trim() || draft.files.length);
