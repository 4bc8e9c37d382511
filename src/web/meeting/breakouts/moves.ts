/** Goes from the meeting to a breakout room and back, with the camera and the microphone as they are. */
import type {
  BreakoutPass,
  BreakoutSwitch,
  LeftReason,
  Meeting,
  SwitchRequest,
} from '../../../client/client.ts'
import { connect } from '../../../client/client.ts'
import { serverUrl, type Pass } from '../../api.ts'
import { processTrack } from '../../effects/process.ts'
import type { Subscribe, View } from '../view.ts'

/** How long people who are called back may end their sentence. */
const RECALL_MS = 10_000
const ROOM_CLOSED = 1006

/** A breakout room that we are in. */
export interface Room {
  name: string
  /** When everybody is called back, in ms of `performance.now()`; null: no end is set. */
  endsAt: number | null
  /** When we go back by ourselves, in ms of `performance.now()`; undefined: nobody called us. */
  recalledAt: number | undefined
}

/** Where we are. */
export interface Place {
  meeting: Meeting
  token: string
  /** Undefined: in the meeting itself. */
  room: Room | undefined
  isMoving: boolean
}

export interface MovesOptions {
  /** The way into the meeting itself. */
  pass: Pass
  meeting: Meeting
  /** Called with undefined on the way. */
  onMove: (meeting: Meeting | undefined) => void
  onLeft: (reason: LeftReason) => void
}

type Devices = Pick<Meeting['devices'], never> & {
  mic: MediaStreamTrack | boolean
  camera: MediaStreamTrack | boolean
}

export class Moves implements View<Place> {
  readonly #options: MovesOptions
  readonly #listeners = new Set<() => void>()
  #place: Place
  #stops: (() => void)[] = []
  #recall: ReturnType<typeof setTimeout> | undefined

  constructor(options: MovesOptions) {
    this.#options = options
    this.#place = { meeting: options.meeting, token: options.pass.token, room: undefined, isMoving: false }
  }

  readonly get = (): Place => this.#place

  readonly subscribe: Subscribe = (onChange) => {
    this.#listeners.add(onChange)
    return () => this.#listeners.delete(onChange)
  }

  /** Follows calls to a room, and back. Returns a function that stops it. */
  listen(): () => void {
    this.#follow()
    return () => this.#unfollow()
  }

  /** Goes to a room. */
  async enter({ roomId, token, name, leftMs }: BreakoutPass): Promise<void> {
    const room = { name, endsAt: leftMs === null ? null : performance.now() + leftMs, recalledAt: undefined }
    await this.#go({ ...this.#options.pass, meetingId: roomId, token }, room)
  }

  /** Goes back to the meeting itself. */
  async back(): Promise<void> {
    if (this.#place.room && !this.#place.isMoving) await this.#go(this.#options.pass, undefined)
  }

  #follow(): void {
    const { meeting, room } = this.#place
    this.#unfollow()
    let last = { mic: false, camera: false }
    const remember = (): void => {
      const { devices } = meeting
      if (meeting.state !== 'left') last = { mic: !!devices.mic, camera: !!devices.camera }
    }
    this.#stops = [
      meeting.on('switchRequested', (to) => this.#called(to)),
      meeting.on('devicesChanged', remember),
    ]
    // The page itself follows the meeting that it opened, as long as we are there.
    if (meeting !== this.#options.meeting)
      this.#stops.push(
        meeting.on('left', (reason) => {
          if (room && reason.code === ROOM_CLOSED) void this.#go(this.#options.pass, undefined, last)
          else this.#options.onLeft(reason)
        }),
      )
  }

  #unfollow(): void {
    clearTimeout(this.#recall)
    for (const stop of this.#stops) stop()
    this.#stops = []
  }

  #called({ meetingId, token, payload }: SwitchRequest): void {
    const { breakout } = (payload ?? {}) as Partial<BreakoutSwitch>
    if (!breakout || this.#place.isMoving) return
    const { name, leftMs } = breakout
    if (token !== undefined && name !== undefined) {
      void this.enter({ roomId: meetingId, token, name, leftMs })
      return
    }
    const { room } = this.#place
    if (!room || meetingId !== this.#options.pass.meetingId) return
    this.#set({ ...this.#place, room: { ...room, recalledAt: performance.now() + RECALL_MS } })
    clearTimeout(this.#recall)
    this.#recall = setTimeout(() => void this.back(), RECALL_MS)
  }

  async #go(to: Pass, room: Room | undefined, opened?: Devices): Promise<void> {
    const { pass, onMove, onLeft } = this.#options
    const from = this.#place.meeting
    this.#unfollow()
    this.#set({ ...this.#place, isMoving: true })
    const { mic = false, camera = false } = opened ?? from.devices.handOver()
    onMove(undefined)
    await from.leave()
    const enter = (at: Pass, devices: Devices): Promise<Meeting> =>
      connect({
        url: serverUrl,
        token: at.token,
        meetingId: at.meetingId,
        name: from.self.name,
        participantId: from.self.id,
        ...devices,
        processTrack,
        ...(at.key !== undefined && { encryption: { key: at.key } }),
      })
    const arrive = (meeting: Meeting, at: Pass, where: Room | undefined): void => {
      onMove(meeting)
      this.#set({ meeting, token: at.token, room: where, isMoving: false })
      this.#follow()
    }
    try {
      arrive(await enter(to, { mic, camera }), to, room)
    } catch (error) {
      console.error(error)
      try {
        // The room has just been closed, perhaps. The tracks ended with the attempt.
        arrive(await enter(pass, { mic: mic !== false, camera: camera !== false }), pass, undefined)
      } catch (again) {
        onLeft({ code: 1104, message: 'SWITCH_ROOM_FAILED', error: again as LeftReason['error'] })
      }
    }
  }

  #set(place: Place): void {
    this.#place = place
    for (const listener of [...this.#listeners]) listener()
  }
}
