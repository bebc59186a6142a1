import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { t } from '../i18n/index.ts';
import type { Email, Part } from '../jmap/types.ts';
import { clean, prepare, type Clean } from '../safety/sanitize.ts';
import { textNodes } from '../safety/text.ts';
import { IconButton, Icon } from '../ui/icons.tsx';
import { dark } from '../ui/theme.ts';
import { onKey } from './keys.ts';
import * as store from './store.ts';
import { writeTo } from './writing.tsx';

type Block = { text: string } | { clean: Clean } | { picture: Part };

/** What the reader shows of a message, part by part, made harmless (RFC 8621 §4.1.4: htmlBody may mix types). */
function blocksOf(email: Email): Block[] {
  const parts = email.htmlBody.length ? email.htmlBody : email.textBody;
  return parts.flatMap((part): Block[] => {
    const value = part.partId === null ? undefined : email.bodyValues[part.partId]?.value;
    if (value !== undefined) return [part.type === 'text/html' ? { clean: clean(value) } : { text: value }];
    return part.type.startsWith('image/') && part.blobId ? [{ picture: part }] : [];
  });
}

const htmlOf = (blocks: Block[]): Clean[] => blocks.flatMap((block) => ('clean' in block ? [block.clean] : []));

/** The message's blocks, once the room for cleaning them is open. Null until then; an error is said. */
function useBlocks(email: Email): { blocks: Block[] | null; error: boolean } {
  const [ready, setReady] = useState<'' | 'ready' | 'failed'>('');
  useEffect(() => {
    prepare().then(() => setReady('ready'), () => setReady('failed'));
  }, []);
  const blocks = useMemo(() => (ready === 'ready' ? blocksOf(email) : null), [email.id, ready]);
  return { blocks, error: ready === 'failed' };
}

export function MessageFrame({ email }: { email: Email }) {
  const { blocks, error } = useBlocks(email);
  if (error) return <p class="notice is-error" role="alert">{t('error.network')}</p>;
  return blocks ? <Shown email={email} blocks={blocks} /> : null;
}

function Shown({ email, blocks }: { email: Email; blocks: Block[] }) {
  const [images, setImages] = useState(false);
  const [flipped, setFlipped] = useState(false);
  const html = htmlOf(blocks);
  const coloured = html.some((one) => one.coloured);
  const remote = html.reduce((sum, one) => sum + one.remote, 0);
  const truncated = Object.values(email.bodyValues).some((value) => value.isTruncated);
  const onDark = dark.value && coloured === flipped;
  return (
    <>
      {remote > 0 && !images && (
        <div key="images" class="notice images">
          <Icon name="image" /><span>{t('read.images')}</span>
          <button type="button" class="button" onClick={() => setImages(true)}>{t('read.images.show')}</button>
        </div>
      )}
      {dark.value && html.length > 0 && (
        <div key="bar" class="paper-bar">
          <IconButton icon={onDark ? 'sun' : 'moon'} label={onDark ? t('read.light') : t('read.dark')} onClick={() => setFlipped(!flipped)} />
        </div>
      )}
      <div key="paper" class={`paper ${onDark ? '' : 'is-light'}`}>
        <Frame key={`${images}`} email={email} blocks={blocks} images={images} onDark={onDark} />
      </div>
      {truncated && <p class="notice is-warn">{t('read.truncated')}</p>}
    </>
  );
}

/**
 * A frame without scripts, with a CSP of its own (frame.html), filled by this page with nodes, never with a string.
 * Pictures of the internet need the other frame, whose CSP lets them in; it is made only when the reader asks.
 */
