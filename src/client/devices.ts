/** Our own camera, microphone and screen: the wish for each, and its fulfilment (`device-state.ts`). */
import type { StreamKind } from '../protocol/media.ts'
import {
  concernsWish,
  ended,
  isSilent,
  kept,
  lineDown,
  lineUp,
  newDevice,
  nextStep,
  opened,
  openFailed,
  refused,
  sent,
  statusOf,
  wantFrom,
  wantOff,
  wantOn,
  wantTracks,
  type DeviceState,
  type DeviceStatus,
  type Step,
} from './device-state.ts'
import type { DeviceError, MeetingError } from './errors.ts'
import { askBrowser, processed, type OpenTracks, type OwnKind, type ProcessTrack } from './open-device.ts'

export { openDevice } from './open-device.ts'
export type { DeviceStatus, OwnKind }

type State = DeviceState<MediaStreamTrack>

/** The kinds of stream as which each device is sent. */
const streamKinds: Record<OwnKind, readonly StreamKind[]> = {
  mic: ['audio'],
  camera: ['video'],
  share: ['share', 'shareAudio'],
}

/** The connection over which tracks are sent. */
export interface Line {
  /**
   * Makes the streams of these kinds match these tracks. Resolves with whether it succeeded: if not, the connection is
   * lost and another follows.
   * @throws {MeetingError} the server's refusal
   */
  carry(kinds: readonly StreamKind[], tracks: OpenTracks): Promise<boolean>
}

export interface DevicesOptions {
  mic: MediaStreamTrack | boolean
  camera: MediaStreamTrack | boolean
  /** Default: asks the browser. */
  open?: (device: OwnKind, deviceId?: string, preferredId?: string) => Promise<OpenTracks>
  /**
   * Makes the track that is shown and sent from that of an opened camera or microphone, for example one with another
   * background. Stopping the made one must stop the other; if it throws, the device counts as not opened.
   */
  processTrack?: ProcessTrack
  onChange: () => void
  /** Called if something failed that nobody waits for. */
  onProblem: (error: DeviceError | MeetingError) => void
}

/**
 * Each call sets the wish from now on; the latest counts, whatever is still under way. A promise resolves when its wish
 * is fulfilled, or when a later call or the end of the meeting replaced it.
 */
export class Devices {
  readonly #mic: OwnDevice
  readonly #camera: OwnDevice
  readonly #share: OwnDevice

  constructor(options: DevicesOptions) {
    this.#mic = new OwnDevice('mic', options.mic, options)
    this.#camera = new OwnDevice('camera', options.camera, options)
    this.#share = new OwnDevice('share', false, options)
  }

  /** The open track; undefined while it is off. */
  get mic(): MediaStreamTrack | undefined {
    return this.#mic.tracks.audio
  }
  get camera(): MediaStreamTrack | undefined {
    return this.#camera.tracks.video
  }
  get share(): MediaStreamTrack | undefined {
    return this.#share.tracks.share
  }

  /** The wish for a device, and whether it is fulfilled. */
  status(device: OwnKind): DeviceStatus {
    return this.#of(device).status
  }

  /** @throws {DeviceError | MeetingError} if the device cannot be opened or the server refuses the stream */
  enableMic(track?: MediaStreamTrack): Promise<void> {
    return this.#mic.turnOn(track && { audio: track })
  }
  disableMic(): Promise<void> {
    return this.#mic.turnOff()
  }
  enableCamera(track?: MediaStreamTrack): Promise<void> {
    return this.#camera.turnOn(track && { video: track })
  }
  disableCamera(): Promise<void> {
    return this.#camera.turnOff()
  }

  /**
   * Changes the microphone, also while it is on.
   * @throws {DeviceError} if it cannot be opened; the current one continues
   */
  switchMic(deviceId: string): Promise<void> {
    return this.#mic.turnOnFrom(deviceId)
  }
  switchCamera(deviceId: string): Promise<void> {
    return this.#camera.turnOnFrom(deviceId)
  }

