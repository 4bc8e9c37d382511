/** What is drawn on a whiteboard. Kept in memory, within bounds; the last one who changes a shape wins. Pure. */
import type { ClientMessage, Shape } from '../../protocol/whiteboard.ts'

export interface SceneLimits {
  shapes: number
  /** Numbers of all points, and characters of all texts. */
  size: number
}

const SCENE_LIMITS: SceneLimits = { shapes: 5000, size: 1_000_000 }
const MOST_POINTS = 8000
/** A shape with no points costs something too. */
const BASE_SIZE = 20

export type Outcome = 'done' | 'nothing' | 'full'

/**
 * As fine as pages draw. Numbers of many digits would make a scene that is larger than what may wait for one page, and cut each
 * page that comes.
 */
const rounded = (points: readonly number[]): number[] => points.map((value) => Math.round(value * 10) / 10)

const sizeOf = ({ points, text = '' }: Shape): number => BASE_SIZE + points.length + text.length

export class Scene {
  readonly #limits: SceneLimits
  /** In the order in which they are painted. */
  readonly #shapes = new Map<string, Shape>()
  #size = 0

  constructor(limits: SceneLimits = SCENE_LIMITS) {
    this.#limits = limits
  }

  shapes(): Shape[] {
    return [...this.#shapes.values()]
  }

  apply(message: ClientMessage): Outcome {
    switch (message.do) {
      case 'put':
        return this.#put({ ...message.shape, points: rounded(message.shape.points) })
      case 'extend': {
        const shape = this.#shapes.get(message.id)
        if (shape?.kind !== 'pen' || message.points.length % 2 !== 0) return 'nothing'
        const points = [...shape.points, ...rounded(message.points)]
        return points.length > MOST_POINTS ? 'full' : this.#put({ ...shape, points })
      }
      case 'remove': {
        const there = message.ids.filter((id) => this.#shapes.has(id))
        for (const id of there) {
          this.#size -= sizeOf(this.#shapes.get(id)!)
          this.#shapes.delete(id)
        }
        return there.length > 0 ? 'done' : 'nothing'
      }
    }
  }

  #put(shape: Shape): Outcome {
    if (shape.points.length % 2 !== 0) return 'nothing'
    const before = this.#shapes.get(shape.id)
    const size = this.#size + sizeOf(shape) - (before ? sizeOf(before) : 0)
    if (size > this.#limits.size || (!before && this.#shapes.size >= this.#limits.shapes)) return 'full'
    this.#size = size
    this.#shapes.set(shape.id, shape)
    return 'done'
  }
}
