import { memo, useEffect, useMemo, useRef, useState } from 'react'
import { gridFor, qualityFor } from '../layout.ts'
import { Foreign } from '../parts/foreign.tsx'
import { Video } from '../parts/video.tsx'
import { useModel } from './model.ts'
import { stageView, tilePage } from './stage-model.ts'
import { Tile } from './tile.tsx'
import { useView } from './use-view.ts'

const GAP = 8

/** What is shared or pinned in front, and the tiles. */
export const Stage = memo(function Stage() {
  const { meeting } = useModel()
  const { shared, front, tiles } = useView(useMemo(() => stageView(meeting), [meeting]))
  return (
    <main className={`stage ${shared || front !== undefined ? 'split' : ''}`}>
      {shared && (
        <figure className="shared" data-testid="shared">
          <Video track={shared.track} contain label={`Screen of ${shared.name}`} />
          <figcaption>
            <Foreign text={shared.name} /> is sharing their screen
          </figcaption>
        </figure>
      )}
      {front !== undefined && (
        <div className="front">
          <Tile id={front} quality="high" />
        </div>
      )}
      <Tiles ids={tiles} />
    </main>
  )
})

/** Measures the room it has and lays the tiles out in it. */
function Tiles({ ids }: { ids: string[] }) {
  const holder = useRef<HTMLDivElement>(null)
  const [size, setSize] = useState({ width: 0, height: 0 })
  const [page, setPage] = useState(0)
  useEffect(() => {
    const observer = new ResizeObserver(
      ([entry]) => entry && setSize({ width: entry.contentRect.width, height: entry.contentRect.height }),
    )
    observer.observe(holder.current!)
    return () => observer.disconnect()
  }, [])
  const { current, pages, shown } = tilePage(ids, page)
  const grid = gridFor(shown.length, size.width, size.height, GAP)
  return (
    <div className="tiles" ref={holder}>
      <div
        className="grid"
        style={{ maxWidth: Math.ceil(grid.columns * grid.width + (grid.columns - 1) * GAP), gap: GAP }}
      >
        {shown.map((id) => (
          <div
            key={id}
            className="cell"
            style={{ width: Math.floor(grid.width), height: Math.floor(grid.height) }}
          >
            <Tile id={id} quality={qualityFor(grid.width)} />
          </div>
        ))}
      </div>
      {pages > 1 && (
        <div className="pages">
          <button disabled={current === 0} onClick={() => setPage(current - 1)} aria-label="Earlier people">
            ‹
          </button>
          {current + 1} / {pages}
          <button
            disabled={current === pages - 1}
            onClick={() => setPage(current + 1)}
            aria-label="More people"
          >
            ›
          </button>
        </div>
      )}
    </div>
  )
}
