/**
 * Puts the operator's brand into the page as it is served, so that the first thing on the screen has it: the title, the
 * icon, the colours, and what the scripts read from a `<meta>`.
 */
import { createHash } from 'node:crypto'
import { accentOf } from './colours.ts'
import type { Logo } from './logo.ts'

export interface Brand {
  name: string | undefined
  logo: Logo | undefined
  /** `#rrggbb`. */
  colour: string | undefined
  links: readonly { label: string; url: string }[]
}

/** As a source of `style-src`; undefined if there is no style to allow. */
export function styleSource({ colour }: Brand): string | undefined {
  if (colour === undefined) return undefined
  return `'sha256-${createHash('sha256').update(styleOf(colour)).digest('base64')}'`
}

/** The page with the brand. One without a brand stays as it is. */
export function branded(html: string, { name, logo, colour, links }: Brand): string {
  const seen = {
    ...(name !== undefined && { name }),
    ...(logo && { logo: { src: logo.path, width: logo.width, height: logo.height } }),
    ...(links.length > 0 && { links }),
  }
  const head = [
    Object.keys(seen).length > 0 &&
      `<meta name="anteroom-brand" content="${escaped(JSON.stringify(seen))}" />`,
    colour !== undefined && `<style>${styleOf(colour)}</style>`,
  ].filter((line) => line !== false)
  let page = html
  // A replacement by a function takes no `$&` in a name for more than it is.
  if (name !== undefined) page = page.replace(/<title>.*?<\/title>/, () => `<title>${escaped(name)}</title>`)
  if (logo)
    page = page.replace(
      /<link rel="icon"[^>]*>/,
      () => `<link rel="icon" type="${logo.type}" href="${logo.path}" />`,
    )
  return head.length > 0 ? page.replace('</head>', () => `${head.join('')}</head>`) : page
}

/** Counts for more than `:root` of `base.css`, whichever comes last. */
function styleOf(colour: string): string {
  const [light, dark] = [accentOf(colour, 'light'), accentOf(colour, 'dark')]
  return `:root:root{--accent:light-dark(${light.accent},${dark.accent});--on-accent:light-dark(${light.onAccent},${dark.onAccent})}`
}

function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
}
