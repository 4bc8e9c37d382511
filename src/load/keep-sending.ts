import { paces, type Source } from './streams.ts'

/** A participant that sends. */
export interface Sender {
  readonly sources: readonly Source[]
  /** Sends one frame of this source. */
  sendFrame(source: Source, now: number): void
}

/** How often due frames are looked for. */
const TICK_MS = 10
/** After a pause, at most this many missed frames of a source are sent. */
const MOST_BEHIND = 5

/** Sends the frames of all participants when they are due. Returns a function that stops it. */
export function keepSending(people: readonly Sender[]): () => void {
  const next = new WeakMap<Source, number>()
  const timer = setInterval(() => {
    for (const participant of people) {
      for (const source of participant.sources) {
        const { intervalMs } = paces[source.media]
        const now = performance.now()
        // Sources begin at different moments, as people do.
        let due = next.get(source) ?? now + Math.random() * intervalMs
        if (now - due > MOST_BEHIND * intervalMs) due = now
        for (; due <= now; due += intervalMs) participant.sendFrame(source, performance.now())
        next.set(source, due)
      }
    }
  }, TICK_MS)
  return () => clearInterval(timer)
}
