import type { Address } from '../jmap/types.ts';

/** What a person types or pastes as recipients: names, angle brackets, commas, semicolons, line breaks. */
export function parseAddresses(text: string): Address[] {
  return split(text).map(one).filter((found) => found.email !== '');
}

function split(text: string): string[] {
  const parts: string[] = [''];
  let quoted = false;
  let angle = false;
  for (const letter of text) {
    if (letter === '"') quoted = !quoted;
    else if (letter === '<' && !quoted) angle = true;
    else if (letter === '>') angle = false;
    if (!quoted && !angle && /[,;\n\r]/.test(letter)) parts.push('');
    else parts[parts.length - 1] += letter;
  }
  return parts.flatMap(spaced);
}

/** `a@x.test b@y.test` are two; `Ann Lee <a@x.test>` is one. */
function spaced(part: string): string[] {
  const words = part.trim().split(/\s+/);
  return words.length > 1 && words.every((word) => /^[^\s<>"]+@[^\s<>"]+$/.test(word)) ? words : [part];
}

function one(text: string): Address {
  const found = /^(.*)<([^<>]*)>\s*$/s.exec(text.trim());
  if (!found) return { name: null, email: text.trim().replace(/^mailto:/i, '') };
  const name = (found[1] ?? '').trim().replace(/^"(.*)"$/s, '$1').replace(/\\(.)/g, '$1').trim();
  return { name: name || null, email: (found[2] ?? '').trim() };
}

/** Whether mail could be sent there: one @, a local part without spaces, a domain of at least two labels. */
export function isValid(email: string): boolean {
  if (email.length > 254) return false;
  const at = email.lastIndexOf('@');
  const local = email.slice(0, at);
  const labels = email.slice(at + 1).split('.');
  const localOk = at > 0 && at <= 64 && /^[^\s"(),:;<>@[\\\]\u0000-\u001f]+$/u.test(local) && !/^\.|\.\.|\.$/.test(local);
  return localOk && labels.length > 1 && labels.every((label) => /^(?!-)[\p{L}\p{N}-]{1,63}(?<!-)$/u.test(label));
}

/** Without those already there, by address. */
export function without(all: readonly Address[], known: readonly Address[]): Address[] {
  const seen = new Set(known.map((who) => who.email.toLowerCase()));
  return all.filter((who) => !seen.has(who.email.toLowerCase()) && seen.add(who.email.toLowerCase()));
}
