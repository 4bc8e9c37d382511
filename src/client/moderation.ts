/** What a moderator may do to others. Without `allow_mod` each call is refused with 4008. */

type Request = (method: string, data?: object) => Promise<unknown>

export class Moderation {
  readonly #request: Request

  constructor(request: Request) {
    this.#request = request
  }

  /** Switches the microphone off immediately. */
  async disableMic(participantId: string): Promise<void> {
    await this.#request('disablePeerMic', { peerId: participantId })
  }
  async disableCamera(participantId: string): Promise<void> {
    await this.#request('disablePeerWebcam', { peerId: participantId })
  }
  async disableShare(participantId: string): Promise<void> {
    await this.#request('disablePeerShare', { peerId: participantId })
  }

  /** The person is asked, and may decline. */
  async askMic(participantId: string): Promise<void> {
    await this.#request('enablePeerMic', { peerId: participantId })
  }
  async askCamera(participantId: string): Promise<void> {
    await this.#request('enablePeerWebcam', { peerId: participantId })
  }

  /** Removes the participant, who cannot come back to this session. */
  async remove(participantId: string): Promise<void> {
    await this.#request('removePeer', { peerId: participantId })
  }
  async liftRemoval(participantId: string): Promise<void> {
    await this.#request('liftRemoval', { peerId: participantId })
  }

  /** Pins this participant for everybody, or nobody. */
  async pin(participantId: string, pinned: boolean): Promise<void> {
    await this.#request('pinStateChanged', { peerId: participantId, state: { cam: pinned, share: pinned } })
  }

  async endForAll(): Promise<void> {
    await this.#request('closeRoom')
  }
}
