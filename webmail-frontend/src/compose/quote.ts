import { longDate, t } from '../i18n/index.ts';
import type { Address, Email } from '../jmap/types.ts';
import { full, people } from '../mail/names.ts';
import { shownAttachments, partName } from '../mail/attachments.tsx';
import { htmlToText, textToNodes } from '../safety/html-text.ts';
import { cleanForWriting } from '../safety/sanitize.ts';
import { isValid, parseAddresses } from './addresses.ts';
import { answerTo, EMPTY, LIMITS, newKey, subjectFor, threading, type Draft, type FileEntry } from './draft.ts';

/** The words of a message as nodes that may stand in the editor. */
function wordsOf(email: Email): DocumentFragment {
  const result = document.createDocumentFragment();
  for (const part of email.htmlBody.length ? email.htmlBody : email.textBody) {
    const value = part.partId === null ? undefined : email.bodyValues[part.partId]?.value;
    if (value !== undefined) result.append(part.type === 'text/html' ? cleanForWriting(value) : textToNodes(value.trimEnd(), document));
  }
  return result;
}

const block = (...content: Array<Node | string>): HTMLElement => {
  const made = document.createElement('div');
  made.append(...(content.length ? content : [document.createElement('br')]));
  return made;
};

function bodyOf(...nodes: Node[]): Pick<Draft, 'html' | 'text'> {
  const root = document.createElement('div');
  root.append(...nodes);
  return { html: root.innerHTML, text: htmlToText(root) };
}

export const blank = (): Draft => EMPTY();

export function answering(email: Email, all: boolean, me: string): Draft {
  const quote = document.createElement('blockquote');
  quote.append(wordsOf(email));
  const head = t('compose.wrote', { date: longDate(email.sentAt ?? email.receivedAt), name: people(email.from, t('list.nosender')) });
  const subject = subjectFor('Re', email.subject);
  return { ...EMPTY(), kind: 'reply', about: email.id, subject, ...answerTo(email, all, me), ...threading(email), ...bodyOf(block(), block(), block(head), quote) };
}

export function forwarding(email: Email): Draft {
  const line = (name: string, all: Address[] | null): HTMLElement[] => (all?.length ? [block(`${name}: ${all.map(full).join(', ')}`)] : []);
  const head = [
    block(`---------- ${t('compose.forwarded')} ----------`),
    ...line(t('read.from'), email.from),
    block(`${t('read.date')}: ${longDate(email.sentAt ?? email.receivedAt)}`),
    block(`${t('compose.subject')}: ${email.subject ?? ''}`),
    ...line(t('read.tolabel'), email.to),
    ...line(t('read.cc'), email.cc),
  ];
  const files = filesOf(email).slice(0, LIMITS.files);
  return { ...EMPTY(), kind: 'forward', about: email.id, subject: subjectFor('Fwd', email.subject), files, ...threading(email), ...bodyOf(block(), ...head, block(), wordsOf(email)) };
}

function filesOf(email: Email): FileEntry[] {
  return shownAttachments(email).flatMap((part) =>
    part.blobId ? [{ key: newKey(), name: partName(part), type: part.type, size: part.size, blobId: part.blobId, share: 1, error: '' }] : [],
  );
}

/** A draft of the server, to write on. One without an HTML part stays plain. */
export function reopened(email: Email): Draft {
  const { inReplyTo, references } = email;
  const rich = email.htmlBody.some((part) => part.type === 'text/html');
  const text = email.textBody.map((part) => email.bodyValues[part.partId ?? '']?.value ?? '').join('\n');
  const body = rich ? bodyOf(wordsOf(email)) : { html: null, text };
  return {
    ...EMPTY(),
    kind: inReplyTo?.length ? 'reply' : 'new',
    id: email.id,
    to: email.to ?? [],
    cc: email.cc ?? [],
    bcc: email.bcc ?? [],
    subject: email.subject ?? '',
    files: filesOf(email),
    inReplyTo,
    references,
    ...body,
  };
}

/** A letter as a mailto link asks for it (RFC 6068): addresses, subject and text, nothing else. */
export function addressed(mailto: string): Draft {
  const [path = '', query = ''] = mailto.replace(/^mailto:/i, '').split('?');
  const fields = new URLSearchParams(query.replace(/\+/g, '%2B'));
  const list = (text: string): Address[] => parseAddresses(text).filter((who) => isValid(who.email));
  const text = fields.get('body') ?? '';
  const body = text ? bodyOf(textToNodes(text, document)) : {};
  return { ...EMPTY(), to: list(unescaped(path)), cc: list(fields.get('cc') ?? ''), subject: fields.get('subject') ?? '', ...body };
}

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
