/**
 * The whiteboard of a meeting: one page for everybody, whose address holds the credential for it. It lasts until it is stopped or
 * the session ends. Nothing of it is stored.
 */
import type { Notification } from '../../protocol/notifications.ts'
import type { ClientMessage, ServerMessage } from '../../protocol/whiteboard.ts'
import type { Participant } from '../roster/participant.ts'
import { Refusal } from '../../protocol/errors.ts'
import { assertMay } from '../roster/actor.ts'
import { Scene } from './scene.ts'

/** Sends to one page. Neither call throws. */
export interface BoardLink {
  send(message: ServerMessage): void
  /** The board is no more. */
  end(): void
}

export interface BoardConnection {
  handle(message: ClientMessage): void
  close(): void
}

export interface WhiteboardOptions {
  meetingId: string
  newSecretId: () => string
  tellAll: (notification: Notification) => void
}

/** Pages at one board. */
const MOST_LINKS = 1000

interface Board {
  key: string
  url: string
  scene: Scene
  links: Set<BoardLink>
}

export class Whiteboard {
  readonly #options: WhiteboardOptions
  #board: Board | undefined

  constructor(options: WhiteboardOptions) {
    this.#options = options
  }

  /** For a participant who joins. */
  notifications(): Notification[] {
    return this.#board ? [{ method: 'whiteboardStarted', url: this.#board.url }] : []
  }

  /**
   * Where one is open, its address is told to the caller once more. The returned function tells; call it after the answer.
   * @throws {Refusal} INVALID_PERMISSIONS
   */
  start(by: Participant): () => void {
    assertMay(by, 'output')
    const open = this.#board
    if (open) return () => by.link.notify({ method: 'whiteboardStarted', url: open.url })
    const { meetingId, newSecretId, tellAll } = this.#options
    const key = newSecretId()
    const url = `${by.link.baseUrl}/whiteboard#${meetingId}.${key}`
    this.#board = { key, url, scene: new Scene(), links: new Set() }
    return () => tellAll({ method: 'whiteboardStarted', url })
  }

  /** @throws {Refusal} INVALID_PERMISSIONS, STOP_WHITEBOARD_FAILED */
  stop(by: Participant): () => void {
    assertMay(by, 'output')
    if (!this.#board) throw new Refusal('STOP_WHITEBOARD_FAILED')
    this.end()
    return () => this.#options.tellAll({ method: 'whiteboardStopped' })
  }

  /** With the session, of which nobody needs to be told. */
  end(): void {
    const board = this.#board
    this.#board = undefined
    for (const link of board?.links ?? []) link.end()
  }

  /** Undefined for a wrong key, and where too many are there. The link gets the scene at once. */
  connect(key: string, link: BoardLink): BoardConnection | undefined {
    const board = this.#board
    if (board?.key !== key || board.links.size >= MOST_LINKS) return undefined
    board.links.add(link)
    link.send({ do: 'scene', shapes: board.scene.shapes() })
    return {
      handle: (message) => {
        const outcome = board.scene.apply(message)
        if (outcome === 'done') {
          for (const other of board.links) if (other !== link) other.send(message)
        } else if (outcome === 'full' && message.do !== 'remove') {
          link.send({ do: 'full', id: message.do === 'put' ? message.shape.id : message.id })
        }
      },
      close: () => board.links.delete(link),
    }
  }
}
