/** What the server says of its media. */
import { health, type MediaState } from './api.ts'

const AGAIN_MS = 2000

/**
 * Tells the state of the server's media, and asks again while it is being prepared. Null if there was no answer yet.
 * Returns a function that stops it.
 */
export function followMedia(tell: (media: MediaState | null) => void): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined
  let isOver = false
  let known: MediaState | null = null
  const ask = async (): Promise<void> => {
    const found = await health().then(
      (answer) => answer.media,
      () => undefined,
    )
    if (isOver) return
    tell((known = found ?? known))
    // A server that does not answer may be restarting.
    if (found === undefined || found.preparing) timer = setTimeout(() => void ask(), AGAIN_MS)
  }
  void ask()
  return () => {
    isOver = true
    clearTimeout(timer)
  }
}
