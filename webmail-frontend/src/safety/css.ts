/**
 * CSS of a message, through the browser's own parser: what comes out was written by the CSSOM, not by the sender.
 * A constructed sheet that is never adopted loads nothing and applies to nothing.
 */
const HOSTILE_VALUE = /url\s*\(|image-set\s*\(|image\s*\(|cross-fade\s*\(|src\s*\(|var\s*\(|env\s*\(|attr\s*\(|element\s*\(|paint\s*\(|expression|javascript:|\\|@|</i;
const HOSTILE_NAME = /^(--|animation|transition|z-index|behavior|-moz-binding|view-transition|offset|anchor|cursor|will-change|content-visibility|pointer-events)/;

/** Longhands that stay: none that fetches, runs over time or leaves its place. */
function allowed(name: string, value: string): boolean {
  if (!value || HOSTILE_NAME.test(name) || HOSTILE_VALUE.test(value)) return false;
  if (name === 'position') return value === 'static';
  if (/^(top|left|right|bottom|inset)/.test(name)) return false;
  if (/^margin|^text-indent|^letter-spacing/.test(name)) return !value.includes('-');
  return true;
}

function declarations(style: CSSStyleDeclaration): string {
  const kept: string[] = [];
  for (const name of style) {
    const value = style.getPropertyValue(name);
    const weight = style.getPropertyPriority(name);
    if (allowed(name, value)) kept.push(`${name}:${value}${weight ? ' !important' : ''}`);
  }
  return kept.join(';');
}

const LONGEST = 100_000;

/** The harmless part of a style attribute. */
export function cleanStyle(text: string): string {
  const sheet = new CSSStyleSheet();
  sheet.insertRule('a{}');
  const rule = sheet.cssRules[0] as CSSStyleRule;
  rule.style.cssText = text.slice(0, LONGEST);
  return declarations(rule.style);
}

/** The harmless part of a <style> element; classes and ids get the prefix that the message's own got. */
export function cleanSheet(text: string, prefix: string): string {
  const sheet = new CSSStyleSheet();
  try {
    sheet.replaceSync(text.slice(0, LONGEST * 5).replace(/<!--|-->/g, ''));
  } catch {
    return '';
  }
  return [...sheet.cssRules].map((rule) => cleanRule(rule, prefix)).join('\n');
}

function cleanRule(rule: CSSRule, prefix: string): string {
  if (rule instanceof CSSStyleRule) {
    const body = declarations(rule.style);
    return body ? `${prefixed(rule.selectorText, prefix)}{${body}}` : '';
  }
  // A message's own dark mode would fight the page's: it is shown light on its paper.
  if (rule instanceof CSSMediaRule && !/prefers-color-scheme|</i.test(rule.conditionText)) {
    return `@media ${rule.conditionText}{${[...rule.cssRules].map((inner) => cleanRule(inner, prefix)).join('')}}`;
  }
  return '';
}

/** `.name` and `#name` outside of brackets and quotes get the prefix. */
const prefixed = (selector: string, prefix: string): string =>
  selector.replace(/\[[^\]]*\]|"[^"]*"|'[^']*'|([.#])(?=[-_a-zA-Z\u0080-\uffff\\])/g, (whole, mark: string | undefined) => (mark ? mark + prefix : whole));
