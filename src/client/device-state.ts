/**
 * The wish for one of our devices, its state, and the next step towards the wish. Pure: `Devices` takes the steps, one
 * at a time, and reports the outcome. Events in between change the wish and are never lost.
 */
import type { StreamKind } from '../protocol/media.ts'

/** The tracks of one device by the kind as which they are sent; a screen may include its sound. */
export type Tracks<Track> = Partial<Record<StreamKind, Track>>

/** A device to open. `any` takes one that is open or being opened, else the default one. Compared by identity. */
export type Source = { readonly deviceId?: string } | 'any'

export type Step<Track> =
  | { do: 'open'; source: Source }
  /** Makes the server's streams of this device match these tracks; without tracks, closes them. */
  | { do: 'send'; tracks: Tracks<Track> | undefined; letGo: boolean }

export interface DeviceState<Track> {
  wanted: Source | 'off'
  /** What is open, and from which source. Tracks that are not wanted are not kept. */
  held: { source: Source; tracks: Tracks<Track> } | undefined
  /**
   * What the server has. Tracks with `letGo` are already stopped here: their producer must not be reused, so that a
   * stream that was switched off is off for everybody.
   */
  sent: { tracks: Tracks<Track>; letGo: boolean } | undefined
  /** Whether there are transports to send on. */
  line: boolean
  doing: Step<Track> | undefined
}

/** - `turningOff`: this device sends nothing any more, but the others may not know yet */
export type DeviceStatus = 'off' | 'turningOn' | 'on' | 'turningOff'

export function newDevice<Track>(): DeviceState<Track> {
  return { wanted: 'off', held: undefined, sent: undefined, line: false, doing: undefined }
}

/** Returns the next step. None while another is running, and none if the state matches the wish. */
export function nextStep<Track>(state: DeviceState<Track>): Step<Track> | undefined {
  const { wanted, held, sent, line, doing } = state
  if (doing) return undefined
  if (line && sent?.letGo) return { do: 'send', tracks: undefined, letGo: false }
  if (wanted === 'off') return undefined
  if (!held || !satisfies(held.source, wanted)) return { do: 'open', source: wanted }
  if (line && sent?.tracks !== held.tracks) return { do: 'send', tracks: held.tracks, letGo: false }
  return undefined
}

/** The tracks that may stay open; stop all others immediately. */
export function kept<Track>({ held, sent, doing }: DeviceState<Track>): Set<Track> {
  const all: (Tracks<Track> | undefined)[] = [held?.tracks]
  // A track that is being replaced continues until the new one is sent.
  if (sent && !sent.letGo) all.push(sent.tracks)
  if (doing?.do === 'send' && !doing.letGo) all.push(doing.tracks)
  return new Set(all.flatMap((tracks) => Object.values(tracks ?? {})))
}

export function statusOf<Track>({ wanted, held, sent, line, doing }: DeviceState<Track>): DeviceStatus {
  const sending = doing?.do === 'send'
  if (wanted === 'off') return sent || sending ? 'turningOff' : 'off'
  return held && (!line || (sent && !sent.letGo)) ? 'on' : 'turningOn'
}

/** Whether the server has no stream of it, and none is being sent. */
export function isSilent<Track>({ sent, doing }: DeviceState<Track>): boolean {
  return !sent && doing?.do !== 'send'
}

/** Switches it on; a device that is on keeps its source. */
export function wantOn<Track>(state: DeviceState<Track>): DeviceState<Track> {
  return state.wanted === 'off' ? { ...state, wanted: 'any' } : state
}

/** Switches it on from this source; the current source continues until the new one is open. */
export function wantFrom<Track>(state: DeviceState<Track>, source: Source): DeviceState<Track> {
  return { ...state, wanted: source }
}

/** Switches it on with tracks that are already open. */
export function wantTracks<Track>(state: DeviceState<Track>, tracks: Tracks<Track>): DeviceState<Track> {
  const source = {}
  return { ...state, wanted: source, held: { source, tracks } }
}

