/** Moderation: what one participant does to another or to all, except removals. */
import type { StreamKind } from '../../protocol/media.ts'
import type { RequestData } from '../../protocol/requests.ts'
import type { MeetingMedia } from '../media/meeting-media.ts'
import type { Participant } from './participant.ts'
import type { Action } from './permissions.ts'
import type { Roster } from './roster.ts'
import { assertMay, idOf, type Actor } from './actor.ts'
import type { SwitchableKind } from './rules.ts'

const switches = {
  audio: { kinds: ['audio'], off: 'disableMic', ask: 'askMic', asked: 'enableMic' },
  video: { kinds: ['video'], off: 'disableWebcam', ask: 'askWebcam', asked: 'enableWebcam' },
  share: { kinds: ['share', 'shareAudio'], off: 'disableShare', ask: 'askShare', asked: 'enableShare' },
} as const satisfies Record<SwitchableKind, { kinds: StreamKind[]; off: Action; ask: Action; asked: string }>

export class Moderation {
  readonly #roster: Roster
  readonly #media: MeetingMedia

  constructor(roster: Roster, media: MeetingMedia) {
    this.#roster = roster
    this.#media = media
  }

  /** Stops a stream of another participant at once, whatever the client does. */
  async stopStream(by: Actor, targetId: string, kind: SwitchableKind): Promise<void> {
    assertMay(by, switches[kind].off)
    await this.#stop(by, targetId, kind)
  }

  async #stop(by: Actor, targetId: string, kind: SwitchableKind): Promise<void> {
    const { kinds, off } = switches[kind]
    const target = this.#roster.require(targetId)
    target.askedFor.delete(kind)
    if (target.relayed) {
      for (const one of kinds) target.relayed.stopKind(one)
      return
    }
    const stopped = await this.#media.streams.pauseKinds(target, kinds)
    await target.link.request(off, { peerId: idOf(by) })
    this.#media.streams.closeProducers(target, stopped)
  }

  /** Asks another participant to send a stream; it needs that person's consent. */
  async askForStream(by: Actor, targetId: string, kind: SwitchableKind): Promise<void> {
    const { ask, asked } = switches[kind]
    assertMay(by, ask)
    const target = this.#roster.require(targetId)
    target.askedFor.add(kind)
    await target.link.request(asked, { peerId: idOf(by) })
  }

  /** Stops the streams of this kind of everybody else. */
  async stopAll(by: Participant, kind: SwitchableKind): Promise<void> {
    assertMay(by, switches[kind].off)
    const others = this.#roster.joined().filter((other) => other !== by)
    for (const { askedFor } of others) askedFor.delete(kind)
    const sending = others.filter(({ media }) => switches[kind].kinds.some((one) => media.has(one)))
    // Who leaves meanwhile has stopped as well.
    await Promise.allSettled(sending.map(({ id }) => this.stopStream(by, id, kind)))
  }

  /** Stops what the rules no longer allow this participant, even if who decided it has left meanwhile. */
  async enforce(by: Actor, participant: Participant): Promise<void> {
    const kinds = new Set(this.#media.streams.forbidden(participant).map(switchOf))
    await Promise.allSettled([...kinds].map((kind) => this.#stop(by, participant.id, kind)))
  }

  /** Tells another participant's app to switch to another meeting, which it does by itself. */
  async askToSwitch(
    by: Participant,
    { peerId, roomId, token = null, payload }: RequestData<'switchPeerRoom'>,
  ): Promise<void> {
    assertMay(by, 'switch')
    const { link } = this.#roster.require(peerId)
    await link.request('switchRoom', { roomId, token, payload, peerId: by.id })
  }

  pin(by: Participant, targetId: string, state: { cam?: boolean; share?: boolean }): void {
    assertMay(by, 'pin')
    this.#roster.require(targetId)
    // A page that records draws those who are pinned.
    for (const { link, joined } of this.#roster.all())
      if (joined) void link.request('pinStateChanged', { peerId: targetId, state, pinnedBy: by.id })
  }
}

function switchOf(kind: StreamKind): SwitchableKind {
  return kind === 'shareAudio' ? 'share' : kind
}
