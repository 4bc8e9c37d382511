/** Push to talk: a microphone that is off is on for as long as the key is held. */
export interface TalkTarget {
  /** Whether the microphone is on, or about to be. */
  isOn: () => boolean
  turnOn: () => void
  turnOff: () => void
}

export class PushToTalk {
  readonly #target: TalkTarget
  #isHeld = false

  constructor(target: TalkTarget) {
    this.#target = target
  }

  /** From the press to the release, also if the microphone was switched off in between. */
  get isHeld(): boolean {
    return this.#isHeld
  }

  /** The key is down. Pass no repeats: after a `release` that was not the key's own, they would turn it on again. */
  press(): void {
    if (this.#isHeld || this.#target.isOn()) return
    this.#isHeld = true
    this.#target.turnOn()
  }

  /** The key is up, or the window has lost the focus and will not hear of it. */
  release(): void {
    if (!this.#isHeld) return
    this.#isHeld = false
    this.#target.turnOff()
  }
}
