/** Computes how tiles share a space: the number of columns that makes them largest. */

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