  /** From now on this one is opened where it is plugged in and no other is asked for. What is on stays as it is. */
  prefer(device: 'mic' | 'camera', deviceId: string | undefined): void {
    this.#of(device).preferredId = deviceId
  }

  /** Lets the browser ask what to share. @throws {DeviceError} if the person or the browser refuses */
  startShare(): Promise<void> {
    return this.#share.turnOn()
  }
  stopShare(): Promise<void> {
    return this.#share.turnOff()
  }

  list(): Promise<MediaDeviceInfo[]> {
    return navigator.mediaDevices.enumerateDevices()
  }

  /** Sends over this connection: the first time what was wanted at the start, later what was on. */
  attach(line: Line): void {
    for (const device of this.#all) device.attach(line)
  }

  /** The connection is lost. Open tracks stay open for the next. */
  detach(): void {
    for (const device of this.#all) device.detach()
  }

  /** The kinds of which the server is known to have a stream. */
  get sent(): Set<StreamKind> {
    return new Set(this.#all.flatMap((device) => device.sent))
  }

  /** Resolves when no change is under way. */
  async settled(): Promise<void> {
    await Promise.all(this.#all.map((device) => device.settled()))
  }

  /** Releases all devices for good, including those that are being opened. */
  close(): void {
    for (const device of this.#all) device.close()
  }

  /** The same, but open tracks stay open and belong to the caller. */
  handOver(): { mic: MediaStreamTrack | undefined; camera: MediaStreamTrack | undefined } {
    const { mic, camera } = this
    for (const device of this.#all) device.handOver()
    return { mic, camera }
  }

  get #all(): OwnDevice[] {
    return [this.#mic, this.#camera, this.#share]
  }

  #of(device: OwnKind): OwnDevice {
    return { mic: this.#mic, camera: this.#camera, share: this.#share }[device]
  }
}

interface Waiter {
  /** `on` and `settled` wait until no change is under way, `off` until the server has no stream. */
  for: 'on' | 'off' | 'settled'
  resolve: () => void
  reject: (error: unknown) => void
}

/** Runs the steps of one device. */
class OwnDevice {
  readonly #device: OwnKind
  readonly #options: DevicesOptions
  #state: State = newDevice()
  #line: Line | undefined
  /** Whether it is switched on with the first connection, unless a call says otherwise before. */
  #onAtFirst: boolean
  #closed = false
  preferredId: string | undefined
  /** Every track that was opened for it and not stopped. */
  readonly #open = new Map<MediaStreamTrack, () => void>()
  #waiters: Waiter[] = []

  constructor(device: OwnKind, first: MediaStreamTrack | boolean, options: DevicesOptions) {
    this.#device = device
    this.#options = options
    this.#onAtFirst = first === true
    if (typeof first !== 'boolean') {
      const [kind] = streamKinds[device]
      this.#state = wantTracks(this.#state, { [kind!]: first })
      this.#watch({ [kind!]: first })
    }
  }

  get tracks(): OpenTracks {
    return this.#state.held?.tracks ?? {}
  }

  get status(): DeviceStatus {
    return statusOf(this.#state)
  }

  get sent(): StreamKind[] {
    return Object.keys(this.#state.sent?.tracks ?? {}) as StreamKind[]
  }

  turnOn(tracks?: OpenTracks): Promise<void> {
    if (!tracks) return this.#want('on', wantOn)
    if (this.#closed) for (const track of Object.values(tracks)) track.stop()
    else this.#watch(tracks)
    return this.#want('on', (state) => wantTracks(state, tracks))
  }

  turnOnFrom(deviceId: string): Promise<void> {
    return this.#want('on', (state) => wantFrom(state, { deviceId }))
  }

  turnOff(): Promise<void> {
    return this.#want('off', wantOff)
  }

  settled(): Promise<void> {
    return this.#wait('settled', () => this.#settle())
  }

  attach(line: Line): void {
    if (this.#closed) return
    this.#line = line
    const onNow = this.#onAtFirst
    this.#onAtFirst = false
    this.#go((state) => (onNow ? wantOn(lineUp(state)) : lineUp(state)))
  }

  detach(): void {
    this.#line = undefined
    this.#go(lineDown)
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#line = undefined
    this.#go((state) => wantOff(lineDown(state)))
  }

  handOver(): void {
    for (const track of Object.values(this.tracks)) this.#unwatch(track)
    this.close()
  }

  #want(what: 'on' | 'off', change: (state: State) => State): Promise<void> {
    this.#onAtFirst = false
    if (this.#closed) return this.settled()
    return this.#wait(what, () => this.#go(change))
  }

  #wait(what: Waiter['for'], act: () => void): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiters.push({ for: what, resolve, reject })
      act()
    })
  }

  /**
   * The only place that changes the state: stops tracks that are not kept, resolves waiting calls, runs the next step.
   */
  #go(change: (state: State) => State): void {
    const before = this.#state
    this.#state = change(before)
    const keep = kept(this.#state)
    for (const track of [...this.#open.keys()]) {
      if (keep.has(track)) continue
      this.#unwatch(track)
      track.stop()
    }
    // Before the next step, so that callers who wait for silence are told while there is silence.
    if (isSilent(this.#state)) this.#answer('off')
    const step = nextStep(this.#state)
    if (step) {
      this.#state = { ...this.#state, doing: step }
      this.#take(step)
    }
    this.#settle()
    if (statusOf(before) !== this.status || before.held !== this.#state.held) this.#options.onChange()
  }

  #take(step: Step<MediaStreamTrack>): void {
    if (step.do === 'open') {
      const deviceId = step.source === 'any' ? undefined : step.source.deviceId
      const { open = askBrowser, processTrack } = this.#options
      const opening = open(this.#device, deviceId, this.preferredId)
      const ready = processTrack ? opening.then((tracks) => processed(tracks, processTrack)) : opening
      ready.then(
        (tracks) => {
          this.#watch(tracks)
          this.#go((state) => opened(state, tracks))
        },
        (error: unknown) => this.#fail(openFailed, error),
      )
      return
    }
    const line = this.#line!
    line.carry(streamKinds[this.#device], step.tracks ?? {}).then(
      (done) => {
        if (line !== this.#line) return
        if (!done) this.detach()
        else this.#go(sent)
      },
      (error: unknown) => {
        if (line === this.#line) this.#fail(refused, error)
      },
    )
  }

  #fail(change: (state: State) => State, error: unknown): void {
    const concerned = concernsWish(this.#state)
    const waiting = concerned ? this.#waiters.filter((waiter) => waiter.for === 'on') : []
    this.#waiters = this.#waiters.filter((waiter) => !waiting.includes(waiter))
    this.#go(change)
    for (const { reject } of waiting) reject(error)
    if (concerned && waiting.length === 0) this.#options.onProblem(error as DeviceError | MeetingError)
  }

  #settle(): void {
    if (!this.#state.doing) this.#answer('on', 'off', 'settled')
  }

  #answer(...what: Waiter['for'][]): void {
    const answered = this.#waiters.filter((waiter) => what.includes(waiter.for))
    if (answered.length === 0) return
    this.#waiters = this.#waiters.filter((waiter) => !answered.includes(waiter))
    for (const { resolve } of answered) resolve()
  }

  #watch(tracks: OpenTracks): void {
    for (const track of Object.values(tracks)) {
      if (this.#open.has(track)) continue
      const hear = (): void => this.#go((state) => ended(state, track))
      track.addEventListener('ended', hear)
      this.#open.set(track, () => track.removeEventListener('ended', hear))
    }
  }

  #unwatch(track: MediaStreamTrack): void {
    this.#open.get(track)?.()
    this.#open.delete(track)
  }
}
