/** Which coding a client takes an answer in (RFC 9110, §12.5.3). */

/** What the pages are built in, the best first. */
export const contentCodings = ['br', 'gzip', 'identity'] as const
export type ContentCoding = (typeof contentCodings)[number]

/**
 * The best coding for this `Accept-Encoding`. Without the header nothing is coded: not everything that asks can decode.
 * Undefined where the client takes none of ours.
 */
export function contentCodingFor(acceptEncoding: string | undefined): ContentCoding | undefined {
  const weights = new Map<string, number>()
  for (const entry of (acceptEncoding ?? '').toLowerCase().split(',')) {
    const [name = '', ...parameters] = entry.split(';').map((part) => part.trim())
    if (name !== '') weights.set(name === 'x-gzip' ? 'gzip' : name, weightOf(parameters))
  }
  const others = weights.get('*')
  // Unless it is excluded, what is not coded is always taken, and last where it is not named.
  const weightFor = (coding: ContentCoding): number =>
    weights.get(coding) ?? others ?? (coding === 'identity' ? Number.MIN_VALUE : 0)
  let best: ContentCoding | undefined
  for (const coding of contentCodings) {
    if (weightFor(coding) > (best ? weightFor(best) : 0)) best = coding
  }
  return best
}

/** A weight that is none counts as a refusal of that coding. */
function weightOf(parameters: string[]): number {
  const weight = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2)
  if (weight === undefined) return 1
  return /^(0(\.\d{0,3})?|1(\.0{0,3})?)$/.test(weight) ? Number(weight) : 0
}
