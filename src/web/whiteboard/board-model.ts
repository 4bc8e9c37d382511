/** The shapes on the board, and the history of the person's own changes, for undo and redo. */
import type { ClientMessage, ServerMessage, Shape } from '../../protocol/whiteboard.ts'

/** A change of the person's, and its inverse. */
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

  /** In painting order. */
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

  /** Applies a change of others, or the whole board from the server. */
  receive(message: ServerMessage): void {
    if (message.do === 'scene') {
      this.#shapes.clear()
      for (const shape of message.shapes) this.#shapes.set(shape.id, shape)
    } else if (message.do === 'full') this.#shapes.delete(message.id)
    else this.#apply(message)
    this.#changed()
  }

  /** Applies a change and sends it. It becomes undoable with `drawn` or `replaced`. */
  draw(message: ClientMessage): void {
    this.#apply(message)
    this.#send(message)
    this.#changed()
  }

  /** Records a new shape that was drawn in several steps as one step to undo. */
  drawn(id: string): void {
    const shape = this.#shapes.get(id)
    if (shape) this.#remember({ redo: [{ do: 'put', shape }], undo: [{ do: 'remove', ids: [id] }] })
  }

  put(shape: Shape): void {
    const before = this.#shapes.get(shape.id)
    this.draw({ do: 'put', shape })
    this.replaced(before, shape)
  }

  /** Records a change of a shape in several steps as one step to undo. */
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
