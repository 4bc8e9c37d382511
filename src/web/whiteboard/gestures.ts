/** Turns the movements of a pointer into changes of the board, according to the chosen tool. */
import type { Shape } from '../../protocol/whiteboard.ts'
import type { BoardModel } from './board-model.ts'
import { moved, shapeAt } from './geometry.ts'

export type Tool = 'select' | 'hand' | 'eraser' | Shape['kind']

export interface Style {
  color: string
  width: number
}

/** The visible part of the board. */
export interface View {
  x: number
  y: number
  scale: number
}

/** The distance within which a pointer hits a line, in CSS pixels. */
const REACH = 6
/** The interval at which a drawing in progress is sent: pointers report more often than the server accepts messages. */
const SEND_EVERY_MS = 60
/** The most numbers in one message, as the server limits it. */
const MOST_POINTS = 4000

interface Gesture {
  move(x: number, y: number): void
  end(): void
  /** Undoes the gesture. */
  cancel?(): void
}

export interface GestureOptions {
  model: BoardModel
  newId: () => string
  onSelect: (id: string | undefined) => void
  /** Opens a text field there; `shape` is the text to edit, if any. */
  onText: (x: number, y: number, shape: Shape | undefined) => void
  /** Moves the view by CSS pixels. */
  onPan: (dx: number, dy: number) => void
}

export class Gestures {
  readonly #options: GestureOptions
  #gesture: Gesture | undefined

  constructor(options: GestureOptions) {
    this.#options = options
  }

  down(tool: Tool, style: Style, view: View, screenX: number, screenY: number): void {
    this.up()
    const [x, y] = onBoard(view, screenX, screenY)
    if (tool === 'hand') this.#gesture = this.#pan(view, screenX, screenY)
    else if (tool === 'select') this.#gesture = this.#drag(x, y, REACH / view.scale)
    else if (tool === 'eraser') this.#gesture = this.#erase(x, y, REACH / view.scale)
    else if (tool === 'pen') this.#gesture = this.#draw(style, x, y)
    else if (tool === 'text') {
      const there = shapeAt(this.#options.model.shapes, x, y, 0)
      this.#options.onText(x, y, there?.kind === 'text' ? there : undefined)
    } else this.#gesture = this.#stretch(tool, style, x, y)
  }

  move(view: View, screenX: number, screenY: number): void {
    this.#gesture?.move(...onBoard(view, screenX, screenY))
  }

  up(): void {
    this.#gesture?.end()
    this.#gesture = undefined
  }

  /** The pointer was the first of two fingers. */
  cancel(): void {
    this.#gesture?.cancel?.()
    this.#gesture = undefined
  }

  #pan(view: View, fromX: number, fromY: number): Gesture {
    return {
      move: (x, y) => {
        const [toX, toY] = [(x - view.x) * view.scale, (y - view.y) * view.scale]
        this.#options.onPan(toX - fromX, toY - fromY)
        ;[fromX, fromY] = [toX, toY]
      },
      end: () => undefined,
    }
  }

