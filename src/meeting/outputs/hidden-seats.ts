/** Seats for pages that record: whoever knows the id of one takes it, and nobody else sees or counts it (docs/decisions/0015). */
import type { OutputSeat } from '../../output/output.ts'

export interface HiddenSeatsOptions {
  /** Makes unguessable participant ids. */
  newSecretId: () => string
  /** A token with which this participant may come to the meeting. */
  mintToken: (participantId: string) => string
  /** Removes the participant, if it is there. */
  vacate: (participantId: string) => void
}

/** The beginning of the ids of hidden seats. */
const HIDDEN = 'hidden-page.'

/** Whether this is the id of a hidden seat, here or at the former home of the meeting. */
export const isHiddenId = (participantId: string): boolean => participantId.startsWith(HIDDEN)

export class HiddenSeats {
  readonly #options: HiddenSeatsOptions
  readonly #names = new Map<string, string>()

  constructor(options: HiddenSeatsOptions) {
    this.#options = options
  }

  has(participantId: string): boolean {
    return this.#names.has(participantId)
  }

  open(name: string): OutputSeat {
    const { newSecretId, mintToken, vacate } = this.#options
    const participantId = `${HIDDEN}${newSecretId()}`
    const token = mintToken(participantId)
    this.#names.set(participantId, name)
    return {
      participantId,
      token,
      close: () => {
        if (this.#names.delete(participantId)) vacate(participantId)
      },
    }
  }
}
