/** More would never be looked at. */
const MAX_RECENT = 64

/** The active speaker of one meeting, and the earlier ones. */
export class ActiveSpeaker {
  #current: string | null = null
  #recent: string[] = []

  /** A participant id. */
  get current(): string | null {
    return this.#current
  }

  /** Participant ids, most recent first. */
  get recent(): readonly string[] {
    return this.#recent
  }

  /** Returns whether the speaker changed. */
  set(participantId: string | null): boolean {
    if (participantId === this.#current) return false
    this.#current = participantId
    if (participantId !== null) {
      const others = this.#recent.filter((id) => id !== participantId)
      this.#recent = [participantId, ...others].slice(0, MAX_RECENT)
    }
    return true
  }
}
