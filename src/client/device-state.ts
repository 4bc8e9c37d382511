/**
 * What one own device is to be, what it is, and the one step that brings it nearer. Pure: `Devices` takes the steps, one
 * at a time, and reports how each ended; whatever happens in between changes what is wanted, and is never lost.
 */
import type { StreamKind } from '../protocol/media.ts'

/** The tracks of one device by the kind they are sent as; a screen may come with its sound. */
export type Tracks<Track> = Partial<Record<StreamKind, Track>>

/** A device to open. `any` takes what is open or being opened, else the default one. Compared by identity. */
export type Source = { readonly deviceId?: string } | 'any'

export type Step<Track> =
  | { do: 'open'; source: Source }
  /** Brings what the server has of this device to these tracks; without tracks, to nothing. */
  | { do: 'send'; tracks: Tracks<Track> | undefined; letGo: boolean }

export interface DeviceState<Track> {
  wanted: Source | 'off'
  /** What is open, and from where. Nothing is held that is not wanted. */
  held: { source: Source; tracks: Tracks<Track> } | undefined
  /**
   * What the server has. Tracks that were let go of are ended here: nothing may follow under their producer, so that what
   * was switched off was off for everybody.
   */
  sent: { tracks: Tracks<Track>; letGo: boolean } | undefined
  /** Whether there are transports to send on. */
  line: boolean
  doing: Step<Track> | undefined
}

/** - `turningOff`: nothing leaves this device any more, but the others may not know yet */
export type DeviceStatus = 'off' | 'turningOn' | 'on' | 'turningOff'

export function newDevice<Track>(): DeviceState<Track> {
  return { wanted: 'off', held: undefined, sent: undefined, line: false, doing: undefined }
}

/** The step to take now. None while another is being taken, and none where all is as wanted. */
export function nextStep<Track>(state: DeviceState<Track>): Step<Track> | undefined {
  const { wanted, held, sent, line, doing } = state
  if (doing) return undefined
  if (line && sent?.letGo) return { do: 'send', tracks: undefined, letGo: false }
  if (wanted === 'off') return undefined
  if (!held || !satisfies(held.source, wanted)) return { do: 'open', source: wanted }
  if (line && sent?.tracks !== held.tracks) return { do: 'send', tracks: held.tracks, letGo: false }
  return undefined
}

/** The tracks that may stay open; all others are to be stopped at once. */
export function kept<Track>({ held, sent, doing }: DeviceState<Track>): Set<Track> {
  const all: (Tracks<Track> | undefined)[] = [held?.tracks]
  // What is being replaced plays until the other is there.
  if (sent && !sent.letGo) all.push(sent.tracks)
  if (doing?.do === 'send' && !doing.letGo) all.push(doing.tracks)
  return new Set(all.flatMap((tracks) => Object.values(tracks ?? {})))
}

export function statusOf<Track>({ wanted, held, sent, line, doing }: DeviceState<Track>): DeviceStatus {
  const sending = doing?.do === 'send'
  if (wanted === 'off') return sent || sending ? 'turningOff' : 'off'
  return held && (!line || (sent && !sent.letGo)) ? 'on' : 'turningOn'
}

/** Whether the server has nothing of it, and nothing is on its way there. */
export function isSilent<Track>({ sent, doing }: DeviceState<Track>): boolean {
  return !sent && doing?.do !== 'send'
}

/** What is on stays as it is, from wherever it comes. */
export function wantOn<Track>(state: DeviceState<Track>): DeviceState<Track> {
  return state.wanted === 'off' ? { ...state, wanted: 'any' } : state
}

/** On from this source; what is on from another goes on until this one is open. */
export function wantFrom<Track>(state: DeviceState<Track>, source: Source): DeviceState<Track> {
  return { ...state, wanted: source }
}

/** On with tracks that are open already. */
export function wantTracks<Track>(state: DeviceState<Track>, tracks: Tracks<Track>): DeviceState<Track> {
  const source = {}
  return { ...state, wanted: source, held: { source, tracks } }
}

export function wantOff<Track>(state: DeviceState<Track>): DeviceState<Track> {
  return letGo({ ...state, wanted: 'off' })
}

/** Transports are there, and the server has nothing of ours on them. */
export function lineUp<Track>(state: DeviceState<Track>): DeviceState<Track> {
  return { ...lineDown(state), line: true }
}

/** They are gone, and with them all that the server had. What is open stays open for the next. */
export function lineDown<Track>(state: DeviceState<Track>): DeviceState<Track> {
  const doing = state.doing?.do === 'send' ? undefined : state.doing
  return { ...state, line: false, sent: undefined, doing }
}

/** The step `open` succeeded. What is no longer wanted is not kept. */
export function opened<Track>(state: DeviceState<Track>, tracks: Tracks<Track>): DeviceState<Track> {
  const source = state.doing?.do === 'open' ? state.doing.source : 'any'
  const idle = { ...state, doing: undefined }
  return satisfies(source, state.wanted) ? { ...idle, held: { source, tracks } } : idle
}

/** The step `open` failed. What was on before stays on; a wish that came since is not concerned. */
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

/** The server refused what was sent: what it has of it goes, and so does the wish, unless it is a newer one. */
export function refused<Track>(state: DeviceState<Track>): DeviceState<Track> {
  const { doing } = state
  if (doing?.do !== 'send') return state
  const tracks = doing.tracks ?? state.sent?.tracks ?? {}
  const wanted = concernsWish(state) ? 'off' : state.wanted
  return { ...state, wanted, held: undefined, sent: { tracks, letGo: true }, doing: undefined }
}

/** Whether the step that is being taken is for what is wanted now, so that its failure is that of the wish. */
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

/** The browser ended one of the tracks: its device was unplugged, or the person stopped it in the browser's own controls. */
export function ended<Track>(state: DeviceState<Track>, track: Track): DeviceState<Track> {
  const { held, wanted } = state
  const entries = Object.entries(held?.tracks ?? {}) as [StreamKind, Track][]
  if (!held || !entries.some(([, one]) => one === track)) return state
  // A screen goes on without its sound.
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