export function wantOff<Track>(state: DeviceState<Track>): DeviceState<Track> {
  return letGo({ ...state, wanted: 'off' })
}

/** New transports exist, and the server has nothing of ours on them. */
export function lineUp<Track>(state: DeviceState<Track>): DeviceState<Track> {
  return { ...lineDown(state), line: true }
}

/** The transports closed, and the server's streams with them. Open tracks stay open for the next ones. */
export function lineDown<Track>(state: DeviceState<Track>): DeviceState<Track> {
  const doing = state.doing?.do === 'send' ? undefined : state.doing
  return { ...state, line: false, sent: undefined, doing }
}

/** The step `open` succeeded. Tracks that are no longer wanted are not kept. */
export function opened<Track>(state: DeviceState<Track>, tracks: Tracks<Track>): DeviceState<Track> {
  const source = state.doing?.do === 'open' ? state.doing.source : 'any'
  const idle = { ...state, doing: undefined }
  return satisfies(source, state.wanted) ? { ...idle, held: { source, tracks } } : idle
}

/** The step `open` failed. What was on stays on; a newer wish is not affected. */
export function openFailed<Track>(state: DeviceState<Track>): DeviceState<Track> {
  const idle = { ...state, doing: undefined }
  if (!concernsWish(state)) return idle
  return state.held ? { ...idle, wanted: state.held.source } : { ...idle, wanted: 'off' }
}

/** The step `send` succeeded. */
export function sent<Track>(state: DeviceState<Track>): DeviceState<Track> {
  const { doing } = state
  if (doing?.do !== 'send') return state
  const { tracks, letGo: gone } = doing
  return { ...state, doing: undefined, sent: tracks && { tracks, letGo: gone } }
}

/** The server refused the stream: its part of it ends, and the wish too unless it is newer. */
export function refused<Track>(state: DeviceState<Track>): DeviceState<Track> {
  const { doing } = state
  if (doing?.do !== 'send') return state
  const tracks = doing.tracks ?? state.sent?.tracks ?? {}
  const wanted = concernsWish(state) ? 'off' : state.wanted
  return { ...state, wanted, held: undefined, sent: { tracks, letGo: true }, doing: undefined }
}

/** Whether the current step serves the current wish, so that its failure is a failure of the wish. */
export function concernsWish<Track>({ wanted, held, doing }: DeviceState<Track>): boolean {
  if (!doing || wanted === 'off') return false
  if (doing.do === 'open') return satisfies(doing.source, wanted)
  return (
    !doing.letGo &&
    doing.tracks !== undefined &&
    doing.tracks === held?.tracks &&
    satisfies(held.source, wanted)
  )
}

/** The browser ended a track: the device was unplugged, or the person stopped it in the browser's own controls. */
export function ended<Track>(state: DeviceState<Track>, track: Track): DeviceState<Track> {
  const { held, wanted } = state
  const entries = Object.entries(held?.tracks ?? {}) as [StreamKind, Track][]
  if (!held || !entries.some(([, one]) => one === track)) return state
  // A screen continues without its sound.
  const rest = entries.filter(([kind, one]) => one !== track && kind !== 'shareAudio')
  if (rest.length > 0) return { ...state, held: { ...held, tracks: Object.fromEntries(rest) } }
  return satisfies(held.source, wanted) ? wantOff(state) : letGo(state)
}

function letGo<Track>(state: DeviceState<Track>): DeviceState<Track> {
  const { sent: had, doing } = state
  return {
    ...state,
    held: undefined,
    sent: had && { ...had, letGo: true },
    doing: doing?.do === 'send' && doing.tracks ? { ...doing, letGo: true } : doing,
  }
}

function satisfies(source: Source, wanted: Source | 'off'): boolean {
  return wanted !== 'off' && (wanted === 'any' || wanted === source)
}
