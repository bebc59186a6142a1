import { useState } from 'preact/hooks';
import { why } from '../api/problem.ts';
import { size, t } from '../i18n/index.ts';
import type { Email, Id, Part } from '../jmap/types.ts';
import { Icon } from '../ui/icons.tsx';
import { complain } from '../ui/toast.tsx';
import * as store from './store.ts';

/** What a reader would look for: parts that the text does not show by itself. */
export const shownAttachments = (email: Email): Part[] => email.attachments.filter((part) => !(part.cid && part.disposition === 'inline' && part.type.startsWith('image/')));

export const partName = (part: Part): string => part.name || t('att.unnamed');

/** Hands bytes to the browser as a file. The type never makes it a page: it is always saved. */
export function save(bytes: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([bytes], { type: 'application/octet-stream' }));
  link.download = name.replace(/[/\\\u0000-\u001f\u202a-\u202e\u2066-\u2069]/g, '_');
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

async function fetchAndSave(blobId: Id, name: string, type: string): Promise<void> {
  try {
    save(await store.jmap().download(blobId, name, type), name);
  } catch (error) {
    complain(t('att.failed', { name, why: why(error) }));
  }
}

/** The message as it came, byte for byte. */
export async function saveOriginal(id: Id): Promise<void> {
  const email = store.body(id);
  if (email) await fetchAndSave(email.blobId, `${(email.subject || 'message').slice(0, 80)}.eml`, 'message/rfc822');
}

export function Attachments({ email }: { email: Email }) {
  const parts = shownAttachments(email);
  if (!parts.length) return null;
  return (
    <section class="attachments" aria-label={t('att.title', { n: parts.length })}>
      {parts.map((part, i) => <Attachment key={part.blobId ?? i} part={part} />)}
    </section>
  );
}

function Attachment({ part }: { part: Part }) {
  const [busy, setBusy] = useState(false);
  const name = partName(part);
  const get = (): void => {
    if (!part.blobId) return;
    setBusy(true);
    void fetchAndSave(part.blobId, name, part.type).finally(() => setBusy(false));
  };
  return (
    <button type="button" class="attachment" disabled={busy} onClick={get}>
      <span class="visually-hidden">{t('att.download')} </span>
      <span class="attachment-kind"><Icon name={part.type.startsWith('image/') ? 'image' : 'file'} /></span>
      <span class="attachment-words"><span class="attachment-name">{name}</span><span class="quiet">{size(part.size)}</span></span>
      {busy ? <span class="spinner" /> : <Icon name="download" />}
    </button>
  );
}