function Frame({ email, blocks, images, onDark }: { email: Email; blocks: Block[]; images: boolean; onDark: boolean }) {
  const element = useRef<HTMLIFrameElement>(null);
  const [loaded, setLoaded] = useState(0);
  useEffect(() => {
    const inside = element.current?.contentDocument;
    if (!inside?.body || !loaded) return;
    const undo = fill(inside, element.current as HTMLIFrameElement, email, blocks, images);
    return undo;
  }, [loaded, blocks]);
  useEffect(() => {
    const root = element.current?.contentDocument?.documentElement;
    if (!loaded || !root) return;
    root.classList.toggle('dark', onDark);
    root.classList.toggle('paper', !onDark && dark.value);
  }, [loaded, onDark, dark.value]);
  return (
    <iframe
      ref={element} class="frame" title={t('read.frame')} src={images ? '/frame-images.html' : '/frame.html'} referrerpolicy="no-referrer"
      sandbox="allow-same-origin allow-popups allow-popups-to-escape-sandbox" onLoad={() => setLoaded((n) => n + 1)}
    />
  );
}

function fill(inside: Document, frame: HTMLIFrameElement, email: Email, blocks: Block[], images: boolean): () => void {
  const urls: string[] = [];
  inside.documentElement.lang = '';
  inside.body.replaceChildren(...blocks.map((block) => nodeOf(block, inside)));
  if (!inside.body.textContent?.trim() && !inside.body.querySelector('img')) inside.body.append(t('read.empty'));
  if (images) for (const one of inside.querySelectorAll<HTMLImageElement>('img[data-remote]')) showRemote(one);
  const alive = { current: true };
  void showParts(inside, email, urls, alive);
  const measure = (): void => fit(frame, inside);
  const watch = new ResizeObserver(measure);
  watch.observe(inside.body);
  measure();
  inside.addEventListener('keydown', onKey);
  inside.addEventListener('click', onClick);
  return () => {
    alive.current = false;
    watch.disconnect();
    urls.forEach((url) => URL.revokeObjectURL(url));
  };
}

function nodeOf(block: Block, inside: Document): Node {
  if ('text' in block) return textNodes(block.text, inside);
  const box = inside.createElement('div');
  if ('picture' in block) {
    const image = inside.createElement('img');
    image.alt = block.picture.name ?? '';
    image.dataset['blob'] = block.picture.blobId ?? '';
    box.append(image);
    return box;
  }
  const style = inside.createElement('style');
  style.textContent = block.clean.css;
  box.append(style, inside.importNode(block.clean.body, true));
  return box;
}

function showRemote(image: HTMLImageElement): void {
  image.referrerPolicy = 'no-referrer';
  image.src = image.dataset['remote'] ?? '';
  delete image.dataset['remote'];
}

/** Pictures that came with the message, by their Content-ID or as parts of their own. */
async function showParts(inside: Document, email: Email, urls: string[], alive: { current: boolean }): Promise<void> {
  const all = [...email.attachments, ...email.htmlBody];
  for (const image of inside.querySelectorAll<HTMLImageElement>('img[data-cid], img[data-blob]')) {
    const cid = image.dataset['cid'];
    const part = cid ? all.find((one) => one.cid?.replace(/^<|>$/g, '') === decode(cid)) : all.find((one) => one.blobId === image.dataset['blob']);
    if (!part?.blobId || !/^image\/(png|gif|jpe?g|webp|bmp|avif)$/i.test(part.type)) continue;
    try {
      const bytes = await store.jmap().download(part.blobId, part.name ?? 'image', part.type);
      if (!alive.current) return;
      const url = URL.createObjectURL(bytes);
      urls.push(url);
      image.src = url;
      delete image.dataset['cid'];
    } catch {
      // The picture's place stays marked, with its alternative text.
    }
  }
}

function decode(cid: string): string {
  try {
    return decodeURIComponent(cid);
  } catch {
    return cid;
  }
}

function fit(frame: HTMLIFrameElement, inside: Document): void {
  const wide = inside.body.scrollWidth > inside.body.clientWidth ? 18 : 0;
  const wanted = Math.ceil(inside.body.getBoundingClientRect().height) + wide;
  frame.style.height = `${Math.min(wanted, 60_000)}px`;
}

/** A mailto link opens our own editor. Other links open by themselves, in a tab that cannot reach this one. */
function onClick(event: MouseEvent): void {
  const link = (event.target as Element | null)?.closest?.('a[href^="mailto:" i]');
  if (!link) return;
  event.preventDefault();
  writeTo(link.getAttribute('href') ?? '');
}
