/** What a moderator may do to others. Without `allow_mod` each call is refused with 4008. */
import type { Rules } from '../protocol/rules.ts'
import type { OwnKind } from './devices.ts'

/** At most so many hands are lowered by one request. */
const MAX_HANDS = 200

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

  /** Switches it off for everybody else immediately. */
  async disableAll(device: OwnKind): Promise<void> {
    const kind = ({ mic: 'audio', camera: 'video', share: 'share' } as const)[device]
    await this.#request('stopAll', { kind })
  }

  /** Lowers raised hands of others. */
  async lowerHands(participantIds: readonly string[]): Promise<void> {
    for (let at = 0; at < participantIds.length; at += MAX_HANDS)
      await this.#request('lowerHands', { peerIds: participantIds.slice(at, at + MAX_HANDS) })
  }

  /** Changes some of the rules. What they forbid ends immediately for everybody who does not moderate. */
  async setRules(rules: Partial<Rules>): Promise<void> {
    await this.#request('setRules', rules)
  }

  /** Starts a timer that everybody sees, in place of the one that runs; undefined stops it. */
  async setTimer(seconds: number | undefined): Promise<void> {
    await this.#request('setTimer', { seconds: seconds ?? null })
  }

  /** Pauses the timer for all, or lets it go on. */
  async pauseTimer(paused: boolean): Promise<void> {
    await this.#request('pauseTimer', { paused })
  }

  async rename(participantId: string, name: string): Promise<void> {
    await this.#request('renamePeer', { peerId: participantId, displayName: name })
  }

  /** Makes the participant a moderator for this session, or takes that back. Refused to co-hosts. */
  async setCoHost(participantId: string, coHost: boolean): Promise<void> {
    await this.#request('setCoHost', { peerId: participantId, coHost })
  }

  /** Removes the participant, who cannot come back to this session unless `mayReturn`. */
  async remove(participantId: string, { mayReturn = false } = {}): Promise<void> {
    await this.#request('removePeer', { peerId: participantId, mayReturn })
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
