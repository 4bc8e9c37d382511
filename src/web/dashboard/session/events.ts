/** The events of a session in order of time, for the list beside the plots. Pure functions. */
import { formatBitrate, formatReason, ms } from '../format.ts'
import type { MediaSample } from '../../../protocol/rest/quality.ts'
import type { SessionParticipantInFull } from '../../../protocol/rest/sessions.ts'

export interface SessionEvent {
  at: number
  /** Null for the whole session. */
  participantId: string | null
  who: string
  text: string
}

export interface OutputSpan {
  /** `recording`, `livestream`, … */
  one: string
  start: string | null
  end: string | null
}

const STREAMS = {
  mic: 'microphone',
  webcam: 'camera',
  screenShare: 'screen',
  screenShareAudio: 'sound of the screen',
} as const

/** Joins, leaves and switches of all participants, and outputs. */
export function eventsOf(
  participants: readonly SessionParticipantInFull[],
  outputs: readonly OutputSpan[],
): SessionEvent[] {
  const people = participants.flatMap((participant): SessionEvent[] => {
    const { participantId, name, timelog, events } = participant
    const event = (at: string, text: string): SessionEvent => ({
      at: ms(at),
      participantId,
      who: name || participantId,
      text,
    })
    const ends = new Set(timelog.map(({ end }) => end))
    return [
      ...timelog.flatMap(({ start, end, leaveReason }, index) => [
        event(start, index === 0 ? 'Joined' : 'Came back'),
        ...(end === null ? [] : [event(end, `Left: ${formatReason(leaveReason)}`)]),
      ]),
      ...Object.entries(STREAMS).flatMap(([lane, stream]) =>
        events[lane as keyof typeof STREAMS].flatMap(({ start, end }) => [
          event(start, `Switched the ${stream} on`),
          // A leave implies the end of the streams.
          ...(end === null || ends.has(end) ? [] : [event(end, `Switched the ${stream} off`)]),
        ]),
      ),
    ]
  })
  const made = outputs.flatMap(({ one, start, end }): SessionEvent[] => {
    const event = (at: string, text: string): SessionEvent => ({
      at: ms(at),
      participantId: null,
      who: 'Server',
      text,
    })
    return [
      ...(start === null ? [] : [event(start, `A ${one} began`)]),
      ...(end === null ? [] : [event(end, `A ${one} ended`)]),
    ]
  })
  return inOrder([...people, ...made])
}

/** Changes between two successive measurements of a participant: path, protocol, worker, video. */
export function changesOf(
  samples: readonly MediaSample[],
  { participantId, who }: Pick<SessionEvent, 'participantId' | 'who'>,
): SessionEvent[] {
  return samples.flatMap((sample, index) => {
    const before = samples[index - 1]
    const texts = [
      ...(sample.worker.losses ? ['A media worker died and was replaced'] : []),
      ...(sample.pathChanges ? ['Media came from another address than before'] : []),
      ...(before ? changesBetween(before, sample) : []),
    ]
    return texts.map((text) => ({ at: ms(sample.time), participantId, who, text }))
  })
}

function changesBetween(before: MediaSample, now: MediaSample): string[] {
  const texts = []
  for (const [way, name] of [
    ['send', 'Sending'],
    ['receive', 'Receiving'],
  ] as const) {
    const [was, is] = [before[way], now[way]]
    if (is.ice !== was.ice && is.ice === 'disconnected') texts.push(`${name} was interrupted`)
    if (is.ice !== was.ice && was.ice === 'disconnected' && is.ice !== null)
      texts.push(`${name} went on after an interruption`)
    if (is.protocol !== null && was.protocol !== null && is.protocol !== was.protocol)
      texts.push(`${name} changed to ${is.protocol.toUpperCase()}`)
  }
  const { index } = now.worker
  if (index !== null && before.worker.index !== null && index !== before.worker.index)
    texts.push(`Moved to media worker ${index}`)
  const [held, heldBefore] = [now.receive.video.held ?? 0, before.receive.video.held ?? 0]
  if (held > 0 && heldBefore === 0) {
    const takes = now.receive.availableBitrate
    const room = takes === null ? '' : ` (the line takes ${formatBitrate(takes)})`
    texts.push(`${held} of ${now.receive.video.wanted ?? held} pictures held back${room}`)
  }
  if (held === 0 && heldBefore > 0) texts.push('All pictures are sent again')
  const [height, heightBefore] = [now.send.video.height, before.send.video.height]
  if (height !== null && heightBefore !== null && height !== heightBefore)
    texts.push(`Sends a picture of ${height} lines, before ${heightBefore}`)
  const [layer, layerBefore] = [now.receive.video.layer, before.receive.video.layer]
  if (layer !== null && layerBefore !== null && Math.abs(layer - layerBefore) >= 0.5)
    texts.push(`Receives ${layer < layerBefore ? 'smaller' : 'larger'} pictures`)
  return texts
}

export const inOrder = (events: readonly SessionEvent[]): SessionEvent[] =>
  events.toSorted((one, other) => one.at - other.at)
