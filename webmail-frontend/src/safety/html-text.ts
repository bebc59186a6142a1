/** Text of an HTML tree, as a plain alternative: blocks on their own lines, quotes with `>`, links with their address. */
const BLOCKS = new Set('ADDRESS ARTICLE ASIDE BLOCKQUOTE DIV DL DD DT FIGURE FOOTER H1 H2 H3 H4 H5 H6 HEADER HR LI OL P PRE SECTION TABLE TR UL'.split(' '));
const SPACED = new Set('P H1 H2 H3 H4 H5 H6 UL OL BLOCKQUOTE PRE TABLE'.split(' '));

export function htmlToText(root: Node): string {
  return inner(root, false)
    .replace(/\u200b/g, '')
    .replace(/[ \t]+\n/g, '\n')
    .replace(/\n{3,}/g, '\n\n')
    .replace(/^\n+|\s+$/g, '');
}

function inner(node: Node, pre: boolean): string {
  let text = '';
  for (const child of node.childNodes) {
    if (child.nodeType === 3) text += words(child.nodeValue ?? '', pre, text);
    else if (child.nodeType === 1) text = joined(text, child as Element, pre);
  }
  return text;
}

function words(value: string, pre: boolean, before: string): string {
  if (pre) return value;
  const flat = value.replace(/[ \t\r\n\f]+/g, ' ').replace(/\u00a0/g, ' ');
  return before === '' || before.endsWith('\n') ? flat.trimStart() : flat;
}

function joined(before: string, element: Element, pre: boolean): string {
  const name = element.nodeName;
  if (name === 'BR') return `${before}\n`;
  if (name === 'HR') return `${line(before)}${'-'.repeat(20)}\n`;
  const own = marked(element, inner(element, pre || name === 'PRE'));
  if (name === 'TD' || name === 'TH') return before === '' || before.endsWith('\n') ? before + own : `${before}\t${own}`;
  if (!BLOCKS.has(name)) return before + own;
  const start = SPACED.has(name) ? gap(before) : line(before);
  return `${start}${own.replace(/\n$/, '')}\n${SPACED.has(name) ? '\n' : ''}`;
}

function marked(element: Element, own: string): string {
  switch (element.nodeName) {
    case 'BLOCKQUOTE':
      return own.replace(/^\n+|\n+$/g, '').split('\n').map((one) => (one.startsWith('>') ? `>${one}` : `> ${one}`)).join('\n');
    case 'LI':
      return `${element.parentElement?.nodeName === 'OL' ? `${place(element)}.` : '-'} ${own.trim().replace(/\n/g, '\n  ')}`;
    case 'A': {
      const href = element.getAttribute('href') ?? '';
      return /^https?:/i.test(href) && href !== own.trim() && own.trim() ? `${own} <${href}>` : own;
    }
    default:
      return own;
  }
}

const place = (item: Element): number => [...(item.parentElement?.children ?? [])].indexOf(item) + 1;
const line = (text: string): string => (text === '' || text.endsWith('\n') ? text : `${text}\n`);
const gap = (text: string): string => (text === '' || text.endsWith('\n\n') ? text : `${line(text)}\n`);

/** Plain text as simple HTML for the editor: text only ever goes in as text nodes. */
export function textToNodes(text: string, owner: Document): DocumentFragment {
  const result = owner.createDocumentFragment();
  for (const one of text.replace(/\r\n?/g, '\n').split('\n')) {
    const block = owner.createElement('div');
    block.append(one === '' ? owner.createElement('br') : one.replace(/ {2}/g, ' \u00a0'));
    result.append(block);
  }
  return result;
}
