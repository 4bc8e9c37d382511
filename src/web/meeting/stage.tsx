import { memo, useEffect, useMemo, useRef, useState } from 'react'
import { gridFor } from '../layout.ts'
import type { Stream } from '../../client/client.ts'
import { Foreign } from '../parts/foreign.tsx'
import { Video } from '../parts/video.tsx'
import { useModel } from './model.ts'
import { stageView, tilePage } from './stage-model.ts'
import { Tile } from './tile.tsx'
import { useShown } from './use-shown.ts'
import { useView } from './use-view.ts'

const GAP = 8

/** What is shared or pinned in front, and the tiles. */
export const Stage = memo(function Stage() {
  const { meeting } = useModel()
  const { shared, front, tiles } = useView(useMemo(() => stageView(meeting), [meeting]))
  return (
    <main className={`stage ${shared || front !== undefined ? 'split' : ''}`}>
      {shared && <Shared {...shared} />}
      {front !== undefined && (
        <div className="front">
          <Tile id={front} />
        </div>
      )}
      <Tiles ids={tiles} />
    </main>
  )
})

/** A screen that somebody shares. */
function Shared({ stream, name }: { stream: Stream; name: string }) {
  const element = useRef<HTMLElement>(null)
  useShown(element, stream)
  return (
    <figure className="shared" data-testid="shared" ref={element}>
      <Video track={stream.track} contain label={`Screen of ${name}`} />
      <figcaption>
        <Foreign text={name} /> is sharing their screen
      </figcaption>
    </figure>
  )
}

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
            <Tile id={id} />
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
