/** The extent of shapes, and the shape at a point. Pure functions. */
import type { Shape } from '../../protocol/whiteboard.ts'

export interface Box {
  left: number
  top: number
  right: number
  bottom: number
}

/** The font size of a text, in units of the board. */
export const fontSizeOf = ({ width }: Pick<Shape, 'width'>): number => 10 + width * 4
export const LINE_HEIGHT = 1.25
/** An upper estimate of the width of a character, relative to the font size. */
const LETTER_WIDTH = 0.6

export function boxOf(shape: Shape): Box {
  const { points, kind, width, text = '' } = shape
  if (kind === 'text') {
    const [left = 0, top = 0] = points
    const lines = text.split('\n')
    const size = fontSizeOf(shape)
    const longest = Math.max(1, ...lines.map((line) => line.length))
    return {
      left,
      top,
      right: left + longest * size * LETTER_WIDTH,
      bottom: top + lines.length * size * LINE_HEIGHT,
    }
  }
  const xs = points.filter((_, index) => index % 2 === 0)
  const ys = points.filter((_, index) => index % 2 === 1)
  const margin = width / 2
  return {
    left: Math.min(...xs) - margin,
    top: Math.min(...ys) - margin,
    right: Math.max(...xs) + margin,
    bottom: Math.max(...ys) + margin,
  }
}

export function boxOfAll(shapes: readonly Shape[]): Box | undefined {
  const boxes = shapes.map(boxOf)
  if (boxes.length === 0) return undefined
  return {
    left: Math.min(...boxes.map(({ left }) => left)),
    top: Math.min(...boxes.map(({ top }) => top)),
    right: Math.max(...boxes.map(({ right }) => right)),
    bottom: Math.max(...boxes.map(({ bottom }) => bottom)),
  }
}

/** Whether a point is on a shape, or within `reach` of its lines. */
function isAt(shape: Shape, x: number, y: number, reach: number): boolean {
  const { kind, points, width } = shape
  const box = boxOf(shape)
  const near = reach + width / 2
  if (x < box.left - near || x > box.right + near || y < box.top - near || y > box.bottom + near) return false
  if (kind === 'text') return true
  const [x1 = 0, y1 = 0, x2 = x1, y2 = y1] = points
  if (kind === 'rectangle') return distanceToLines([x1, y1, x2, y1, x2, y2, x1, y2, x1, y1], x, y) <= near
  if (kind === 'ellipse') return distanceToLines(outlineOf(x1, y1, x2, y2), x, y) <= near
  return distanceToLines(points, x, y) <= near
}

/** The topmost shape at a point. */
export function shapeAt(shapes: readonly Shape[], x: number, y: number, reach: number): Shape | undefined {
  return shapes.findLast((shape) => isAt(shape, x, y, reach))
}

export function moved(shape: Shape, dx: number, dy: number): Shape {
  return { ...shape, points: shape.points.map((value, index) => value + (index % 2 === 0 ? dx : dy)) }
}

function outlineOf(x1: number, y1: number, x2: number, y2: number): number[] {
  const [rx, ry] = [(x2 - x1) / 2, (y2 - y1) / 2]
  return Array.from({ length: 37 }, (_, index) => (index * Math.PI) / 18).flatMap((angle) => [
    x1 + rx * (1 + Math.cos(angle)),
    y1 + ry * (1 + Math.sin(angle)),
  ])
}

function distanceToLines(points: readonly number[], x: number, y: number): number {
  let least = Math.hypot(x - points[0]!, y - points[1]!)
  for (let index = 2; index + 1 < points.length; index += 2) {
    const [x1, y1, x2, y2] = points.slice(index - 2, index + 2) as [number, number, number, number]
    const length = (x2 - x1) ** 2 + (y2 - y1) ** 2
    const along =
      length === 0 ? 0 : Math.max(0, Math.min(1, ((x - x1) * (x2 - x1) + (y - y1) * (y2 - y1)) / length))
    least = Math.min(least, Math.hypot(x - x1 - along * (x2 - x1), y - y1 - along * (y2 - y1)))
  }
  return least
}
