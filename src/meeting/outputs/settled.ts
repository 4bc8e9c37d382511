import { setTimeout as delay } from 'node:timers/promises'

/** How long outputs may take to end when the server stops. */
const OUTPUTS_END_MS = 10_000

/** Waits for outputs that end. What takes longer is finished by the next start. */
export async function settled(ending: Iterable<Promise<void>>): Promise<void> {
  const late = new AbortController()
  const patience = delay(OUTPUTS_END_MS, undefined, { signal: late.signal }).catch(() => undefined)
  await Promise.race([Promise.allSettled([...ending]), patience])
  late.abort()
}
