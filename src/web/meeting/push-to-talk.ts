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

  /** The key is down; browsers repeat this while it is held. */
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
