/**
 * Devices of a page that open as slowly as real ones, and a screen without a picker: a moving canvas and a tone. Opened
 * tracks are recorded, so that a test finds those that were never released.
 */
import type { BrowserContext, Page } from 'playwright-core'

const script = (delayMs: number): string => `(() => {
  const devices = navigator.mediaDevices
  if (!devices) return
  try {
    // Muting must release the microphone altogether, so that a track left open is a fault.
    localStorage.setItem('anteroom:view', '{"mutedHint":false}')
  } catch {
    // A page without an address has no storage.
  }
  const wait = () => new Promise((done) => setTimeout(done, globalThis.deviceDelayMs))
  globalThis.deviceDelayMs = ${delayMs}
  globalThis.openedTracks = []
  const keep = (stream) => {
    globalThis.openedTracks.push(...stream.getTracks())
    return stream
  }
  const open = devices.getUserMedia.bind(devices)
  devices.getUserMedia = async (asked) => {
    await wait()
    return keep(await open(asked))
  }
  devices.getDisplayMedia = async () => {
    await wait()
    const canvas = document.createElement('canvas')
    canvas.width = 160
    canvas.height = 120
    const pen = canvas.getContext('2d')
    let hue = 0
    const timer = setInterval(() => {
      pen.fillStyle = 'hsl(' + (hue += 20) + ' 80% 50%)'
      pen.fillRect(0, 0, 160, 120)
    }, 100)
    const stream = canvas.captureStream(10)
    const sound = (globalThis.shareSound ??= new AudioContext())
    const tone = sound.createOscillator()
    const out = sound.createMediaStreamDestination()
    tone.connect(out)
    tone.start()
    stream.addTrack(out.stream.getAudioTracks()[0])
    const look = setInterval(() => {
      if (stream.getTracks().some((track) => track.readyState === 'live')) return
      clearInterval(look)
      clearInterval(timer)
      tone.stop()
    }, 500)
    return keep(stream)
  }
})()`

/** Call it before the context opens its first page. */
export async function slowDevices(context: BrowserContext, delayMs: number): Promise<void> {
  await context.addInitScript(script(delayMs))
}

/** The kinds of the tracks that the page opened and did not release. */
export function openTracks(page: Page): Promise<string[]> {
  return page.evaluate(
    `openedTracks.filter(({ readyState }) => readyState === 'live').map(({ kind }) => kind).sort()`,
  )
}
