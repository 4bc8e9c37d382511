/** Another participant, and the streams received from them. */
import type { StreamKind } from '../protocol/media.ts'
import type { Mode } from '../protocol/modes.ts'

export type Quality = 'low' | 'med' | 'high'

/** A received stream, whatever gives access to its content. */
export interface AnyStream {
  readonly id: string
  readonly participantId: string
  readonly kind: StreamKind
}

/** One received track. */
export interface Stream extends AnyStream {
  readonly id: string
  readonly participantId: string
  readonly kind: StreamKind
  readonly track: MediaStreamTrack
  /** Nothing arrives: it is paused at its source, or by the server, which sends a limited number of cameras. */
  paused: boolean
  /**
   * Its frames cannot be opened, so nothing of it is shown or heard: they are encrypted with another key than ours, or
   * we have a key and they are not encrypted.
   */
  locked: boolean
  /** Chooses one of the sent sizes; no effect on a stream with one size. */
  setQuality(quality: Quality): Promise<void>
  /**
   * Tells how wide the video is shown, in device px, so that no larger size than needed is sent, and nothing for 0.
   * Call it whenever that changes. Without it the video is sent as if it filled the screen.
   */
  show(width: number): void
  /** Statistics of the WebRTC receiver. */
  stats(): Promise<RTCStatsReport>
}

export interface Participant<S = Stream> {
  readonly id: string
  name: string
  mode: Mode
  metaData: Record<string, unknown>
  micOn: boolean
  cameraOn: boolean
  shareOn: boolean
  /** By stream id. */
  readonly streams: Map<string, S>
}

export function newParticipant<S>(peer: {
  id: string
  displayName: string
  mode: Mode
  metaData?: Record<string, unknown>
}): Participant<S> {
  return {
    id: peer.id,
    name: peer.displayName,
    mode: peer.mode,
    metaData: peer.metaData ?? {},
    micOn: false,
    cameraOn: false,
    shareOn: false,
    streams: new Map(),
  }
}

/** The kind of a stream, from its producer's data. */
export function kindOf(kind: 'audio' | 'video', shared: boolean): StreamKind {
  if (kind === 'audio') return shared ? 'shareAudio' : 'audio'
  return shared ? 'share' : 'video'
}

/** The server reported that a stream of a participant is on or off. */
export function setState(participant: Participant<unknown>, kind: StreamKind, on: boolean): void {
  if (kind === 'audio') participant.micOn = on
  else if (kind === 'video') participant.cameraOn = on
  else if (kind === 'share') participant.shareOn = on
}

/** Returns the ids that are no longer present after a reconnect. */
export function missing(known: Iterable<string>, present: readonly { id: string }[]): string[] {
  const there = new Set(present.map(({ id }) => id))
  return [...known].filter((id) => !there.has(id))
}

/** Wire numbers of a spatial layer (contract, signalling §6). */
export const spatialLayers: Record<Quality, number> = { low: 0, med: 1, high: 2 }
