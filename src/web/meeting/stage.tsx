import { memo, useLayoutEffect, useMemo, useRef, useState, type CSSProperties } from 'react'
import { divide, dividePages, placesFor, tilesPerPage, type Place } from '../layout.ts'
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

/** Shows the stage: the front and the tiles. They are placed by transforms, so that nothing jumps when people come and go. */
export const Stage = memo(function Stage() {
  const { meeting, settings } = useModel()
  const { arrangement, shared, screens, front, tiles, floating } = useView(
    useMemo(() => stageView(meeting, settings), [meeting, settings]),
  )
  const space = useRef<HTMLDivElement>(null)
  const [size, setSize] = useState({ width: 0, height: 0 })
  useLayoutEffect(() => {
    const measure = (): void => {
      const { clientWidth: width, clientHeight: height } = space.current!
      setSize((now) => (now.width === width && now.height === height ? now : { width, height }))
    }
    measure()
    const observer = new ResizeObserver(measure)
    observer.observe(space.current!)
    return () => observer.disconnect()
  }, [])
  const parts = divide(arrangement, size, tiles.length > 0, GAP)
  return (
    <main className="stage">
      <div className="space" ref={space}>
        {(shared ?? front.length > 0) && (
          <div className="place" style={styleOf(parts.front)}>
            {shared ? <SharedScreens screens={screens} shown={shared} /> : <Front ids={front} />}
          </div>
        )}
        {tiles.length > 0 && <Tiles ids={tiles} place={parts.tiles} />}
      </div>
      {floating && <FloatingSelf />}
    </main>
  )
})

const styleOf = ({ x, y, width, height }: Place): CSSProperties =>
  ({ width, height, '--x': `${x}px`, '--y': `${y}px` }) as CSSProperties

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

/** Arranges the tiles in their part of the stage. */
function Tiles({ ids, place }: { ids: string[]; place: Place }) {
  const { meeting, seats } = useModel()
  const [page, setPage] = useState(0)
  const paged =
    ids.length > tilesPerPage(place.width, place.height, GAP) ? dividePages(place, GAP) : undefined
  const room = paged?.tiles ?? place
  const perPage = tilesPerPage(room.width, room.height, GAP)
  const arranged = useView(
    useMemo(
      () => viewOf(() => seats.arrange(ids, perPage), onEvents(meeting, 'activeSpeakerChanged')),
      [meeting, seats, ids, perPage],
    ),
  )
  const { current, pages, shown } = tilePage(arranged, page, perPage)
  const places = placesFor(shown.length, room, GAP)
  return (
    <div className="place tiles" style={styleOf(place)}>
      {shown.map((id, at) => (
        <div key={id} className="place" style={styleOf(places[at]!)}>
          <Tile id={id} />
        </div>
      ))}
      {paged && (
        <div className={`place pages ${paged.isStacked ? 'stacked' : ''}`} style={styleOf(paged.pager)}>
          <button
            disabled={current === 0}
            onClick={() => setPage(current - 1)}
            aria-label={text('stage.earlier')}
          >
            ‹
          </button>
          <span>
            {current + 1} / {pages}
          </span>
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
