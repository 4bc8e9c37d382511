/** Negotiates the content coding of an answer (RFC 9110, §12.5.3). */

/** The codings in which pages are built, best first. */
export const contentCodings = ['br', 'gzip', 'identity'] as const
export type ContentCoding = (typeof contentCodings)[number]

/**
 * The best coding for this `Accept-Encoding`. Without the header, no coding is used, because not every client can decode.
 * Returns undefined if the client accepts none of ours.
 */
export function contentCodingFor(acceptEncoding: string | undefined): ContentCoding | undefined {
  const weights = new Map<string, number>()
  for (const entry of (acceptEncoding ?? '').toLowerCase().split(',')) {
    const [name = '', ...parameters] = entry.split(';').map((part) => part.trim())
    if (name !== '') weights.set(name === 'x-gzip' ? 'gzip' : name, weightOf(parameters))
  }
  const others = weights.get('*')
  // Unless excluded, `identity` is always acceptable; if not named, it comes last.
  const weightFor = (coding: ContentCoding): number =>
    weights.get(coding) ?? others ?? (coding === 'identity' ? Number.MIN_VALUE : 0)
  let best: ContentCoding | undefined
  for (const coding of contentCodings) {
    if (weightFor(coding) > (best ? weightFor(best) : 0)) best = coding
  }
  return best
}

/** A malformed weight counts as a refusal of that coding. */
function weightOf(parameters: string[]): number {
  const weight = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2)
  if (weight === undefined) return 1
  return /^(0(\.\d{0,3})?|1(\.0{0,3})?)$/.test(weight) ? Number(weight) : 0
}
