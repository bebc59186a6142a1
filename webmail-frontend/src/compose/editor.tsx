import { useEffect, useRef, useState } from 'preact/hooks';
import Squire from 'squire-rte';
import { t } from '../i18n/index.ts';
import { htmlToText, textToNodes } from '../safety/html-text.ts';
import { cleanForWriting } from '../safety/sanitize.ts';
import { Dialog } from '../ui/dialog.tsx';
import { IconButton, type IconName } from '../ui/icons.tsx';
import type { Letter } from './letter.ts';

/** Squire, with every string cleaned into nodes: its undo would set innerHTML, which the page's CSP forbids. */
class SafeSquire extends Squire {
  override _setRawHTML(html: string): Squire {
    this._root.replaceChildren(cleanForWriting(html));
    if (!this._root.firstChild) this._root.append(this.createDefaultBlock());
    this._ignoreChange = true;
    return this;
  }
}

const INPUT_MS = 400;

export function Editor({ letter }: { letter: Letter }) {
  return letter.draft.value.html === null ? <Plain letter={letter} /> : <Rich letter={letter} />;
}

function Plain({ letter }: { letter: Letter }) {
  const toRich = (): void => {
    const root = document.createElement('div');
    root.append(textToNodes(letter.draft.value.text, document));
    letter.edit({ html: root.innerHTML });
  };
  useEffect(() => {
    letter.collect = () => undefined;
  }, []);
  return (
    <div class="editor">
      <div class="format"><button type="button" class="line-more" onClick={toRich}>{t('compose.rich')}</button></div>
      <textarea class="words is-plain" aria-label={t('compose.body')} value={letter.draft.value.text} onInput={(event) => letter.edit({ text: event.currentTarget.value })} />
    </div>
  );
}

/** Starts Squire on the element, and reads it back some moments after the last key. */
function start(root: HTMLElement, letter: Letter): { editor: Squire; stop: () => void } {
  const editor = new SafeSquire(root, {
    sanitizeToDOMFragment: (html) => cleanForWriting(html),
    toPlainText: (html) => htmlToText(cleanForWriting(html)),
    didError: () => undefined,
  });
  let timer = 0;
  letter.collect = () => {
    clearTimeout(timer);
    if (letter.draft.value.html === null) return;
    const html = editor.getHTML();
    if (html !== letter.draft.value.html) letter.draft.value = { ...letter.draft.value, html, text: htmlToText(cleanForWriting(html)) };
  };
  if (letter.draft.value.html) editor.setHTML(letter.draft.value.html);
  const onInput = (): void => {
    letter.touch();
    clearTimeout(timer);
    timer = window.setTimeout(() => letter.snapshot(), INPUT_MS);
  };
  editor.addEventListener('input', onInput);
  const stop = (): void => {
    letter.collect();
    letter.collect = () => undefined;
    editor.destroy();
  };
  return { editor, stop };
}

function Rich({ letter }: { letter: Letter }) {
  const root = useRef<HTMLDivElement>(null);
  const squire = useRef<Squire | null>(null);
  const [path, setPath] = useState('');
  const [linking, setLinking] = useState(false);
  useEffect(() => {
    const { editor, stop } = start(root.current as HTMLElement, letter);
    squire.current = editor;
    editor.addEventListener('pathChange', () => setPath(editor.getPath()));
    editor.moveCursorToStart();
    if (letter.draft.value.kind === 'reply') editor.focus();
    root.current?.scrollTo(0, 0);
    return stop;
  }, []);
  const toPlain = (): void => {
    letter.collect();
    letter.edit({ html: null });
  };
  return (
    <div class="editor">
      <Format squire={squire} path={path} onLink={() => setLinking(true)} onPlain={toPlain} />
      <div ref={root} class="words" role="textbox" aria-multiline="true" aria-label={t('compose.body')} />
      {linking && <LinkDialog squire={squire.current} onClose={() => setLinking(false)} />}
    </div>
  );
}

type Ref = { current: Squire | null };
type Kind = 'bold' | 'italic' | 'underline' | 'bullets' | 'numbers' | 'quote';
const KINDS: Kind[] = ['bold', 'italic', 'underline', 'bullets', 'numbers', 'quote'];
const ON: Record<Kind, RegExp> = { bold: />B\b/, italic: />I\b/, underline: />U\b/, bullets: /UL/, numbers: /OL/, quote: /BLOCKQUOTE/ };

function toggle(editor: Squire, kind: Kind, on: boolean): void {
  const doing: Record<Kind, [() => unknown, () => unknown]> = {
    bold: [() => editor.bold(), () => editor.removeBold()],
    italic: [() => editor.italic(), () => editor.removeItalic()],
    underline: [() => editor.underline(), () => editor.removeUnderline()],
    bullets: [() => editor.makeUnorderedList(), () => editor.removeList()],
    numbers: [() => editor.makeOrderedList(), () => editor.removeList()],
    quote: [() => editor.increaseQuoteLevel(), () => editor.decreaseQuoteLevel()],
  };
  doing[kind][on ? 1 : 0]();
  editor.focus();
}

function Format({ squire, path, onLink, onPlain }: { squire: Ref; path: string; onLink: () => void; onPlain: () => void }) {
  return (
    <div class="format" role="toolbar" aria-label={t('compose.format')}>
      {KINDS.map((kind) => {
        const on = ON[kind].test(path);
        return <IconButton key={kind} icon={kind as IconName} label={t(`compose.${kind}`)} pressed={on} onClick={() => squire.current && toggle(squire.current, kind, on)} />;
      })}
      <IconButton icon="link" label={t('compose.link')} onClick={onLink} />
      <button type="button" class="line-more" onClick={onPlain}>{t('compose.plain')}</button>
    </div>
  );
}

function LinkDialog({ squire, onClose }: { squire: Squire | null; onClose: () => void }) {
  const input = useRef<HTMLInputElement>(null);
  const add = (event: Event): void => {
    event.preventDefault();
    const typed = input.current?.value.trim() ?? '';
    onClose();
    if (!typed) return;
    squire?.focus();
    squire?.makeLink(/^(https?:|mailto:|tel:)/i.test(typed) ? typed : `https://${typed}`);
  };
  return (
    <Dialog label={t('compose.link')} onClose={onClose}>
      <form class="link-form" onSubmit={add}>
        <div class="field"><label for="link-address">{t('compose.linkprompt')}</label><input ref={input} id="link-address" class="input" type="text" inputMode="url" autofocus /></div>
        <div class="dialog-actions"><button class="button is-primary" type="submit">{t('compose.linkadd')}</button></div>
      </form>
    </Dialog>
  );
}
