/** The latest captions, if speech is transcribed. */
import type { Caption, Meeting } from '../../client/client.ts'
import type { View } from './view.ts'

export interface CaptionLine {
  id: string
  participantId: string
  name: string
  text: string
}

const MOST_LINES = 3
/** How long a line stays if no other follows. */
const STAYS_MS = 8000

/** Adds a caption to the lines: a final text replaces the partial one, and only the last few lines stay. Pure. */
export function withCaption(lines: readonly CaptionLine[], caption: Caption): CaptionLine[] {
  const { id, participantId, participantName: name, text } = caption
  const line = { id, participantId, name, text }
  const at = lines.findIndex((one) => one.id === id && one.participantId === participantId)
  const all = at === -1 ? [...lines, line] : lines.with(at, line)
  return all.slice(-MOST_LINES)
}

const NOTHING: readonly CaptionLine[] = []

export class Captions implements View<readonly CaptionLine[]> {
  #lines = NOTHING
  #timer: ReturnType<typeof setTimeout> | undefined
  readonly #listeners = new Set<() => void>()

  readonly get = (): readonly CaptionLine[] => this.#lines

  readonly subscribe: View<readonly CaptionLine[]>['subscribe'] = (onChange) => {
    this.#listeners.add(onChange)
    return () => this.#listeners.delete(onChange)
  }

  /** Follows a meeting. Returns a function that stops it. */
  listen(meeting: Pick<Meeting, 'on'>): () => void {
    const stop = meeting.on('captionHeard', (caption) => {
      this.#show(withCaption(this.#lines, caption))
      clearTimeout(this.#timer)
      this.#timer = setTimeout(() => this.#show(NOTHING), STAYS_MS)
    })
    return () => {
      stop()
      clearTimeout(this.#timer)
    }
  }

  #show(lines: readonly CaptionLine[]): void {
    this.#lines = lines
    for (const listener of [...this.#listeners]) listener()
  }
}
