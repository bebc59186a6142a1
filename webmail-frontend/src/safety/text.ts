/** Plain text as nodes: links made clickable, quoted lines marked. Everything is text, never HTML. */
const LINK = /\b(?:https?:\/\/[^\s<>"'“”]+|mailto:[^\s<>"']+|www\.[^\s<>"'“”]+\.[^\s<>"'“”]+|[\w.+-]+@[\w-]+(?:\.[\w-]+)+)/gi;

export interface Piece {
  text: string;
  href?: string;
}

/** Splits text at its links; closing punctuation and unpaired brackets stay outside. */
export function pieces(text: string): Piece[] {
  const found: Piece[] = [];
  let at = 0;
  for (const match of text.matchAll(LINK)) {
    const link = trimmed(match[0]);
    if (match.index > at) found.push({ text: text.slice(at, match.index) });
    found.push({ text: link, href: target(link) });
    at = match.index + link.length;
  }
  if (at < text.length) found.push({ text: text.slice(at) });
  return found;
}

function trimmed(link: string): string {
  let kept = link.replace(/[.,;:!?'*_]+$/, '');
  for (const [open, close] of ['()', '[]', '{}'] as const) {
    while (kept.endsWith(close as string) && kept.split(open as string).length < kept.split(close as string).length) kept = kept.slice(0, -1);
  }
  return kept;
}

function target(link: string): string {
  if (/^(https?|mailto):/i.test(link)) return link;
  return /^www\./i.test(link) ? `https://${link}` : `mailto:${link}`;
}

/** Builds the nodes of a text part in the given document: runs of quoted lines in one block each. */
export function textNodes(text: string, owner: Document): DocumentFragment {
  const result = owner.createDocumentFragment();
  for (const { quoted, lines } of runs(text.replace(/\r\n?/g, '\n').trimEnd().split('\n'))) {
    const block = owner.createElement('pre');
    if (quoted) block.className = 'quoted';
    for (const piece of pieces(lines.join('\n'))) block.append(piece.href ? anchor(piece, owner) : piece.text);
    result.append(block);
  }
  return result;
}

function runs(lines: string[]): Array<{ quoted: boolean; lines: string[] }> {
  const found: Array<{ quoted: boolean; lines: string[] }> = [];
  for (const line of lines) {
    const quoted = line.startsWith('>');
    const last = found.at(-1);
    const own = quoted ? line.replace(/^> ?/, '') : line || '\u200b';
    if (last?.quoted === quoted) last.lines.push(own);
    else found.push({ quoted, lines: [own] });
  }
  return found;
}

function anchor(piece: Piece, owner: Document): HTMLAnchorElement {
  const link = owner.createElement('a');
  link.href = piece.href ?? '';
  link.target = '_blank';
  link.rel = 'noopener noreferrer nofollow';
  link.textContent = piece.text;
  return link;
}
