/** Whether a microphone hears speech, judged by how loud successive pieces of its sound are. Pure. */

/** How often the loudness is measured. */
export const LOOK_MS = 100
/** How many measurements a judgement needs: two seconds. */
export const MEASUREMENTS = 20

/** In dB below full scale. Quieter is a room, not a person at the microphone. */
const LOUD_DB = -45
/** Between neighbouring measurements, speech rises and falls by more than a fan or a tone does. */
const STEP_DB = 6
const LEAST_LOUD = 8
const LEAST_STEPS = 5

/** The loudness of samples between -1 and 1, in dB below full scale; -100 for silence. */
export function loudnessOf(samples: Float32Array): number {
  const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / Math.max(1, samples.length)
  return Math.max(-100, 10 * Math.log10(power))
}

/** @param levels the latest measurements, at most `MEASUREMENTS` of them, oldest first */
export function isSpeech(levels: readonly number[]): boolean {
  if (levels.length < MEASUREMENTS) return false
  const loud = levels.filter((level) => level > LOUD_DB).length
  const steps = levels.filter((level, at) => at > 0 && Math.abs(level - levels[at - 1]!) >= STEP_DB).length
  return loud >= LEAST_LOUD && steps >= LEAST_STEPS
}

/** The measurements with one more. */
export function withLevel(levels: readonly number[], level: number): number[] {
  return [...levels, level].slice(-MEASUREMENTS)
}
