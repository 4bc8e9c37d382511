import { useEffect, useEffectEvent, useRef, useState, type KeyboardEvent, type PointerEvent } from 'react'
import { Foreign } from '../parts/foreign.tsx'
import { FullScreenButton } from '../parts/full-screen.tsx'
import { Video } from '../parts/video.tsx'
import { useModel } from './model.ts'
import type { SharedScreen } from './stage-model.ts'
import { useShown } from './use-shown.ts'
import { move, unzoomed, wheelFactor, zoomAt, type Zoom } from './zoom.ts'
import { rich, text } from '../texts/texts.ts'

const STEP = 1.25
const KEY_STEP_PX = 60

/** The shared screen in front, and a choice if there are several. */
export function SharedScreens({ screens, shown }: { screens: SharedScreen[]; shown: SharedScreen }) {
  const { settings } = useModel()
  return (
    <div className="shared-screens">
      {screens.length > 1 && (
        <div className="choices" role="group" aria-label={text('screen.all')}>
          {screens.map(({ stream, name }) => (
            <button
              key={stream.id}
              aria-pressed={stream.id === shown.stream.id}
              onClick={() => settings.change({ share: stream.id })}
            >
              <Foreign text={name} />
            </button>
          ))}
        </div>
      )}
      <Screen key={shown.stream.id} {...shown} />
    </div>
  )
}

/** One screen, which can be zoomed and moved. */
function Screen({ stream, name }: SharedScreen) {
  const element = useRef<HTMLElement>(null)
  const frame = useRef<HTMLDivElement>(null)
  const [zoom, setZoom] = useState<Zoom>(unzoomed)
  const [isDragged, setDragged] = useState(false)
  useShown(element, stream)

  const size = () => {
    const { clientWidth: width, clientHeight: height } = frame.current!
    return { width, height }
  }
  const by = (factor: number, at = { x: 0, y: 0 }): void => setZoom((now) => zoomAt(now, factor, at, size()))
  const along = (dx: number, dy: number): void => setZoom((now) => move(now, dx, dy, size()))
  const pointOf = ({ clientX, clientY }: { clientX: number; clientY: number }) => {
    const { left, top, width, height } = frame.current!.getBoundingClientRect()
    return { x: clientX - left - width / 2, y: clientY - top - height / 2 }
  }
  const onWheel = useEffectEvent((event: WheelEvent): void => {
    event.preventDefault()
    by(wheelFactor(event.deltaY), pointOf(event))
  })
  useEffect(() => {
    const target = frame.current!
    const listener = (event: WheelEvent): void => onWheel(event)
    // React's own listener is passive, and could not keep a pinch on a touchpad from zooming the page.
    target.addEventListener('wheel', listener, { passive: false })
    return () => target.removeEventListener('wheel', listener)
  }, [])
  const press = (event: KeyboardEvent): void => {
    const acts: Record<string, () => void> = {
      '+': () => by(STEP),
      '-': () => by(1 / STEP),
      '0': () => setZoom(unzoomed),
      ArrowLeft: () => along(KEY_STEP_PX, 0),
      ArrowRight: () => along(-KEY_STEP_PX, 0),
      ArrowUp: () => along(0, KEY_STEP_PX),
      ArrowDown: () => along(0, -KEY_STEP_PX),
    }
    const act = acts[event.key]
    if (!act || event.ctrlKey || event.metaKey || event.altKey) return
    act()
    event.preventDefault()
  }

  return (
    <figure className="shared" data-testid="shared" ref={element}>
      <div
        className={`frame ${zoom.scale > 1 ? 'zoomed' : ''}`}
        ref={frame}
        tabIndex={0}
        role="group"
        aria-label={text('screen.label', { name, percent: Math.round(zoom.scale * 100) })}
        onKeyDown={press}
        onDoubleClick={(event) => (zoom.scale > 1 ? setZoom(unzoomed) : by(2, pointOf(event)))}
        onPointerDown={(event: PointerEvent) => {
          if (zoom.scale === 1) return
          event.currentTarget.setPointerCapture(event.pointerId)
          setDragged(true)
        }}
        onPointerMove={(event) => isDragged && along(event.movementX, event.movementY)}
        onPointerUp={() => setDragged(false)}
        onPointerCancel={() => setDragged(false)}
      >
        <div
          className="picture"
          style={{ transform: `translate(${zoom.x}px, ${zoom.y}px) scale(${zoom.scale})` }}
        >
          <Video track={stream.track} contain label={text('screen.of', { name })} />
        </div>
      </div>
      <figcaption>
        <span className="text">{rich('screen.isSharing', { name: <Foreign text={name} /> })}</span>
        <button
          className="plain"
          aria-label={text('zoom.out')}
          disabled={zoom.scale === 1}
          onClick={() => by(1 / STEP)}
        >
          −
        </button>
        <button className="plain" aria-label={text('zoom.whole')} onClick={() => setZoom(unzoomed)}>
          {Math.round(zoom.scale * 100)} %
        </button>
        <button className="plain" aria-label={text('zoom.in')} onClick={() => by(STEP)}>
          +
        </button>
        <FullScreenButton of={element} />
      </figcaption>
    </figure>
  )
}
