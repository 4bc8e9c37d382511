import { paces, type Source } from './streams.ts'

/** Somebody who sends. */
export interface Sender {
  readonly sources: readonly Source[]
  /** One frame of one of them goes out. */
  sendFrame(source: Source, now: number): void
}

/** Between two rounds of frames. */
const TICK_MS = 10
/** More frames than that are not made up for after a pause. */
const MOST_BEHIND = 5

/** Frames of everybody go out in time; what is late after a pause is made up for within reason. Answers how to stop it. */
export function keepSending(people: readonly Sender[]): () => void {
  const next = new WeakMap<Source, number>()
  const timer = setInterval(() => {
    for (const participant of people) {
      for (const source of participant.sources) {
        const { intervalMs } = paces[source.media]
        const now = performance.now()
        // Not all at once.
        let due = next.get(source) ?? now + Math.random() * intervalMs
        if (now - due > MOST_BEHIND * intervalMs) due = now
        for (; due <= now; due += intervalMs) participant.sendFrame(source, performance.now())
        next.set(source, due)
      }
    }
  }, TICK_MS)
  return () => clearInterval(timer)
}
