/** The zoom and position of a shared screen within its frame. */
export interface Zoom {
  /** 1: the whole screen is visible. */
  scale: number
  /** The offset in px of the frame. */
  x: number
  y: number
}

export interface Size {
  width: number
  height: number
}

export const unzoomed: Zoom = { scale: 1, x: 0, y: 0 }
export const MAX_SCALE = 6

/** Zooms around a point of the frame, given from its centre. */
export function zoomAt(
  { scale, x, y }: Zoom,
  factor: number,
  at: { x: number; y: number },
  frame: Size,
): Zoom {
  const next = Math.min(MAX_SCALE, Math.max(1, scale * factor))
  const ratio = next / scale
  return within({ scale: next, x: at.x - (at.x - x) * ratio, y: at.y - (at.y - y) * ratio }, frame)
}

/** Touchpads send many small turns of the wheel where a mouse sends a large one. */
export function wheelFactor(deltaY: number): number {
  return Math.exp(-Math.max(-100, Math.min(100, deltaY)) / 450)
}

export function move({ scale, x, y }: Zoom, dx: number, dy: number, frame: Size): Zoom {
  return within({ scale, x: x + dx, y: y + dy }, frame)
}

/** Keeps the edges of the screen at or outside the border of the frame. */
function within({ scale, x, y }: Zoom, { width, height }: Size): Zoom {
  const clamp = (value: number, size: number): number => {
    const most = (size * (scale - 1)) / 2
    // Never returns -0, which is not equal to 0 for `Object.is`.
    return Math.min(most, Math.max(-most, value)) + 0
  }
  return { scale, x: clamp(x, width), y: clamp(y, height) }
}