  #drag(fromX: number, fromY: number, reach: number): Gesture | undefined {
    const { model, onSelect } = this.#options
    const shape = shapeAt(model.shapes, fromX, fromY, reach)
    onSelect(shape?.id)
    if (!shape) return undefined
    const changes = new Changes(model)
    let latest = shape
    return {
      move: (x, y) => {
        if (!model.find(shape.id)) return
        latest = rounded(moved(shape, x - fromX, y - fromY))
        changes.put(latest)
      },
      end: () => {
        // Somebody else may have erased it meanwhile.
        if (latest === shape || !model.find(shape.id)) return
        changes.end()
        model.replaced(shape, latest)
      },
      cancel: () => {
        if (latest !== shape && model.find(shape.id)) model.draw({ do: 'put', shape })
      },
    }
  }

  #erase(fromX: number, fromY: number, reach: number): Gesture {
    const { model } = this.#options
    const move = (x: number, y: number): void => {
      const shape = shapeAt(model.shapes, x, y, reach)
      if (shape) model.remove([shape.id])
    }
    move(fromX, fromY)
    return { move, end: () => undefined }
  }

  #draw({ color, width }: Style, fromX: number, fromY: number): Gesture {
    const { model, newId } = this.#options
    const id = newId()
    const begin = (x: number, y: number): void =>
      model.draw({ do: 'put', shape: { id, kind: 'pen', points: [round(x), round(y)], color, width } })
    begin(fromX, fromY)
    let waiting: number[] = []
    let sentAt = performance.now()
    const send = (): void => {
      if (waiting.length > 0) model.draw({ do: 'extend', id, points: waiting })
      waiting = []
      sentAt = performance.now()
    }
    return {
      move: (x, y) => {
        waiting.push(round(x), round(y))
        if (performance.now() - sentAt >= SEND_EVERY_MS || waiting.length >= MOST_POINTS) send()
      },
      end: () => {
        send()
        model.drawn(id)
      },
      cancel: () => model.draw({ do: 'remove', ids: [id] }),
    }
  }

  #stretch(
    kind: Exclude<Tool, 'select' | 'hand' | 'eraser' | 'pen' | 'text'>,
    { color, width }: Style,
    fromX: number,
    fromY: number,
  ): Gesture {
    const { model, newId } = this.#options
    const id = newId()
    const changes = new Changes(model)
    return {
      move: (x, y) => changes.put(rounded({ id, kind, points: [fromX, fromY, x, y], color, width })),
      end: () => {
        changes.end()
        model.drawn(id)
      },
      cancel: () => {
        if (model.find(id)) model.draw({ do: 'remove', ids: [id] })
      },
    }
  }
}

/** Sends a shape while it changes: at once, then at intervals, and in its final form at the end. */
class Changes {
  readonly #model: BoardModel
  #latest: Shape | undefined
  #sentAt = -Infinity

  constructor(model: BoardModel) {
    this.#model = model
  }

  put(shape: Shape): void {
    this.#latest = shape
    if (performance.now() - this.#sentAt >= SEND_EVERY_MS) this.end()
  }

  end(): void {
    if (!this.#latest) return
    this.#model.draw({ do: 'put', shape: this.#latest })
    this.#latest = undefined
    this.#sentAt = performance.now()
  }
}

function onBoard({ x, y, scale }: View, screenX: number, screenY: number): [number, number] {
  return [x + screenX / scale, y + screenY / scale]
}

/** Zooms about a point of the screen, which does not move. */
export function zoomed(view: View, factor: number, screenX: number, screenY: number): View {
  const scale = Math.max(0.1, Math.min(8, view.scale * factor))
  const [x, y] = onBoard(view, screenX, screenY)
  return { scale, x: x - screenX / scale, y: y - screenY / scale }
}

type Point = readonly [x: number, y: number]

/** Moves and zooms the board with two fingers: the point between them stays between them. */
export function pinched(view: View, before: readonly [Point, Point], after: readonly [Point, Point]): View {
  const apart = ([[x, y], [otherX, otherY]]: readonly [Point, Point]): number =>
    Math.max(1, Math.hypot(otherX - x, otherY - y))
  const middle = ([[x, y], [otherX, otherY]]: readonly [Point, Point]): Point => [
    (x + otherX) / 2,
    (y + otherY) / 2,
  ]
  const [[fromX, fromY], [toX, toY]] = [middle(before), middle(after)]
  const { x, y, scale } = zoomed(view, apart(after) / apart(before), fromX, fromY)
  return { scale, x: x - (toX - fromX) / scale, y: y - (toY - fromY) / scale }
}

/** A tenth of a unit is enough, and takes fewer bytes. */
const round = (value: number): number => Math.round(value * 10) / 10
const rounded = (shape: Shape): Shape => ({ ...shape, points: shape.points.map(round) })
