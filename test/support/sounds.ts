/** Tones, and how they are recognised. */
import type { PcmFrame, Reading } from '../../src/agent/agent.ts'

const RATE = 48_000

/** A tone in pieces of 20 ms, by default without an end. */
export function* tone(hertz: number, pieces = Infinity): Generator<Int16Array> {
  for (let at = 0; at < (pieces * RATE) / 50; at += RATE / 50)
    yield Int16Array.from(
      { length: RATE / 50 },
      (_, sample) => 8000 * Math.sin((2 * Math.PI * hertz * (at + sample)) / RATE),
    )
}

/** The share of the sound's power that is at this frequency, from 0 to 1 (Goertzel's algorithm). */
export function shareAt(hertz: number, samples: Int16Array, rate = RATE): number {
  const step = 2 * Math.cos((2 * Math.PI * hertz) / rate)
  let [before, last, power] = [0, 0, 0]
  for (const sample of samples) {
    ;[before, last] = [last, sample + step * last - before]
    power += sample * sample
  }
  if (power === 0) return 0
  return (2 * (last * last + before * before - step * last * before)) / (samples.length * power)
}

/** Reads until so much of the sound in a row is this tone. The time limit of the test ends it otherwise. */
export async function hears(reading: Reading<PcmFrame>, hertz: number, frames = 25): Promise<PcmFrame> {
  let inRow = 0
  for (;;) {
    const { value: frame, done } = await reading.next()
    if (done) throw new Error(`the sound ended before ${hertz} Hz was heard`)
    inRow = shareAt(hertz, frame.samples, frame.sampleRate) > 0.8 ? inRow + 1 : 0
    if (inRow >= frames) return frame
  }
}
