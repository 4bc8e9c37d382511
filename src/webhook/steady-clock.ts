/**
 * A clock that never goes back: if the machine's clock is set back, it continues from where it was; if that is set
 * forward, it follows. So deliveries become due in time, whatever happens to the machine's clock.
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
