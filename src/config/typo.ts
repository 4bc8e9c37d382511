/** Finds variables that look like a misspelt setting. */

/** Only our own variables begin with this. */
const OWN_PREFIX = /^ANTEROOM_/
/** Variables of other programs with names close to ours. */
const OTHERS = new Set(['HTTP_PORT'])

export interface Typo {
  meant: string | undefined
}

/**
 * Decides whether an unknown variable is a mistake: it has our prefix, or differs from a setting in at most two letters
 * (fewer for short names). Any other variable belongs to another program.
 */
export function typoIn(variable: string, known: Iterable<string>): Typo | undefined {
  if (OTHERS.has(variable)) return undefined
  const name = variable.replace(OWN_PREFIX, '')
  const meant = nearest(name, known)
  return meant !== undefined || name !== variable ? { meant } : undefined
}

/** Short names are close to many words: HOME is not HOST, and PATH is not PORT. */
function reach(name: string): number {
  return name.length < 7 ? 0 : name.length < 12 ? 1 : 2
}

function nearest(name: string, known: Iterable<string>): string | undefined {
  let best: { name: string; distance: number } | undefined
  for (const candidate of known) {
    // Each letter more or less is a difference.
    if (Math.abs(name.length - candidate.length) > reach(candidate)) continue
    const distance = editDistance(name, candidate)
    if (distance <= reach(candidate) && (!best || distance < best.distance))
      best = { name: candidate, distance }
  }
  return best?.name
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      next[j] = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1))
    }
    row = next
  }
  return row[b.length]!
}
