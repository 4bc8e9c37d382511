/** What is on the stage: shared screens and participants in front, and the tiles beside them. */
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
  /** Where the tiles stand: by themselves, or in a strip or column beside the front. */
  arrangement: 'grid' | 'strip' | 'column'
  /** The shared screen in front. */
  shared: SharedScreen | undefined
  /** All shared screens, to choose from. */
  screens: SharedScreen[]
  /** Whose tiles are in front. Nobody's beside a shared screen. */
  front: string[]
  /** Whose tiles stand beside the front, in the order in which they came; our own first. */
  tiles: string[]
  /** Whether our own picture floats above the stage. */
  floating: boolean
}

/** More pinned participants than this stay among the tiles. */
const MAX_FRONT = 4

/** Everybody who is in the meeting, ourselves first. */
export function everyone({ self, participants }: Pick<Meeting, 'self' | 'participants'>): string[] {
  return [self.id, ...participants.keys()]
}

/**
 * What was chosen by hand wins: the shared screen, then those whom we pinned, then those who are pinned for all; at last the layout.
 *
 * @param lastSpeaker who spoke last and is still here, apart from ourselves
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
  // Alone, we always see ourselves.
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
  /** From 0; the last page where `page` is past it. */
  current: number
  pages: number
  shown: string[]
}

/** More tiles than fit are on further pages. */
export function tilePage(tiles: readonly string[], page: number, perPage: number): TilePage {
  const pages = Math.max(1, Math.ceil(tiles.length / perPage))
  const current = Math.min(page, pages - 1)
  return { current, pages, shown: tiles.slice(current * perPage, (current + 1) * perPage) }
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
