/** The operator's colour on the page, in both themes, so that people with weak sight can read it. Pure. */

/** As WCAG 2.2 AA asks for text of ordinary size. */
export const LEAST_CONTRAST = 4.5

export type Theme = 'light' | 'dark'

/** What lies behind text and controls in the accent colour: `--paper`, `--card` and `--stage` of `src/web/base.css`. */
export const surfaces: Record<Theme, readonly string[]> = {
  light: ['#f4f2ed', '#ffffff', '#e6e3db'],
  dark: ['#14181a', '#1d2326', '#0d1011'],
}
const towards: Record<Theme, string> = { light: '#000000', dark: '#ffffff' }
const STEPS = 100

export interface Accent {
  /** Of links, outlines, and the buttons that matter. */
  accent: string
  /** Of the text on them. */
  onAccent: string
}

/**
 * The accent of a theme: the colour itself if it can be read on every surface of the theme, else as much darker or
 * lighter as it takes. The text on it is black or white, of which one can be read on any colour.
 *
 * @param colour `#rrggbb`
 */
export function accentOf(colour: string, theme: Theme): Accent {
  const candidates = Array.from({ length: STEPS + 1 }, (_, step) =>
    mixed(colour, towards[theme], step / STEPS),
  )
  const accent = candidates.find((one) =>
    surfaces[theme].every((surface) => contrast(one, surface) >= LEAST_CONTRAST),
  )!
  const onAccent = contrast(accent, '#ffffff') >= contrast(accent, '#000000') ? '#ffffff' : '#000000'
  return { accent, onAccent }
}

/** From 1 to 21, as WCAG defines it. */
export function contrast(one: string, other: string): number {
  const [lighter, darker] = [luminance(one), luminance(other)].sort((a, b) => b - a) as [number, number]
  return (lighter + 0.05) / (darker + 0.05)
}

function luminance(colour: string): number {
  const [red, green, blue] = channels(colour).map((value) => {
    const share = value / 255
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
  }) as [number, number, number]
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}

function mixed(colour: string, other: string, share: number): string {
  const to = channels(other)
  const parts = channels(colour).map((value, at) => Math.round(value + (to[at]! - value) * share))
  return `#${parts.map((value) => value.toString(16).padStart(2, '0')).join('')}`
}

function channels(colour: string): number[] {
  return [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16))
}
