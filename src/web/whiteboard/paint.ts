/** Paints shapes on a canvas, for the screen and for the saved image. */
import type { Shape } from '../../protocol/whiteboard.ts'
import { getStroke } from 'perfect-freehand'
import { boxOfAll, fontSizeOf, LINE_HEIGHT, type Box } from './geometry.ts'

export const PAPER = '#ffffff'
const FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif"
/** The space above each line, as in the field where text is written. */
const LEADING = (LINE_HEIGHT - 1) / 2
/** The margin of the saved image. */
const MARGIN = 24
const MOST_PIXELS = 8000

/** Caches the outline of each stroke; shapes are immutable. */
const outlines = new WeakMap<Shape, Path2D>()

export function paint(context: CanvasRenderingContext2D, shapes: readonly Shape[]): void {
  context.lineCap = 'round'
  context.lineJoin = 'round'
  context.textBaseline = 'top'
  for (const shape of shapes) paintOne(context, shape)
}

function paintOne(context: CanvasRenderingContext2D, shape: Shape): void {
  const [x1 = 0, y1 = 0, x2 = x1, y2 = y1] = shape.points
  context.fillStyle = context.strokeStyle = shape.color
  context.lineWidth = shape.width
  context.beginPath()
  switch (shape.kind) {
    case 'pen':
      context.fill(outlineOf(shape))
      return
    case 'text': {
      const size = fontSizeOf(shape)
      context.font = `${size}px ${FONT}`
      for (const [index, line] of (shape.text ?? '').split('\n').entries())
        context.fillText(line, x1, y1 + size * (index * LINE_HEIGHT + LEADING))
      return
    }
    case 'rectangle':
      context.rect(x1, y1, x2 - x1, y2 - y1)
      break
    case 'ellipse':
      context.ellipse(
        (x1 + x2) / 2,
        (y1 + y2) / 2,
        Math.abs(x2 - x1) / 2,
        Math.abs(y2 - y1) / 2,
        0,
        0,
        2 * Math.PI,
      )
      break
    case 'line':
    case 'arrow':
      context.moveTo(x1, y1)
      context.lineTo(x2, y2)
      if (shape.kind === 'arrow') addHead(context, shape.width, x1, y1, x2, y2)
      break
  }
  context.stroke()
}

function addHead(
  context: CanvasRenderingContext2D,
  width: number,
  x1: number,
  y1: number,
  x2: number,
  y2: number,
): void {
  const angle = Math.atan2(y2 - y1, x2 - x1)
  const length = Math.min(8 + width * 3, Math.hypot(x2 - x1, y2 - y1))
  for (const side of [-1, 1]) {
    context.moveTo(x2, y2)
    context.lineTo(
      x2 - length * Math.cos(angle + (side * Math.PI) / 7),
      y2 - length * Math.sin(angle + (side * Math.PI) / 7),
    )
  }
}

function outlineOf(shape: Shape): Path2D {
  const known = outlines.get(shape)
  if (known) return known
  const points: [number, number][] = []
  for (let index = 0; index + 1 < shape.points.length; index += 2)
    points.push([shape.points[index]!, shape.points[index + 1]!])
  const outline = getStroke(points, { size: shape.width * 1.6, thinning: 0.4, last: true })
  const path = new Path2D()
  for (const [index, [x = 0, y = 0]] of outline.entries()) {
    if (index === 0) path.moveTo(x, y)
    else path.lineTo(x, y)
  }
  path.closePath()
  outlines.set(shape, path)
  return path
}

/** The whole board as an image on white. */
export function pictureOf(shapes: readonly Shape[]): HTMLCanvasElement {
  const { left, top, right, bottom }: Box = boxOfAll(shapes) ?? { left: 0, top: 0, right: 800, bottom: 600 }
  const width = right - left + 2 * MARGIN
  const height = bottom - top + 2 * MARGIN
  const scale = Math.min(2, MOST_PIXELS / Math.max(width, height))
  const canvas = document.createElement('canvas')
  canvas.width = Math.ceil(width * scale)
  canvas.height = Math.ceil(height * scale)
  const context = canvas.getContext('2d')!
  context.fillStyle = PAPER
  context.fillRect(0, 0, canvas.width, canvas.height)
  context.setTransform(scale, 0, 0, scale, (MARGIN - left) * scale, (MARGIN - top) * scale)
  paint(context, shapes)
  return canvas
}
