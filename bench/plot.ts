/** Draws small line plots below each other over the same time axis, as SVG. */
export interface Series {
  name: string
  /** Sorted by x. */
  points: [x: number, y: number][]
}

const WIDTH = 720
const HEIGHT = 90
const [LEFT, RIGHT, TOP, GAP] = [60, 20, 40, 34]

export function drawPlots(title: string, unit: string, all: readonly Series[]): string {
  const end = Math.max(...all.flatMap(({ points }) => points.map(([x]) => x)), 1e-9)
  const height = TOP + all.length * (HEIGHT + GAP) + 20
  const parts = all.map(({ name, points }, row) => {
    const known = points.filter(([, y]) => Number.isFinite(y))
    const most = Math.max(...known.map(([, y]) => y), 1e-9)
    const top = TOP + row * (HEIGHT + GAP) + 16
    const line = known
      .map(([x, y]) => {
        const [left, down] = [LEFT + (x / end) * (WIDTH - LEFT - RIGHT), top + HEIGHT - (y / most) * HEIGHT]
        return `${left.toFixed(1)},${down.toFixed(1)}`
      })
      .join(' ')
    return [
      `<text x="${LEFT}" y="${top - 4}">${name}</text>`,
      `<text x="${LEFT - 6}" y="${top + 8}" text-anchor="end">${most.toPrecision(3)}</text>`,
      `<text x="${LEFT - 6}" y="${top + HEIGHT}" text-anchor="end">0</text>`,
      `<rect x="${LEFT}" y="${top}" width="${WIDTH - LEFT - RIGHT}" height="${HEIGHT}" fill="none" stroke="#ccc"/>`,
      `<polyline points="${line}" fill="none" stroke="#2463eb" stroke-width="1.5"/>`,
    ].join('\n')
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" font-family="sans-serif" font-size="11">
<rect width="100%" height="100%" fill="#fff"/>
<text x="${LEFT}" y="20" font-size="14">${title}</text>
${parts.join('\n')}
<text x="${WIDTH - RIGHT}" y="${height - 8}" text-anchor="end">${end.toFixed(0)} ${unit}</text>
</svg>
`
}
