import { en, type Key } from './en.ts';

export type { Key };
type Values = Readonly<Record<string, string | number>>;
type Messages = Readonly<Record<Key, string>>;

let messages: Messages = en;
let language = 'en';

/** Makes another language the current one; its module is loaded by whoever offers the choice. */
export function speak(name: string, words: Messages): void {
  language = name;
  messages = words;
  document.documentElement.lang = name;
}

/** The text of a key, with its values put in; a text of two halves is chosen by `n`. */
export function t(key: Key, values: Values = {}): string {
  const [one, other] = messages[key].split('|') as [string, string?];
  const text = other === undefined || values['n'] === 1 ? one : other;
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = values[name];
    return value === undefined ? whole : typeof value === 'number' ? number(value) : value;
  });
}

export const number = (n: number): string => new Intl.NumberFormat(language).format(n);

const UNITS = ['byte', 'kilobyte', 'megabyte', 'gigabyte'];

/** Bytes as a person reads them: 1.5 MB is 1,572,864 bytes, as the service counts. */
export function size(bytes: number): string {
  let unit = 0;
  let value = bytes;
  for (; value >= 1000 && unit < UNITS.length - 1; unit += 1) value /= 1024;
  const maximumFractionDigits = unit > 1 && value < 100 ? 1 : 0;
  const style = { style: 'unit', unit: UNITS[unit] as string, unitDisplay: unit ? 'short' : 'long' } as const;
  return new Intl.NumberFormat(language, { ...style, maximumFractionDigits }).format(unit ? value : bytes);
}

/** A list row's date: the time today, the day this year, else the whole date. */
export function shortDate(iso: string, now = new Date()): string {
  const date = new Date(iso);
  if (date.toDateString() === now.toDateString()) return form({ hour: 'numeric', minute: '2-digit' }, date);
  if (date.getFullYear() === now.getFullYear()) return form({ day: 'numeric', month: 'short' }, date);
  return form({ day: '2-digit', month: '2-digit', year: 'numeric' }, date);
}

export function longDate(iso: string): string {
  return form({ weekday: 'short', day: 'numeric', month: 'long', year: 'numeric', hour: 'numeric', minute: '2-digit' }, new Date(iso));
}

const form = (options: Intl.DateTimeFormatOptions, date: Date): string =>
  Number.isNaN(date.getTime()) ? '' : new Intl.DateTimeFormat(language, options).format(date);
