/** Who is where in a recording (contract, outputs §2.1). */
import type { Layout } from '../../protocol/outputs.ts'
import { gridFor } from '../layout.ts'

export interface Present {
  id: string
  /** Those who only watch are never shown. */
  isViewer: boolean
  isSharing: boolean
  isPinned: boolean
}

export interface Item {
  id: string
  kind: 'camera' | 'share'
}

export interface Scene {
  main: Item[]
  side: Item[]
}

/** Most tiles beside the main picture. */
const MAX_SIDE = 5

/** @param people in the order in which they came */
export function sceneOf(people: readonly Present[], speakerId: string | null, layout: Layout): Scene {
  const { type, priority, gridSize } = layout
  const shown = people.filter(({ isViewer }) => !isViewer)
  const pinned = shown.filter(({ isPinned }) => isPinned)
  const inOrder = [...pinned, ...shown.filter(({ isPinned }) => !isPinned)]
  if (type === 'GRID') {
    const share = shareOf(inOrder)
    if (share) return { main: [share], side: cameras(withSpeaker(inOrder, speakerId, MAX_SIDE)) }
    return { main: cameras(withSpeaker(inOrder, speakerId, gridSize)), side: [] }
  }
  const allowed = priority === 'PIN' ? pinned : inOrder
  const share = shareOf(allowed)
  const speaker = allowed.find(({ id }) => id === speakerId)
  const first = priority === 'PIN' ? allowed[0] : (speaker ?? allowed[0])
  if (type === 'SPOTLIGHT') {
    if (share) return { main: [share], side: [] }
    const main = priority === 'PIN' ? allowed.slice(0, gridSize) : first ? [first] : []
    return { main: cameras(main), side: [] }
  }
  if (share) return { main: [share], side: cameras(withSpeaker(allowed, speakerId, MAX_SIDE)) }
  if (!first) return { main: [], side: [] }
  const rest = allowed.filter((one) => one !== first)
  return { main: cameras([first]), side: cameras(rest.slice(0, Math.min(MAX_SIDE, gridSize - 1))) }
}

function shareOf(people: readonly Present[]): Item | undefined {
  const sharing = people.find(({ isSharing }) => isSharing)
  return sharing && { id: sharing.id, kind: 'share' }
}

/** The first of them, in their order; who speaks takes the last place rather than none. */
function withSpeaker(people: readonly Present[], speakerId: string | null, most: number): Present[] {
  const first = people.slice(0, most)
  const late = people.slice(most).find(({ id }) => id === speakerId)
  return late ? [...first.slice(0, -1), late] : first
}

function cameras(people: readonly Present[]): Item[] {
  return people.map(({ id }) => ({ id, kind: 'camera' }))
}

export interface Place extends Item {
  x: number
  y: number
  width: number
  height: number
}

const GAP = 8

/** Where each of them is on a picture of this size. */
export function placesOf({ main, side }: Scene, width: number, height: number): Place[] {
  if (side.length === 0) return grid(main, 0, 0, width, height)
  // A column on a wide picture, a row below on a high one.
  const isWide = width >= height
  const band = Math.round((isWide ? width : height) * 0.2)
  const mainPlaces = isWide ? grid(main, 0, 0, width - band, height) : grid(main, 0, 0, width, height - band)
  const sidePlaces = isWide
    ? line(side, width - band, 0, band, height, 'down')
    : line(side, 0, height - band, width, band, 'across')
  return [...mainPlaces, ...sidePlaces]
}

function grid(items: readonly Item[], left: number, top: number, width: number, height: number): Place[] {
  if (items.length === 0) return []
  if (items.length === 1) return [{ ...items[0]!, ...inset(left, top, width, height) }]
  const { columns, rows, ...tile } = gridFor(items.length, width - 2 * GAP, height - 2 * GAP, GAP)
  const highest = rows * (tile.height + GAP) - GAP
  return items.map((item, i) => {
    const row = Math.floor(i / columns)
    const inRow = Math.min(columns, items.length - row * columns)
    const widest = inRow * (tile.width + GAP) - GAP
    return {
      ...item,
      x: left + (width - widest) / 2 + (i % columns) * (tile.width + GAP),
      y: top + (height - highest) / 2 + row * (tile.height + GAP),
      ...tile,
    }
  })
}

function line(
  items: readonly Item[],
  left: number,
  top: number,
  width: number,
  height: number,
  direction: 'down' | 'across',
): Place[] {
  const isDown = direction === 'down'
  const [across, along] = isDown ? [width, height] : [height, width]
  const most = along / items.length
  const tile = isDown ? fit(across - GAP, most - GAP) : fit(most - GAP, across - GAP)
  const step = (isDown ? tile.height : tile.width) + GAP
  const start = (along - step * items.length + GAP) / 2
  return items.map((item, i) => ({
    ...item,
    x: isDown ? left + (width - tile.width) / 2 : left + start + i * step,
    y: isDown ? top + start + i * step : top + (height - tile.height) / 2,
    ...tile,
  }))
}

function fit(width: number, height: number): { width: number; height: number } {
  const fitting = Math.min(width, (height * 16) / 9)
  return { width: fitting, height: (fitting * 9) / 16 }
}

function inset(x: number, y: number, width: number, height: number): Omit<Place, keyof Item> {
  return { x: x + GAP, y: y + GAP, width: width - 2 * GAP, height: height - 2 * GAP }
}
