/** Our own client without a browser: everything except WebRTC, which mediasoup-client's own fake replaces. */
import { Device } from 'mediasoup-client'
import * as fakeParameters from 'mediasoup-client/fakeParameters'
import { FakeHandler } from 'mediasoup-client/handlers/FakeHandler'
import { DeviceError } from '../../src/client/errors.ts'
import type { MeetingOptions } from '../../src/client/events.ts'
import { Meeting } from '../../src/client/meeting.ts'
import type { OwnKind } from '../../src/client/devices.ts'
import { fakeTrack, type FakeTrack } from './fake-track.ts'

// The client listens for a network that returns; here the network is never lost.
Object.assign(globalThis, { addEventListener: () => undefined, removeEventListener: () => undefined })

export interface OwnClientOptions extends Partial<MeetingOptions> {
  url: string
  token: string
  meetingId: string
  participantId: string
  /** How long it takes to open a device. */
  openingMs?: () => number
  /** Whether the device cannot be opened. */
  fails?: () => boolean
}

export class OwnClient {
  readonly meeting: Meeting
  /** Every track that was opened. */
  readonly tracks: (MediaStreamTrack & FakeTrack)[] = []

  constructor({ openingMs = () => 0, fails = () => false, ...options }: OwnClientOptions) {
    const track = (kind: 'audio' | 'video'): MediaStreamTrack & FakeTrack => {
      const made = fakeTrack(kind)
      this.tracks.push(made)
      return made
    }
    this.meeting = new Meeting({
      path: '/socket.io',
      name: options.participantId,
      mic: true,
      camera: true,
      metaData: {},
      iceServers: [],
      timings: { start: 0 },
      newDevice: () => new Device({ handlerFactory: FakeHandler.createFactory(fakeParameters) }),
      openDevice: async (device: OwnKind) => {
        await new Promise((done) => setTimeout(done, openingMs()))
        if (fails()) throw new DeviceError(device === 'share' ? 'screen' : device, 'busy', undefined)
        if (device === 'mic') return { audio: track('audio') }
        if (device === 'camera') return { video: track('video') }
        return { share: track('video'), shareAudio: track('audio') }
      },
      ...options,
    })
  }

  /** Waits until this is true; checks after each event of the meeting, and regularly. */
  async until(holds: () => boolean, what: string, patienceMs = 20_000): Promise<void> {
    const giveUpAt = Date.now() + patienceMs
    while (!holds()) {
      if (Date.now() > giveUpAt) throw new Error(`${this.meeting.self.id} never: ${what}`)
      await new Promise((next) => setTimeout(next, 5))
    }
  }

  async joined(): Promise<this> {
    await this.until(() => this.meeting.state === 'joined', 'joined')
    return this
  }

  get open(): MediaStreamTrack[] {
    return this.tracks.filter(({ readyState }) => readyState === 'live')
  }
}
