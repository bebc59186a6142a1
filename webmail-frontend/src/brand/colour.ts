/** Colours by WCAG 2.2: relative luminance and contrast, and a brand's colour made readable on a ground. */
export type Rgb = readonly [number, number, number];

export function parse(text: string): Rgb | null {
  const short = /^#([\da-f])([\da-f])([\da-f])$/i.exec(text.trim());
  const hex = short ? `#${short.slice(1).map((digit) => digit + digit).join('')}` : text.trim();
  const found = /^#([\da-f]{2})([\da-f]{2})([\da-f]{2})$/i.exec(hex);
  return found ? (found.slice(1).map((pair) => parseInt(pair, 16)) as unknown as Rgb) : null;
}

export const css = (colour: Rgb): string => `#${colour.map((part) => Math.round(part).toString(16).padStart(2, '0')).join('')}`;

export function luminance(colour: Rgb): number {
  const [r, g, b] = colour.map((part) => {
    const value = part / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  }) as unknown as Rgb;
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

export function contrast(one: Rgb, other: Rgb): number {
  const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}

export const mix = (one: Rgb, other: Rgb, share: number): Rgb =>
  one.map((part, i) => part + ((other[i] as number) - part) * share) as unknown as Rgb;

export const WHITE: Rgb = [255, 255, 255];
export const BLACK: Rgb = [0, 0, 0];

/** White or near-black, whichever reads better on the ground. */
export const inkOn = (ground: Rgb): Rgb => (contrast(WHITE, ground) >= 4.5 ? WHITE : contrast(WHITE, ground) > contrast(BLACK, ground) ? WHITE : [17, 19, 24]);

/** The colour, moved towards black or white in small steps until it has the wanted contrast on every ground. */
export function readable(colour: Rgb, grounds: readonly Rgb[], wanted = 4.5): Rgb {
  const target = luminance(grounds[0] as Rgb) > 0.18 ? BLACK : WHITE;
  for (let share = 0; share < 1; share += 0.04) {
    const tried = mix(colour, target, share);
    if (grounds.every((ground) => contrast(tried, ground) >= wanted)) return tried;
  }
  return target;
}
