import { memo, useEffect, useMemo, useRef, useState } from 'react'
import { gridFor, tilesPerPage } from '../layout.ts'
import { FullScreenButton } from '../parts/full-screen.tsx'
import { FloatingSelf } from './floating-self.tsx'
import { useModel } from './model.ts'
import { SharedScreens } from './shared-screens.tsx'
import { stageView, tilePage } from './stage-model.ts'
import { Tile } from './tile.tsx'
import { useView } from './use-view.ts'
import { onEvents, viewOf } from './view.ts'
import { text } from '../texts/texts.ts'

const GAP = 8

/** Shows the stage: the front and the tiles. */
export const Stage = memo(function Stage() {
  const { meeting, settings } = useModel()
  const { arrangement, shared, screens, front, tiles, floating } = useView(
    useMemo(() => stageView(meeting, settings), [meeting, settings]),
  )
  return (
    <main className={`stage in-${arrangement}`}>
      {shared && <SharedScreens screens={screens} shown={shared} />}
      {front.length > 0 && <Front ids={front} />}
      {tiles.length > 0 && <Tiles ids={tiles} />}
      {floating && <FloatingSelf />}
    </main>
  )
})

/** The participants in front, in equal parts. */
function Front({ ids }: { ids: string[] }) {
  const element = useRef<HTMLDivElement>(null)
  return (
    <div className={`front of-${ids.length}`} data-testid="front" ref={element}>
      {ids.map((id) => (
        <Tile key={id} id={id} />
      ))}
      <FullScreenButton of={element} />
    </div>
  )
}

/** Measures its space and arranges the tiles in it. */
function Tiles({ ids }: { ids: string[] }) {
  const { meeting, seats } = useModel()
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
  const perPage = tilesPerPage(size.width, size.height, GAP)
  const arranged = useView(
    useMemo(
      () => viewOf(() => seats.arrange(ids, perPage), onEvents(meeting, 'activeSpeakerChanged')),
      [meeting, seats, ids, perPage],
    ),
  )
  const { current, pages, shown } = tilePage(arranged, page, perPage)
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
          <button
            disabled={current === 0}
            onClick={() => setPage(current - 1)}
            aria-label={text('stage.earlier')}
          >
            ‹
          </button>
          {current + 1} / {pages}
          <button
            disabled={current === pages - 1}
            onClick={() => setPage(current + 1)}
            aria-label={text('stage.more')}
          >
            ›
          </button>
        </div>
      )}
    </div>
  )
}
