import { signal } from '@preact/signals';

export type Theme = 'auto' | 'light' | 'dark';
const KEY = 'theme';
const ORDER: Theme[] = ['auto', 'light', 'dark'];

export const theme = signal<Theme>(remembered());
const system = matchMedia('(prefers-color-scheme: dark)');
export const dark = signal(isDark());
system.addEventListener('change', () => (dark.value = isDark()));

function remembered(): Theme {
  const kept = localStorage.getItem(KEY) as Theme | null;
  return kept && ORDER.includes(kept) ? kept : 'auto';
}

function isDark(): boolean {
  return theme.value === 'dark' || (theme.value === 'auto' && system.matches);
}

/** Puts the choice on the page; `auto` follows the system. */
export function applyTheme(): void {
  if (theme.value === 'auto') delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = theme.value;
  dark.value = isDark();
}

/** As the system, light, dark, and round again. */
export function nextTheme(): void {
  theme.value = ORDER[(ORDER.indexOf(theme.value) + 1) % ORDER.length] as Theme;
  if (theme.value === 'auto') localStorage.removeItem(KEY);
  else localStorage.setItem(KEY, theme.value);
  applyTheme();
}
