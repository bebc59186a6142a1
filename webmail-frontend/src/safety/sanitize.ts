import type { Config, DOMPurify } from 'dompurify';
import { cleanSheet, cleanStyle } from './css.ts';
import { openRoom } from './room.ts';

/** A message's HTML made harmless: a fragment in a document that loads nothing, never to be parsed again. */
export interface Clean {
  body: DocumentFragment;
  css: string;
  /** Pictures that the message wants from the internet, blocked. */
  remote: number;
  /** The message brings its own colours: it needs white paper in a dark page. */
  coloured: boolean;
}

export const PREFIX = 'm-';
const words = (text: string): string[] => text.split(' ');

const FORMATTING = words(
  'a abbr address article aside b bdi bdo big blockquote br caption center cite code col colgroup dd del details dfn div dl dt em ' +
    'figcaption figure font footer h1 h2 h3 h4 h5 h6 header hgroup hr i img ins kbd li main mark nav nobr ol p pre q rp rt ruby s samp ' +
    'section small span strike strong sub summary sup table tbody td tfoot th thead time tr tt u ul var wbr',
);
const ATTRIBUTES = words(
  'align alt bgcolor border cellpadding cellspacing cite class color colspan datetime dir face headers height href hspace id lang nowrap ' +
    'open reversed rowspan scope size span src start style summary title type valign value vspace width',
);

const READING: Config = {
  ALLOWED_TAGS: [...FORMATTING, 'html', 'head', 'body', 'style', '#text'],
  ALLOWED_ATTR: ATTRIBUTES,
  ALLOW_DATA_ATTR: false,
  ALLOW_ARIA_ATTR: false,
  ALLOWED_URI_REGEXP: /^(?:https?:|mailto:|tel:|cid:|data:image\/|#)/i,
  FORBID_CONTENTS: words('script svg math template iframe object embed applet audio video select textarea noscript noembed noframes xmp title'),
  SANITIZE_NAMED_PROPS: false,
  WHOLE_DOCUMENT: true,
  RETURN_DOM_FRAGMENT: true,
};

let purifier: DOMPurify | undefined;
let reading = true;
let sheets: string[] = [];
let outer = { style: '', bgcolor: '' };

/** Makes ready an instance of our own in the room, with hooks that meet nobody else's. Await it before cleaning. */
export async function prepare(): Promise<void> {
  if (purifier) return;
  const made = await openRoom();
  if (purifier) return;
  made.addHook('beforeSanitizeElements', takeSheet);
  made.addHook('uponSanitizeAttribute', (node, data) => {
    if (reading) tameAttribute(node, data);
  });
  purifier = made;
}

function takeSheet(node: Node): void {
  if (node.nodeName !== 'STYLE') return;
  sheets.push(node.textContent ?? '');
  node.textContent = '';
}

function tameAttribute(node: Element, data: { attrName: string; attrValue: string; keepAttr: boolean }): void {
  const { attrName: name, attrValue: value } = data;
  if (node.nodeName === 'BODY') keepOuter(name, value);
  if (name === 'style') {
    data.attrValue = cleanStyle(value);
    data.keepAttr = data.attrValue !== '';
  } else if (name === 'class') data.attrValue = value.split(/\s+/).filter(Boolean).map((one) => PREFIX + one).join(' ');
  else if (name === 'id') data.attrValue = PREFIX + value;
  else if (name === 'src' && node.nodeName !== 'IMG') data.keepAttr = false;
}

function run(html: string, config: Config): DocumentFragment {
  if (!purifier) throw new Error('not prepared');
  reading = config === READING;
  sheets = [];
  outer = { style: '', bgcolor: '' };
  return purifier.sanitize(html, config) as unknown as DocumentFragment;
}

function keepOuter(name: string, value: string): void {
  if (name === 'style') outer.style = cleanStyle(value);
  if (name === 'bgcolor') outer.bgcolor = value;
}

/** Cleans a message for the reading frame. */
export function clean(html: string): Clean {
  const whole = run(html, READING);
  for (const extra of whole.querySelectorAll('style, head')) extra.remove();
  const css = sheets.map((sheet) => cleanSheet(sheet, PREFIX)).join('\n');
  const body = wrapped(whole);
  for (const link of body.querySelectorAll('a')) tameLink(link);
  const remote = [...body.querySelectorAll('img')].filter(tamePicture).length;
  const tinted = body.querySelector('[bgcolor], [color], [style*="color:"], [style*="background"]') !== null;
  return { body, css, remote, coloured: tinted || /(^|[;{\s])(background|color)/m.test(css) };
}

/** What was in <body>, in a block that carries the body's own style and ground. */
function wrapped(whole: DocumentFragment): DocumentFragment {
  const owner = whole.ownerDocument;
  const result = owner.createDocumentFragment();
  const block = owner.createElement('div');
  const body = whole.querySelector('body');
  block.append(...(body ?? whole).childNodes);
  if (outer.style) block.setAttribute('style', outer.style);
  if (outer.bgcolor) block.setAttribute('bgcolor', outer.bgcolor);
  if (outer.bgcolor) block.style.backgroundColor = outer.bgcolor;
  result.append(block);
  return result;
}

export function tameLink(link: HTMLAnchorElement): void {
  const href = link.getAttribute('href')?.trim() ?? '';
  if (href.startsWith('#') && href.length > 1) link.setAttribute('href', `#${PREFIX}${href.slice(1)}`);
  else if (/^(https?|mailto|tel):/i.test(href)) {
    link.setAttribute('href', href);
    link.target = '_blank';
    link.rel = 'noopener noreferrer nofollow';
    if (!link.title) link.title = href;
  } else link.removeAttribute('href');
}

/** Takes an image's address away unless it is harmless: data stays, cid and remote wait. True for a remote one. */
function tamePicture(image: HTMLImageElement): boolean {
  const source = image.getAttribute('src')?.trim() ?? '';
  if (/^data:image\/(png|gif|jpe?g|webp|bmp|avif)[;,]/i.test(source)) return false;
  image.removeAttribute('src');
  if (/^cid:/i.test(source)) image.dataset['cid'] = source.slice(4);
  else if (/^https?:/i.test(source)) image.dataset['remote'] = source.replace(/^http:/i, 'https:');
  return 'remote' in image.dataset;
}

const WRITING: Config = {
  ALLOWED_TAGS: words('a b blockquote br code div em h1 h2 h3 hr i li ol p pre s span strong sub sup table tbody td th thead tr u ul #text'),
  ALLOWED_ATTR: words('href colspan rowspan dir start type'),
  ALLOW_DATA_ATTR: false,
  ALLOW_ARIA_ATTR: false,
  ALLOWED_URI_REGEXP: /^(?:https?|mailto|tel):/i,
  FORBID_CONTENTS: [...(READING.FORBID_CONTENTS as string[]), 'style'],
  RETURN_DOM_FRAGMENT: true,
};

/** Cleans HTML for the editor, which stands in the page itself: structure and links, no styles and no pictures. */
export function cleanForWriting(html: string): DocumentFragment {
  const fragment = run(html, WRITING);
  for (const link of fragment.querySelectorAll('a')) if (!link.getAttribute('href')) link.replaceWith(...link.childNodes);
  return document.importNode(fragment, true);
}
