import { useRef, useState, type PointerEvent } from 'react'
import { useModel } from './model.ts'
import { Tile } from './tile.tsx'
import { useView } from './use-view.ts'
import { cornerBeside, nearestCorner } from './view-settings.ts'
import { text } from '../texts/texts.ts'

/** Our own video above the stage. It can be dragged into a corner, or moved there with the arrow keys. */
export function FloatingSelf() {
  const { meeting, settings } = useModel()
  const { corner } = useView(settings)
  const element = useRef<HTMLDivElement>(null)
  const [offset, setOffset] = useState<{ x: number; y: number }>()

  const drop = ({ clientX, clientY }: PointerEvent): void => {
    if (!offset) return
    setOffset(undefined)
    const { left, top, width, height } = element.current!.parentElement!.getBoundingClientRect()
    settings.change({ corner: nearestCorner(clientX - left, clientY - top, width, height) })
  }
  return (
    <div
      ref={element}
      className={`floating-self ${corner}`}
      data-testid="floating-self"
      tabIndex={0}
      role="group"
      aria-label={text('self.label')}
      style={offset && { transform: `translate(${offset.x}px, ${offset.y}px)` }}
      onKeyDown={({ key, target, currentTarget }) => {
        // The menu in it has its own use of the arrows.
        if (target === currentTarget && key.startsWith('Arrow'))
          settings.change({ corner: cornerBeside(corner, key) })
      }}
      onPointerDown={(event) => {
        if ((event.target as Element).closest('button')) return
        event.currentTarget.setPointerCapture(event.pointerId)
        setOffset({ x: 0, y: 0 })
      }}
      onPointerMove={({ movementX, movementY }) =>
        offset && setOffset({ x: offset.x + movementX, y: offset.y + movementY })
      }
      onPointerUp={drop}
      onPointerCancel={drop}
    >
      <Tile id={meeting.self.id} />
    </div>
  )
}
