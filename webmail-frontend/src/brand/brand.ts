import { signal } from '@preact/signals';
import { BLACK, WHITE, contrast, css, inkOn, mix, parse, readable, type Rgb } from './colour.ts';

/** What `/brand.json` says of the host name that the browser came with (S1). */
export interface Brand {
  product: string;
  logo: string;
  colors: { primary: string; accent: string };
  support: { email: string; url: string };
  help_url: string;
}

const NONE: Brand = {
  product: 'Mail',
  logo: '',
  colors: { primary: '#2f5bd7', accent: '#2f5bd7' },
  support: { email: '', url: '' },
  help_url: '',
};

export const brand = signal<Brand>(NONE);

/** Page grounds of styles/base.css: text in a brand colour must be readable on each. */
const LIGHT: Rgb[] = [WHITE, [246, 247, 249], [236, 238, 243]];
const DARK: Rgb[] = [[40, 43, 50], [32, 34, 40], [24, 26, 31]];

export async function loadBrand(): Promise<void> {
  try {
    const response = await fetch('/brand.json', { headers: { Accept: 'application/json' } });
    if (response.ok) brand.value = complete((await response.json()) as Partial<Brand>);
  } catch {
    // Without a brand the page works in neutral colours; it must not stay blank.
  }
  apply(brand.value);
}

function complete(given: Partial<Brand>): Brand {
  return {
    product: given.product || NONE.product,
    logo: safeImage(given.logo),
    colors: { ...NONE.colors, ...given.colors },
    support: { email: given.support?.email ?? '', url: safeLink(given.support?.url) },
    help_url: safeLink(given.help_url),
  };
}

const safeLink = (url: string | undefined): string => (url && /^(https?:\/\/|\/)/i.test(url) ? url : '');
const safeImage = (url: string | undefined): string => (url && /^(https?:\/\/|\/|data:image\/)/i.test(url) ? url : '');

function apply({ product, logo, colors }: Brand): void {
  const style = document.documentElement.style;
  const primary = parse(colors.primary) ?? (parse(NONE.colors.primary) as Rgb);
  const accent = parse(colors.accent) ?? primary;
  const strong = ground(primary);
  set(style, 'primary', strong.light, strong.dark);
  set(style, 'on-primary', inkOn(strong.light), inkOn(strong.dark));
  set(style, 'primary-hover', mix(strong.light, BLACK, 0.12), mix(strong.dark, WHITE, 0.12));
  set(style, 'link', readable(accent, LIGHT), readable(accent, DARK));
  set(style, 'tint', mix(WHITE, primary, 0.1), mix([32, 34, 40], primary, 0.24));
  set(style, 'on-tint', readable(primary, [mix(WHITE, primary, 0.1)], 7), readable(primary, [mix([32, 34, 40], primary, 0.24)], 7));
  const icon = document.getElementById('icon') as HTMLLinkElement | null;
  if (icon) icon.href = logo || letterIcon(product, strong.light);
  document.title = product;
}

/** The primary colour as a button's ground: apart from the page by 3:1 (WCAG 1.4.11) in both modes. */
const ground = (primary: Rgb): { light: Rgb; dark: Rgb } => ({
  light: readable(primary, LIGHT, 3),
  dark: contrast(primary, DARK[0] as Rgb) >= 2 ? primary : readable(primary, DARK, 3),
});

const set = (style: CSSStyleDeclaration, name: string, light: Rgb, dark: Rgb): void =>
  style.setProperty(`--${name}`, `light-dark(${css(light)}, ${css(dark)})`);

function letterIcon(product: string, colour: Rgb): string {
  const letter = [...product][0]?.toUpperCase().replace(/[<>&"]/g, '') ?? '';
  return `data:image/svg+xml,${encodeURIComponent(
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="8" fill="${css(colour)}"/>` +
      `<text x="16" y="22" text-anchor="middle" font-family="sans-serif" font-weight="700" font-size="18" fill="${css(inkOn(colour))}">${letter}</text></svg>`,
  )}`;
}

/** The title of the tab: unread count, then the product. */
export function title(unread: number): void {
  document.title = unread ? `(${unread}) ${brand.value.product}` : brand.value.product;
}
