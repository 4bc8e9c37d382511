/** How loud sound is, in the unit of RFC 6464: -dBov, from 0 for the loudest to 127 for silence. */

const SILENT = 127
const FULL_SCALE = 32_768

export function levelOf(samples: Int16Array): number {
  let sum = 0
  for (const sample of samples) sum += sample * sample
  if (sum === 0) return SILENT
  const db = 10 * Math.log10(sum / samples.length / FULL_SCALE ** 2)
  return Math.min(SILENT, Math.max(0, Math.round(-db)))
}
