/**
 * A clock that never goes back: while the machine's is set back it goes on from where it was, and where that is set
 * forward it follows. What is due is then due in time, whatever is done to the machine's clock.
 */
export function steadyClock(
  now: () => number,
  elapsedMs: () => number = () => performance.now(),
): () => number {
  let [at, seen] = [now(), elapsedMs()]
  return () => {
    const elapsed = elapsedMs()
    at = Math.max(now(), at + elapsed - seen)
    seen = elapsed
    return Math.floor(at)
  }
}
