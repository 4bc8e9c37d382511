/** Computes how the stage is divided, and how tiles share a space: with the number of columns that makes them largest. */

export interface Grid {
  columns: number
  rows: number
  /** Size of a tile, in px. */
  width: number
  height: number
}

/** Width to height of a tile. */
const TILE_RATIO = 16 / 9
/** The smallest tile in which a face is recognised, in px. */
const MIN_WIDTH = 140
const MIN_TILES = 4
const MAX_TILES = 25

/** How many tiles a page has: as many as stay large enough. */
export function tilesPerPage(width: number, height: number, gap: number): number {
  // Not measured yet.
  if (width === 0 || height === 0) return MAX_TILES
  let count = MAX_TILES
  while (count > MIN_TILES && gridFor(count, width, height, gap).width < MIN_WIDTH) count--
  return count
}

export function gridFor(count: number, width: number, height: number, gap: number): Grid {
  let best: Grid = { columns: 1, rows: Math.max(1, count), width: 0, height: 0 }
  for (let columns = 1; columns <= Math.max(1, count); columns++) {
    const rows = Math.ceil(count / columns)
    const roomWidth = Math.max(0, (width - gap * (columns - 1)) / columns)
    const roomHeight = Math.max(0, (height - gap * (rows - 1)) / rows)
    const tileWidth = Math.min(roomWidth, roomHeight * TILE_RATIO)
    if (tileWidth > best.width) best = { columns, rows, width: tileWidth, height: tileWidth / TILE_RATIO }
  }
  return best
}

export interface Size {
  width: number
  height: number
}

/** A part of the stage, in px. `x` counts from where lines of text begin. */
export interface Place extends Size {
  x: number
  y: number
}

/** At most this wide, what is in front stands above the tiles. */
const NARROW = 684

/** Divides the stage between what is in front and the tiles. Without tiles the front has all of it. */
export function divide(
  arrangement: 'grid' | 'strip' | 'column',
  { width, height }: Size,
  hasTiles: boolean,
  gap: number,
): { front: Place; tiles: Place } {
  const all = { x: 0, y: 0, width, height }
  if (arrangement === 'grid' || !hasTiles) return { front: all, tiles: all }
  if (width <= NARROW) {
    const below = Math.round(height * 0.26)
    const y = height - below
    return {
      front: { ...all, height: Math.max(0, y - gap) },
      tiles: { ...all, y, height: below },
    }
  }
  if (arrangement === 'strip') {
    const above = Math.max(96, Math.round(height * 0.2))
    const y = above + gap
    return { front: { ...all, y, height: Math.max(0, height - y) }, tiles: { ...all, height: above } }
  }
  const beside = Math.max(150, Math.round(width * 0.22))
  const x = width - beside
  return { front: { ...all, width: Math.max(0, x - gap) }, tiles: { ...all, x, width: beside } }
}

/** So low, tiles have the buttons that turn the page beside them, and otherwise below. */
const LOW = 260
/** So high, those buttons stand one above the other. */
const STACKED = 150

/** Divides a place, counted from its own corner, between tiles and the buttons that turn the page, which cover no tile. */
export function dividePages(
  { width, height }: Size,
  gap: number,
): { tiles: Place; pager: Place; isStacked: boolean } {
  const isStacked = height >= STACKED && height < LOW
  const [right, bottom] = height >= LOW ? [0, 50] : [isStacked ? 58 : 152, 0]
  const tiles = {
    x: 0,
    y: 0,
    width: Math.max(0, width - (right && right + gap)),
    height: Math.max(0, height - (bottom && bottom + gap)),
  }
  return {
    tiles,
    pager: {
      x: right && width - right,
      y: bottom && height - bottom,
      width: right || width,
      height: bottom || height,
    },
    isStacked,
  }
}

/** Where each of these tiles is: rows in the middle, the last one too if it is shorter. */
export function placesFor(count: number, { width, height }: Size, gap: number): Place[] {
  const grid = gridFor(count, width, height, gap)
  const [tileWidth, tileHeight] = [Math.floor(grid.width), Math.floor(grid.height)]
  const start = (space: number, tiles: number, size: number): number =>
    Math.floor((space - tiles * size - (tiles - 1) * gap) / 2)
  const top = start(height, Math.ceil(count / grid.columns), tileHeight)
  return Array.from({ length: count }, (_, at) => {
    const [row, column] = [Math.floor(at / grid.columns), at % grid.columns]
    const inRow = Math.min(grid.columns, count - row * grid.columns)
    return {
      x: start(width, inRow, tileWidth) + column * (tileWidth + gap),
      y: top + row * (tileHeight + gap),
      width: tileWidth,
      height: tileHeight,
    }
  })
}
