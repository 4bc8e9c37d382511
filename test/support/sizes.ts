/** Checks video sizes in tests: the browser sends three, and viewers get the one that they request. */
import type { MediaClient } from './media-clients.ts'

/** Widths that our client and the published one send. */
export const [LOW, MED, HIGH] = [320, 640, 1280]
const PATIENCE_MS = 90_000

/** Waits until the browser sends its largest size, once its bandwidth estimate allows it. */
export async function sendsAllSizes(sender: MediaClient): Promise<void> {
  const giveUpAt = Date.now() + PATIENCE_MS
  for (;;) {
    const widths = String(await sender.tap.sentWidths())
    if (widths === String([LOW, MED, HIGH])) return
    if (Date.now() > giveUpAt) throw new Error(`sends only ${widths}`)
    await sender.tap.page.waitForTimeout(200)
  }
}

/** Requests a size and waits until it arrives; returns how long that took. */
export async function sizedTo(
  viewer: MediaClient,
  quality: 'low' | 'med' | 'high',
  width: number,
): Promise<number> {
  const asked = Date.now()
  await viewer.setQuality('ann', quality)
  await viewer.tap.until('ann', 'video', `was ${width} wide`, (now) => now.width === width)
  const took = Date.now() - asked
  await viewer.tap.sees('ann', width)
  return took
}

/** Waits until this is true. */
export async function eventually(
  what: string,
  holds: () => Promise<boolean>,
  patienceMs = PATIENCE_MS,
): Promise<void> {
  const giveUpAt = Date.now() + patienceMs
  while (!(await holds())) {
    if (Date.now() > giveUpAt) throw new Error(`never: ${what}`)
    await new Promise((next) => setTimeout(next, 100))
  }
}
