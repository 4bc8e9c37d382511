/** Calls somebody who looks elsewhere: a chime, and a notification of the browser where the person allowed them. */

/** One chime in this time, however many ask. */
const PAUSE_MS = 3000

export function isDue(lastAt: number | undefined, now: number): boolean {
  return lastAt === undefined || now - lastAt >= PAUSE_MS
}

let lastAt: number | undefined

/** Short notes: rising for whoever is let in, falling for whoever may let in, level when a time is up. */
const notes = { letIn: [523, 784], asked: [784, 523], timeUp: [659, 659, 659] } as const

export function callAttention(what: keyof typeof notes, text: string): void {
  const now = Date.now()
  if (!isDue(lastAt, now)) return
  lastAt = now
  chime(notes[what]).catch(() => undefined)
  if (!document.hidden) return
  titleUntilSeen(text)
  if (mayNotify() === 'granted') show(text)
}

/** The title of the tab that was replaced by a call; undefined while nobody is called. */
let ownTitle: string | undefined

/** Shows the text as the tab's title until somebody looks; the newest one, if there are several. */
export function titleUntilSeen(
  text: string,
  page: Pick<Document, 'title' | 'hidden' | 'addEventListener' | 'removeEventListener'> = document,
): void {
  const isFirst = ownTitle === undefined
  ownTitle ??= page.title
  page.title = text
  if (!isFirst) return
  const seen = (): void => {
    if (page.hidden) return
    page.title = ownTitle!
    ownTitle = undefined
    page.removeEventListener('visibilitychange', seen)
  }
  page.addEventListener('visibilitychange', seen)
}

export const mayNotify = (): NotificationPermission =>
  'Notification' in globalThis ? Notification.permission : 'denied'

function show(text: string): void {
  try {
    const notification = new Notification(text, { tag: 'anteroom' })
    notification.onclick = () => {
      window.focus()
      notification.close()
    }
  } catch {
    // Chrome on Android shows none without a service worker.
  }
}

async function chime(frequencies: readonly number[]): Promise<void> {
  const context = new AudioContext()
  try {
    const start = context.currentTime
    const last = frequencies.map((frequency, nth) => {
      const [oscillator, gain] = [context.createOscillator(), context.createGain()]
      const from = start + nth * 0.18
      oscillator.frequency.value = frequency
      gain.gain.setValueAtTime(0.15, from)
      gain.gain.exponentialRampToValueAtTime(0.001, from + 0.4)
      oscillator.connect(gain).connect(context.destination)
      oscillator.start(from)
      oscillator.stop(from + 0.4)
      return oscillator
    })
    await new Promise((ended) => (last.at(-1)!.onended = ended))
  } finally {
    await context.close()
  }
}
