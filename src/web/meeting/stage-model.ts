/** Who is on the stage: what is shared or pinned in front, and the tiles beside it. */
import type { Meeting, Stream } from '../../client/client.ts'
import { MAX_TILES } from '../layout.ts'
import { onEvents, viewOf, type View } from './view.ts'

export type StageSource = Pick<Meeting, 'self' | 'participants' | 'pinnedId'>

export interface Stage {
  /** A shared screen has the front to itself. */
  shared: { stream: Stream; name: string } | undefined
  /** Whose tile is in front, because it is pinned for all. */
  front: string | undefined
  /** Whose tiles stand beside it, in their order: first our own. */
  tiles: string[]
}

/** Everybody who is in the meeting, ourselves first. */
export function everyone({ self, participants }: Pick<Meeting, 'self' | 'participants'>): string[] {
  return [self.id, ...participants.keys()]
}

export function stageOf(meeting: StageSource): Stage {
  const shared = sharedOf(meeting)
  const all = everyone(meeting)
  const front = shared ? undefined : all.find((id) => id === meeting.pinnedId)
  return { shared, front, tiles: all.filter((id) => id !== front) }
}

function sharedOf({ participants }: StageSource): Stage['shared'] {
  for (const { name, streams } of participants.values())
    for (const stream of streams.values()) if (stream.kind === 'share') return { stream, name }
  return undefined
}

export function stageView(meeting: Meeting): View<Stage> {
  return viewOf(
    () => stageOf(meeting),
    onEvents(
      meeting,
      'stateChanged',
      'participantJoined',
      'participantLeft',
      'participantChanged',
      'streamAdded',
      'streamRemoved',
      'pinChanged',
    ),
  )
}

export interface TilePage {
  /** From 0; the last page where `page` is past it. */
  current: number
  pages: number
  shown: string[]
}

/** More tiles than fit are on further pages. */
export function tilePage(tiles: readonly string[], page: number): TilePage {
  const pages = Math.max(1, Math.ceil(tiles.length / MAX_TILES))
  const current = Math.min(page, pages - 1)
  return { current, pages, shown: tiles.slice(current * MAX_TILES, (current + 1) * MAX_TILES) }
}

/** All that is heard. */
export function soundsOf({ participants }: Pick<Meeting, 'participants'>): Stream[] {
  return [...participants.values()].flatMap(({ streams }) =>
    [...streams.values()].filter(({ kind }) => kind === 'audio' || kind === 'shareAudio'),
  )
}

export function soundsView(meeting: Meeting): View<Stream[]> {
  return viewOf(() => soundsOf(meeting), onEvents(meeting, 'participantLeft', 'streamAdded', 'streamRemoved'))
}
