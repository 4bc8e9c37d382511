/** What is on the board, and what of it was done here and can be undone. */
import type { ClientMessage, ServerMessage, Shape } from '../../protocol/whiteboard.ts'

/** What was done, and what undoes it. */
interface Step {
  redo: ClientMessage[]
  undo: ClientMessage[]
}

const MOST_STEPS = 200

export class BoardModel {
  readonly #send: (message: ClientMessage) => void
  readonly #changed: () => void
  readonly #shapes = new Map<string, Shape>()
  #undo: Step[] = []
  #redo: Step[] = []

  constructor(send: (message: ClientMessage) => void, changed: () => void) {
    this.#send = send
    this.#changed = changed
  }

  /** In the order in which they are painted. */
  get shapes(): Shape[] {
    return [...this.#shapes.values()]
  }

  get canUndo(): boolean {
    return this.#undo.length > 0
  }

  get canRedo(): boolean {
    return this.#redo.length > 0
  }

  find(id: string): Shape | undefined {
    return this.#shapes.get(id)
  }

  /** Others did it, or the server tells what there is. */
  receive(message: ServerMessage): void {
    if (message.do === 'scene') {
      this.#shapes.clear()
      for (const shape of message.shapes) this.#shapes.set(shape.id, shape)
    } else if (message.do === 'full') this.#shapes.delete(message.id)
    else this.#apply(message)
    this.#changed()
  }

  /** Does it here and tells the others; it cannot be undone by itself. */
  draw(message: ClientMessage): void {
    this.#apply(message)
    this.#send(message)
    this.#changed()
  }

  /** A shape that was drawn in several steps is one step to undo. */
  drawn(id: string): void {
    const shape = this.#shapes.get(id)
    if (shape) this.#remember({ redo: [{ do: 'put', shape }], undo: [{ do: 'remove', ids: [id] }] })
  }

  put(shape: Shape): void {
    const before = this.#shapes.get(shape.id)
    this.draw({ do: 'put', shape })
    this.replaced(before, shape)
  }

  /** A shape was changed in several steps. */
  replaced(before: Shape | undefined, shape: Shape): void {
    const undo: ClientMessage = before ? { do: 'put', shape: before } : { do: 'remove', ids: [shape.id] }
    this.#remember({ redo: [{ do: 'put', shape }], undo: [undo] })
  }

  remove(ids: string[]): void {
    const there = ids.flatMap((id) => this.#shapes.get(id) ?? [])
    if (there.length === 0) return
    const message: ClientMessage = { do: 'remove', ids: there.map(({ id }) => id) }
    this.draw(message)
    this.#remember({ redo: [message], undo: there.map((shape) => ({ do: 'put', shape })) })
  }

  undo(): void {
    const step = this.#undo.pop()
    if (!step) return
    this.#redo.push(step)
    for (const message of step.undo) this.draw(message)
  }

  redo(): void {
    const step = this.#redo.pop()
    if (!step) return
    this.#undo.push(step)
    for (const message of step.redo) this.draw(message)
  }

  #remember(step: Step): void {
    this.#undo = [...this.#undo.slice(1 - MOST_STEPS), step]
    this.#redo = []
    this.#changed()
  }

  #apply(message: ClientMessage): void {
    if (message.do === 'put') this.#shapes.set(message.shape.id, message.shape)
    else if (message.do === 'remove') for (const id of message.ids) this.#shapes.delete(id)
    else {
      const shape = this.#shapes.get(message.id)
      if (shape) this.#shapes.set(message.id, { ...shape, points: [...shape.points, ...message.points] })
    }
  }
}
