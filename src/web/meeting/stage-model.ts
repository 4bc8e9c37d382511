/** The content of the stage: shared screens and participants in front, and the tiles beside them. */
import type { Meeting, Stream } from '../../client/client.ts'
import { onEvents, viewOf, type View } from './view.ts'
import type { ViewSettings, ViewState } from './view-settings.ts'

export type StageSource = Pick<Meeting, 'self' | 'participants' | 'pinnedIds' | 'activeSpeakerId'>

/** A screen that somebody shares. */
export interface SharedScreen {
  stream: Stream
  name: string
}

export interface Stage {
  /** How the tiles are arranged: alone in a grid, or in a strip or column beside the front. */
  arrangement: 'grid' | 'strip' | 'column'
  /** The shared screen in front. */
  shared: SharedScreen | undefined
  /** All shared screens, to choose from. */
  screens: SharedScreen[]
  /** The participants in front; none beside a shared screen. */
  front: string[]
  /** The participants with tiles beside the front, in order of joining, ourselves first. */
  tiles: string[]
  /** Whether our own video floats above the stage. */
  floating: boolean
}

/** More pinned participants than this stay among the tiles. */
const MAX_FRONT = 4

/** The ids of all participants, ourselves first. */
export function everyone({ self, participants }: Pick<Meeting, 'self' | 'participants'>): string[] {
  return [self.id, ...participants.keys()]
}

/**
 * A choice by hand comes first: the shared screen, then participants whom we pinned, then those pinned for all; then
 * the layout decides.
 *
 * @param lastSpeaker the last speaker who is still present, except ourselves
 */
export function stageOf(
  meeting: StageSource,
  { layout, selfView, pinned, share }: Omit<ViewState, 'corner'>,
  lastSpeaker?: string,
): Stage {
  const all = everyone(meeting)
  const screens = screensOf(meeting)
  const shared = screens.find(({ stream }) => stream.id === share) ?? screens.at(-1)
  const own = meeting.self.id
  const others = all.filter((id) => id !== own)
  const front = shared ? [] : frontOf()
  // If nobody else is present, we always see ourselves.
  const hidesSelf = selfView !== 'tile' && others.length > 0
  const tiles = all.filter((id) => !front.includes(id) && !(hidesSelf && id === own))
  const hasFront = shared !== undefined || front.length > 0
  return {
    arrangement: !hasFront ? 'grid' : layout === 'speaker' ? 'strip' : 'column',
    shared,
    screens,
    front,
    tiles,
    floating: selfView === 'floating' && others.length > 0 && !front.includes(own),
  }

  function frontOf(): string[] {
    for (const chosen of [pinned, [...meeting.pinnedIds]]) {
      const here = all.filter((id) => chosen.includes(id)).slice(0, MAX_FRONT)
      if (here.length > 0) return here
    }
    if (layout === 'grid') return []
    const speaker = others.find((id) => id === lastSpeaker) ?? others[0]
    return speaker === undefined ? [] : [speaker]
  }
}

function screensOf({ participants }: StageSource): SharedScreen[] {
  return [...participants.values()].flatMap(({ name, streams }) =>
    [...streams.values()].filter(({ kind }) => kind === 'share').map((stream) => ({ stream, name })),
  )
}

export function stageView(meeting: Meeting, settings: ViewSettings): View<Stage> {
  let lastSpeaker: string | undefined
  return viewOf(
    () => {
      const { activeSpeakerId } = meeting
      if (activeSpeakerId !== null && activeSpeakerId !== meeting.self.id) lastSpeaker = activeSpeakerId
      return stageOf(meeting, settings.get(), lastSpeaker)
    },
    onEvents(
      meeting,
      'stateChanged',
      'participantJoined',
      'participantLeft',
      'participantChanged',
      'streamAdded',
      'streamRemoved',
      'pinChanged',
      'activeSpeakerChanged',
    ),
    settings.subscribe,
  )
}

export interface TilePage {
  /** Counted from 0; the last page if `page` is too large. */
  current: number
  pages: number
  shown: string[]
}

/** Puts tiles that do not fit on further pages. */
export function tilePage(tiles: readonly string[], page: number, perPage: number): TilePage {
  const pages = Math.max(1, Math.ceil(tiles.length / perPage))
  const current = Math.min(page, pages - 1)
  return { current, pages, shown: tiles.slice(current * perPage, (current + 1) * perPage) }
}

/** All received audio streams. */
export function soundsOf({ participants }: Pick<Meeting, 'participants'>): Stream[] {
  return [...participants.values()].flatMap(({ streams }) =>
    [...streams.values()].filter(({ kind }) => kind === 'audio' || kind === 'shareAudio'),
  )
}

export function soundsView(meeting: Meeting): View<Stream[]> {
  return viewOf(() => soundsOf(meeting), onEvents(meeting, 'participantLeft', 'streamAdded', 'streamRemoved'))
}
