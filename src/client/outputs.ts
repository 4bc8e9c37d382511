/**
 * The outputs of the meeting: recordings, broadcasts and transcriptions. Starting and stopping them needs `allow_mod`.
 */
import type { Tell } from './events.ts'
import type { OutputName, OutputState } from './output-state.ts'

type Request = (method: string, data?: object) => Promise<unknown>

const requests: Record<OutputName, { start: string; stop: string }> = {
  recording: { start: 'startRecording', stop: 'stopRecording' },
  livestream: { start: 'startLivestream', stop: 'stopLivestream' },
  hls: { start: 'startHls', stop: 'stopHls' },
  transcription: { start: 'startTranscription', stop: 'stopTranscription' },
}

const none = (): Record<OutputName, OutputState> => ({
  recording: 'stopped',
  livestream: 'stopped',
  hls: 'stopped',
  transcription: 'stopped',
})

export class Outputs {
  readonly #request: Request
  readonly #tell: Tell
  #states = none()
  #playbackUrl: string | undefined

  constructor(request: Request, tell: Tell) {
    this.#request = request
    this.#tell = tell
  }

  state(name: OutputName): OutputState {
    return this.#states[name]
  }

  /** The address of the HLS stream, once it can be played. */
  get playbackUrl(): string | undefined {
    return this.#playbackUrl
  }

  /** Resolves when the server has accepted it; the state tells when it begins. */
  async start(name: OutputName, data: object = {}): Promise<void> {
    await this.#request(requests[name].start, data)
  }

  async stop(name: OutputName): Promise<void> {
    await this.#request(requests[name].stop)
  }

  /** @param status the server's word, e.g. `RECORDING_STARTED` */
  heard(name: OutputName, status: string): void {
    const state = status.split('_').at(-1)!.toLowerCase() as OutputState
    if (this.#states[name] === state) return
    this.#states[name] = state
    if (name === 'hls' && state !== 'started') this.#playbackUrl = undefined
    this.#tell('outputChanged', name, state)
  }

  playable(url: string): void {
    this.#playbackUrl = url
    this.#tell('outputChanged', 'hls', this.#states.hls)
  }

  /** After each join, the server reports all running outputs again. */
  reset(): void {
    this.#states = none()
    this.#playbackUrl = undefined
  }
}
