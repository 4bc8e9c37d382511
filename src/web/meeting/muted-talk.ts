/**
 * Tells people that they talk while their microphone is off. Muting releases the microphone, so it is opened once more,
 * for this alone: what it hears is measured on this computer and goes nowhere. It is opened only after the person had
 * it on in this meeting, and only where the browser need not ask.
 */
import { openDevice, type Meeting } from '../../client/client.ts'
import { isSpeech, LOOK_MS, loudnessOf, withLevel } from './speech-rules.ts'
import type { ViewSettings } from './view-settings.ts'

/** After a hint, speech is no news for half a minute. */
const QUIET_MS = 30_000

/** Measures a microphone until it is stopped, and calls back when it hears speech. */
interface Ear {
  stop(): void
}

/** Returns a function that stops it. */
export function hearMutedTalk(
  meeting: Pick<Meeting, 'devices' | 'on'>,
  settings: ViewSettings,
  tell: () => void,
  listen: (deviceId: string | undefined, onSpeech: () => void) => Ear = listenTo,
): () => void {
  const { devices } = meeting
  let wasOn = false
  let deviceId: string | undefined
  let ear: Ear | undefined
  const look = (): void => {
    if (devices.mic) {
      wasOn = true
      deviceId = devices.mic.getSettings().deviceId
    }
    const wanted = wasOn && devices.status('mic') === 'off' && settings.get().mutedHint
    if (wanted) ear ??= listen(deviceId, tell)
    else {
      ear?.stop()
      ear = undefined
    }
  }
  look()
  const stops = [meeting.on('devicesChanged', look), settings.subscribe(look)]
  return () => {
    stops.forEach((stop) => stop())
    ear?.stop()
  }
}

function listenTo(deviceId: string | undefined, onSpeech: () => void): Ear {
  const ending = new AbortController()
  const isOver = (): boolean => ending.signal.aborted
  let close = (): void => undefined
  const open = async (): Promise<void> => {
    const { state } = await navigator.permissions.query({ name: 'microphone' })
    if (state !== 'granted' || isOver()) return
    const track = await openDevice('mic', undefined, deviceId)
    const context = new AudioContext()
    const analyser = context.createAnalyser()
    context.createMediaStreamSource(new MediaStream([track])).connect(analyser)
    const samples = new Float32Array(analyser.fftSize)
    let levels: number[] = []
    let toldAt = -QUIET_MS
    const timer = setInterval(() => {
      analyser.getFloatTimeDomainData(samples)
      levels = withLevel(levels, loudnessOf(samples))
      if (!isSpeech(levels) || performance.now() - toldAt < QUIET_MS) return
      toldAt = performance.now()
      onSpeech()
    }, LOOK_MS)
    close = () => {
      clearInterval(timer)
      track.stop()
      void context.close()
    }
    if (isOver()) close()
  }
  // A browser that cannot be asked about permissions, or a microphone that is gone: there is no hint.
  open().catch(() => undefined)
  return {
    stop: () => {
      ending.abort()
      close()
    },
  }
}
