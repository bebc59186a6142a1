import { useRef } from 'preact/hooks';
import { why } from '../api/problem.ts';
import { size, t } from '../i18n/index.ts';
import * as store from '../mail/store.ts';
import { Icon } from '../ui/icons.tsx';
import { LIMITS, newKey, travelling, type FileEntry } from './draft.ts';
import type { Letter } from './letter.ts';

/** Adding, uploading and removing the letter's files. What the service would refuse is said here first (S19). */
export function useFiles(letter: Letter, tell: (trouble: string) => void) {
  const running = useRef(new Map<string, AbortController>());

  const change = (key: string, part: Partial<FileEntry>): void =>
    letter.edit({ files: letter.draft.value.files.map((file) => (file.key === key ? { ...file, ...part } : file)) });

  const upload = async (file: File, key: string): Promise<void> => {
    const stop = new AbortController();
    running.current.set(key, stop);
    const type = file.type || 'application/octet-stream';
    try {
      const blobId = await store.jmap().upload(file, type, (share) => change(key, { share }), stop.signal);
      change(key, { blobId, share: 1 });
    } catch (error) {
      if (!stop.signal.aborted) change(key, { error: why(error) });
    } finally {
      running.current.delete(key);
    }
  };

  const add = (chosen: File[]): void => {
    tell('');
    for (const file of chosen) {
      const trouble = refusal(letter, file);
      if (trouble) return tell(trouble);
      const key = newKey();
      const entry: FileEntry = { key, name: file.name, type: file.type || 'application/octet-stream', size: file.size, blobId: '', share: 0, error: '' };
      letter.edit({ files: [...letter.draft.value.files, entry] });
      const going = upload(file, key);
      letter.uploads.add(going);
      void going.finally(() => letter.uploads.delete(going));
    }
  };

  const remove = (key: string): void => {
    running.current.get(key)?.abort();
    tell('');
    letter.edit({ files: letter.draft.value.files.filter((file) => file.key !== key) });
  };

  const onDrop = (event: DragEvent): void => {
    const dropped = [...(event.dataTransfer?.files ?? [])];
    if (!dropped.length) return;
    event.preventDefault();
    add(dropped);
  };
  return { add, remove, onDrop };
}

function refusal(letter: Letter, file: File): string {
  letter.collect();
  const draft = letter.draft.value;
  if (draft.files.length >= LIMITS.files) return t('compose.toomanyfiles', { max: LIMITS.files });
  const would = travelling(draft, file.size);
  return would > LIMITS.bytes ? t('compose.toolarge', { name: file.name, max: size(LIMITS.bytes), size: size(would) }) : '';
}

export function AttachButton({ add }: { add: (files: File[]) => void }) {
  const chosen = (input: HTMLInputElement): void => {
    const files = [...(input.files ?? [])];
    input.value = '';
    add(files);
  };
  return (
    <label class="icon-button attach" title={t('compose.attach')}>
      <Icon name="clip" />
      <span class="visually-hidden">{t('compose.attach')}</span>
      <input type="file" multiple class="attach-input" onChange={(event) => chosen(event.currentTarget)} />
    </label>
  );
}

export function Files({ letter, remove }: { letter: Letter; remove: (key: string) => void }) {
  const { files } = letter.draft.value;
  if (!files.length) return null;
  return (
    <ul class="files" aria-label={t('att.title', { n: files.length })}>
      {files.map((file) => (
        <li key={file.key} class={`file ${file.error ? 'is-wrong' : ''}`}>
          <Icon name={file.type.startsWith('image/') ? 'image' : 'file'} />
          <span class="file-name">{file.name}</span>
          <span class="quiet">{file.error || (file.blobId ? size(file.size) : t('compose.uploading', { percent: Math.round(file.share * 100) }))}</span>
          <button type="button" class="icon-button" aria-label={t('compose.remove', { name: file.name })} onClick={() => remove(file.key)}><Icon name="close" /></button>
          {!file.blobId && !file.error && <span class="file-bar" style={{ width: `${Math.max(4, file.share * 100)}%` }} />}
        </li>
      ))}
    </ul>
  );
}
