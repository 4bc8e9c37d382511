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
  /** The network that the page comes from. */
  readonly caller: string
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
  /** Why none can be opened now: one sentence. */
  whyNot: () => string | undefined
}

/** Why a page is not at the board: there is none with its key, or too many pages are there. */
export type NotConnected = 'closed' | 'crowded'

/** Pages at one board. */
const MOST_LINKS = 1000
/** Of them, those of one network: whoever has the address cannot keep the others away. */
const MOST_OF_ONE = MOST_LINKS / 2

interface Board {
  key: string
  url: string
  scene: Scene
  links: Set<BoardLink>
  /** What a page gets that comes; undefined after a change. */
  greeting: ServerMessage | undefined
}

export class Whiteboard {
  readonly #options: WhiteboardOptions
  #board: Board | undefined
  /** Until everybody was told of it. */
  #doing: 'start' | 'stop' | undefined

  constructor(options: WhiteboardOptions) {
    this.#options = options
  }

  /** For a participant who joins. */
  notifications(): Notification[] {
    return this.#board ? [{ method: 'whiteboardStarted', url: this.#board.url }] : []
  }

  /**
   * Where one is open, its address is told to the caller once more. The returned function tells; call it after the answer.
   * @throws {Refusal} INVALID_PERMISSIONS, START_WHITEBOARD_FAILED, WHITEBOARD_OPERATION_IN_PROGRESS
   */
  start(by: Participant): () => void {
    assertMay(by, 'output')
    const { meetingId, newSecretId, whyNot } = this.#options
    const message = whyNot()
    if (message !== undefined) throw new Refusal('START_WHITEBOARD_FAILED', { message })
    if (this.#doing === 'stop') throw new Refusal('WHITEBOARD_OPERATION_IN_PROGRESS')
    const open = this.#board
    if (open) return () => by.link.notify({ method: 'whiteboardStarted', url: open.url })
    const key = newSecretId()
    const url = `${by.link.baseUrl}/whiteboard#${meetingId}.${key}`
    this.#board = { key, url, scene: new Scene(), links: new Set(), greeting: undefined }
    return this.#until('start', { method: 'whiteboardStarted', url })
  }

  /** @throws {Refusal} INVALID_PERMISSIONS, STOP_WHITEBOARD_FAILED, WHITEBOARD_OPERATION_IN_PROGRESS */
  stop(by: Participant): () => void {
    assertMay(by, 'output')
    if (this.#doing !== undefined) throw new Refusal('WHITEBOARD_OPERATION_IN_PROGRESS')
    if (!this.#board) throw new Refusal('STOP_WHITEBOARD_FAILED')
    this.end()
    return this.#until('stop', { method: 'whiteboardStopped' })
  }

  #until(doing: 'start' | 'stop', notification: Notification): () => void {
    this.#doing = doing
    return () => {
      this.#doing = undefined
      this.#options.tellAll(notification)
    }
  }

  /** With the session, of which nobody needs to be told. */
  end(): void {
    const board = this.#board
    this.#board = undefined
    for (const link of board?.links ?? []) link.end()
  }

  /** The link gets the scene at once. */
  connect(key: string, link: BoardLink): BoardConnection | NotConnected {
    const board = this.#board
    if (board?.key !== key) return 'closed'
    const ofCaller = [...board.links].filter(({ caller }) => caller === link.caller).length
    if (board.links.size >= MOST_LINKS || ofCaller >= MOST_OF_ONE) return 'crowded'
    board.links.add(link)
    link.send((board.greeting ??= { do: 'scene', shapes: board.scene.shapes() }))
    return {
      handle: (message) => {
        if (this.#board !== board) return
        const outcome = board.scene.apply(message)
        if (outcome === 'done') {
          board.greeting = undefined
          for (const other of board.links) if (other !== link) other.send(message)
        } else if (outcome === 'full' && message.do !== 'remove') {
          link.send({ do: 'full', id: message.do === 'put' ? message.shape.id : message.id })
        }
      },
      close: () => board.links.delete(link),
    }
  }
}
