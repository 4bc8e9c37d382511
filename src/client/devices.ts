/** Our own camera, microphone and screen. */
import { DeviceError, deviceProblem } from './errors.ts'
import type { StreamKind } from '../protocol/media.ts'

export type OwnKind = 'mic' | 'camera' | 'share'

/** What is sent under which kind. */
const kinds: Record<'mic' | 'camera', StreamKind> = { mic: 'audio', camera: 'video' }

export interface DevicesOptions {
  mic: MediaStreamTrack | boolean
  camera: MediaStreamTrack | boolean
  send: (kind: StreamKind, track: MediaStreamTrack) => Promise<void>
  replace: (kind: StreamKind, track: MediaStreamTrack) => Promise<void>
  stop: (kind: StreamKind) => Promise<void>
  onChange: () => void
  onProblem: (error: DeviceError) => void
}

/** Asks the browser for a device. @throws {DeviceError} */
export async function openDevice(device: 'mic' | 'camera', deviceId?: string): Promise<MediaStreamTrack> {
  const chosen = deviceId === undefined ? {} : { deviceId: { exact: deviceId } }
  try {
    const stream = await navigator.mediaDevices.getUserMedia(
      device === 'mic'
        ? { audio: { ...chosen, echoCancellation: true, noiseSuppression: true, autoGainControl: true } }
        : { video: { ...chosen, width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } } },
    )
    return stream.getTracks()[0]!
  } catch (cause) {
    throw new DeviceError(device, deviceProblem(cause instanceof Error ? cause.name : ''), cause)
  }
}

export class Devices {
  readonly #options: DevicesOptions
  #mic: MediaStreamTrack | undefined
  #camera: MediaStreamTrack | undefined
  #share: MediaStreamTrack | undefined
  #shareAudio: MediaStreamTrack | undefined
  readonly #initial: { mic: MediaStreamTrack | boolean; camera: MediaStreamTrack | boolean }
  #began = false

  constructor(options: DevicesOptions) {
    this.#options = options
    this.#initial = { mic: options.mic, camera: options.camera }
  }

  /** The track that is sent; undefined while muted. */
  get mic(): MediaStreamTrack | undefined {
    return this.#mic
  }
  get camera(): MediaStreamTrack | undefined {
    return this.#camera
  }
  get share(): MediaStreamTrack | undefined {
    return this.#share
  }

  enableMic(track?: MediaStreamTrack): Promise<void> {
    return this.#enable('mic', track)
  }
  disableMic(): Promise<void> {
    return this.#disable('mic')
  }
  enableCamera(track?: MediaStreamTrack): Promise<void> {
    return this.#enable('camera', track)
  }
  disableCamera(): Promise<void> {
    return this.#disable('camera')
  }

  /** Another microphone, also while it is sent. @throws {DeviceError} */
  async switchMic(deviceId: string): Promise<void> {
    await this.#switch('mic', deviceId)
  }
  async switchCamera(deviceId: string): Promise<void> {
    await this.#switch('camera', deviceId)
  }

  /** The browser asks the person what to share. @throws {DeviceError} when it is refused */
  async startShare(): Promise<void> {
    let stream: MediaStream
    try {
      stream = await navigator.mediaDevices.getDisplayMedia({ video: { frameRate: 30 }, audio: true })
    } catch (cause) {
      throw new DeviceError('screen', deviceProblem(cause instanceof Error ? cause.name : ''), cause)
    }
    this.#share = stream.getVideoTracks()[0]
    this.#shareAudio = stream.getAudioTracks()[0]
    this.#share?.addEventListener('ended', () => void this.stopShare())
    await this.#sendShare()
    this.#options.onChange()
  }

  async stopShare(): Promise<void> {
    const tracks = [this.#share, this.#shareAudio]
    this.#share = undefined
    this.#shareAudio = undefined
    for (const track of tracks) track?.stop()
    await Promise.all([this.#options.stop('share'), this.#options.stop('shareAudio')])
    this.#options.onChange()
  }

  list(): Promise<MediaDeviceInfo[]> {
    return navigator.mediaDevices.enumerateDevices()
  }

  /** Sends what is on: at the first join what was asked for, later what was on when the connection was lost. */
  async resume(): Promise<void> {
    const wanted = (['mic', 'camera'] as const).map(async (device) => {
      const track = device === 'mic' ? this.#mic : this.#camera
      if (track) {
        await this.#options.send(kinds[device], track)
        return
      }
      const asked = this.#initial[device]
      if (this.#began || asked === false) return
      await this.#enable(device, asked === true ? undefined : asked).catch((error: unknown) => {
        if (error instanceof DeviceError) this.#options.onProblem(error)
        else throw error
      })
    })
    await Promise.all([...wanted, this.#sendShare()])
    this.#began = true
  }

  /** Lets go of all devices. */
  close(): void {
    for (const track of [this.#mic, this.#camera, this.#share, this.#shareAudio]) track?.stop()
    this.#mic = this.#camera = this.#share = this.#shareAudio = undefined
  }

  async #sendShare(): Promise<void> {
    if (this.#share?.readyState === 'live') await this.#options.send('share', this.#share)
    if (this.#shareAudio?.readyState === 'live') await this.#options.send('shareAudio', this.#shareAudio)
  }

  async #enable(device: 'mic' | 'camera', given?: MediaStreamTrack): Promise<void> {
    const track = given ?? (await openDevice(device))
    this.#set(device, track)
    track.addEventListener('ended', () => {
      if ((device === 'mic' ? this.#mic : this.#camera) === track) void this.#disable(device)
    })
    try {
      await this.#options.send(kinds[device], track)
    } catch (error) {
      this.#set(device, undefined)
      track.stop()
      this.#options.onChange()
      throw error
    }
    this.#options.onChange()
  }

  async #disable(device: 'mic' | 'camera'): Promise<void> {
    const track = device === 'mic' ? this.#mic : this.#camera
    this.#set(device, undefined)
    track?.stop()
    await this.#options.stop(kinds[device])
    this.#options.onChange()
  }

  async #switch(device: 'mic' | 'camera', deviceId: string): Promise<void> {
    const before = device === 'mic' ? this.#mic : this.#camera
    const track = await openDevice(device, deviceId)
    if (!before) {
      await this.#enable(device, track)
      return
    }
    this.#set(device, track)
    await this.#options.replace(kinds[device], track)
    before.stop()
    this.#options.onChange()
  }

  #set(device: 'mic' | 'camera', track: MediaStreamTrack | undefined): void {
    if (device === 'mic') this.#mic = track
    else this.#camera = track
  }
}
