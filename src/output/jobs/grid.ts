/** Where the tiles of a picture are. Pure. */
export interface Box {
  x: number
  y: number
  width: number
  height: number
}

const GAP = 8

/** Equal tiles that fill a picture as far as a grid can; a last row that is not full stands in the middle. */
export function gridOf(count: number, width: number, height: number): Box[] {
  const columns = Math.ceil(Math.sqrt(count))
  const rows = Math.ceil(count / columns)
  // Of a picture in 4:2:0, all lengths and places are even.
  const even = (length: number): number => Math.floor(length / 2) * 2
  const tile = {
    width: even((width - GAP * (columns + 1)) / columns),
    height: even((height - GAP * (rows + 1)) / rows),
  }
  return Array.from({ length: count }, (_, at) => {
    const row = Math.floor(at / columns)
    const inRow = row === rows - 1 ? count - row * columns : columns
    const left = (width - inRow * tile.width - (inRow - 1) * GAP) / 2
    const top = (height - rows * tile.height - (rows - 1) * GAP) / 2
    return {
      ...tile,
      x: even(left + (at % columns) * (tile.width + GAP)),
      y: even(top + row * (tile.height + GAP)),
    }
  })
}
