/** The notice: a sentence that is shown for a short time, about people who come and go, and about failures. */
import type { Meeting, OutputName, OutputState } from '../../client/client.ts'
import { isolated } from '../isolate.ts'
import type { Subscribe, View } from './view.ts'
import { failureOf } from '../failure.ts'
import { text } from '../texts/texts.ts'

const NOTICE_MS = 5000

export class Notice implements View<string> {
  #text = ''
  #timer: ReturnType<typeof setTimeout> | undefined
  readonly #listeners = new Set<() => void>()

  /** Empty if there is no notice. */
  readonly get = (): string => this.#text

  readonly subscribe: Subscribe = (onChange) => {
    this.#listeners.add(onChange)
    return () => this.#listeners.delete(onChange)
  }

  readonly show = (notice: string): void => {
    clearTimeout(this.#timer)
    if (notice !== '') this.#timer = setTimeout(() => this.show(''), NOTICE_MS)
    this.#text = notice
    for (const listener of [...this.#listeners]) listener()
  }

  /** Shows what happens in the meeting. Returns a function that stops it. */
  listen(meeting: Pick<Meeting, 'on'>): () => void {
    const stops = [
      meeting.on('participantJoined', ({ name }) =>
        this.show(text('notice.joined', { name: isolated(name) })),
      ),
      meeting.on('participantLeft', ({ name }) => this.show(text('notice.left', { name: isolated(name) }))),
      meeting.on('deviceProblem', (error) => this.show(failureOf(error))),
      meeting.on('outputFailed', (error) => this.show(failureOf(error, 'failure.output'))),
      meeting.on('outputChanged', (name, state) => this.show(outputNotice(name, state))),
    ]
    return () => {
      stops.forEach((stop) => stop())
      clearTimeout(this.#timer)
    }
  }
}

/** The notice about an output that everybody must see; empty if there is none. */
function outputNotice(name: OutputName, state: OutputState): string {
  if (state === 'started') return text(`notice.started.${name}`)
  return state === 'stopped' ? text(`notice.ended.${name}`) : ''
}
