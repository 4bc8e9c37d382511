/** One who is in the meeting with us, and what it sends. */
import type { StreamKind } from '../protocol/media.ts'
import type { Mode } from '../protocol/modes.ts'

export type Quality = 'low' | 'med' | 'high'

/** One track that arrives. */
export interface Stream {
  readonly id: string
  readonly participantId: string
  readonly kind: StreamKind
  readonly track: MediaStreamTrack
  /** Nothing arrives: paused at its source, or held back by the server, which sends only so many cameras. */
  paused: boolean
  /** Which of the sent sizes to receive; no effect on a stream that has one. */
  setQuality(quality: Quality): Promise<void>
  /**
   * Says how wide the picture is shown, in device px, so that no larger size is sent than is needed, and nothing for 0. Call
   * it as often as that changes. Without it the picture comes as if it filled the screen.
   */
  show(width: number): void
  /** Statistics of the receiver, as WebRTC has them. */
  stats(): Promise<RTCStatsReport>
}

export interface Participant {
  readonly id: string
  name: string
  mode: Mode
  metaData: Record<string, unknown>
  micOn: boolean
  cameraOn: boolean
  shareOn: boolean
  /** By stream id. */
  readonly streams: Map<string, Stream>
}

export function newParticipant(peer: {
  id: string
  displayName: string
  mode: Mode
  metaData?: Record<string, unknown>
}): Participant {
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

/** Something of a participant went on or off, by the server's word. */
export function setState(participant: Participant, kind: StreamKind, on: boolean): void {
  if (kind === 'audio') participant.micOn = on
  else if (kind === 'video') participant.cameraOn = on
  else if (kind === 'share') participant.shareOn = on
}

/** Who is to be dropped when, after a reconnection, only these are there. */
export function missing(known: Iterable<string>, present: readonly { id: string }[]): string[] {
  const there = new Set(present.map(({ id }) => id))
  return [...known].filter((id) => !there.has(id))
}

/** Wire numbers of a spatial layer (contract, signalling §6). */
export const spatialLayers: Record<Quality, number> = { low: 0, med: 1, high: 2 }
