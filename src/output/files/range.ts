/** The header `Range` of HTTP (RFC 9110, 14.2), for one part. Pure. */

const RANGE = /^bytes=(?:(\d+)-(\d*)|-(\d+))$/

/** Undefined: the whole file, as the header is missing, malformed or of several parts. */
export function partOf(
  range: string | undefined,
  size: number,
): { from: number; to: number } | { unsatisfiable: number } | undefined {
  const [, from, to, last] = RANGE.exec(range ?? '') ?? []
  if (last !== undefined) {
    const length = Math.min(Number(last), size)
    return length === 0 ? { unsatisfiable: size } : { from: size - length, to: size - 1 }
  }
  if (from === undefined) return undefined
  const end = to ? Number(to) : size - 1
  if (to && end < Number(from)) return undefined
  return Number(from) >= size ? { unsatisfiable: size } : { from: Number(from), to: Math.min(end, size - 1) }
}
