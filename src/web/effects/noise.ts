/** A microphone without the noise around the person, by RNNoise in an audio worklet. */
import { loadRnnoise, RnnoiseWorkletNode } from '@sapphi-red/web-noise-suppressor'
import plainUrl from '@sapphi-red/web-noise-suppressor/rnnoise.wasm?url'
import simdUrl from '@sapphi-red/web-noise-suppressor/rnnoise_simd.wasm?url'
import workletUrl from '@sapphi-red/web-noise-suppressor/rnnoiseWorklet.js?url'
import { deriveTrack } from './derived-track.ts'
import { SoundPace } from './pace.ts'

/** The sample rate on which the model was trained. */
const RATE = 48_000
const LOOK_MS = 1000
const GESTURES = ['pointerdown', 'keydown'] as const

export function canReduceNoise(): boolean {
  return typeof AudioWorkletNode === 'function' && typeof WebAssembly === 'object'
}

/**
 * Opens a microphone's track without noise.
 * @param onSlow called once if this device is too slow
 * @throws if the browser does not support it
 */
export async function withoutNoise(source: MediaStreamTrack, onSlow: () => void): Promise<MediaStreamTrack> {
  const context = new AudioContext({ sampleRate: RATE, latencyHint: 'interactive' })
  try {
    const [wasmBinary] = await Promise.all([
      loadRnnoise({ url: plainUrl, simdUrl }),
      context.audioWorklet.addModule(workletUrl),
    ])
    const node = new RnnoiseWorkletNode(context, { wasmBinary, maxChannels: 1 })
    const out = new MediaStreamAudioDestinationNode(context, { channelCount: 1 })
    context
      .createMediaStreamSource(new MediaStream([source]))
      .connect(node)
      .connect(out)
    const stopWatching = watch(context, onSlow)
    const end = (): void => {
      stopWatching()
      node.destroy()
      void context.close()
    }
    return deriveTrack(out.stream.getAudioTracks()[0]!, source, { end })
  } catch (error) {
    void context.close()
    throw error
  }
}

/** Keeps the audio context running, and measures whether it keeps up. Returns a function that stops it. */
function watch(context: AudioContext, onSlow: () => void): () => void {
  const pace = new SoundPace()
  // Browsers start an audio context only after the person acted on the page.
  const resume = (): void => void context.resume().catch(() => undefined)
  for (const gesture of GESTURES) document.addEventListener(gesture, resume)
  const timer = setInterval(() => {
    if (context.state !== 'running') return pace.reset()
    if (!pace.add(context.currentTime * 1000, performance.now())) return
    clearInterval(timer)
    onSlow()
  }, LOOK_MS)
  return () => {
    clearInterval(timer)
    for (const gesture of GESTURES) document.removeEventListener(gesture, resume)
  }
}
