/** The other participants: who they are, what they send, who speaks, and who is pinned for all. */
import type { Peer, ServerRequests } from '../protocol/notifications.ts'
import type { Tell } from './events.ts'
import { type AnyStream, missing, newParticipant, type Participant } from './participant.ts'

const UNKNOWN = { code: 1007, message: 'UNKNOWN' }

export class Roster<S extends AnyStream> {
  /** By id. */
  readonly participants = new Map<string, Participant<S>>()
  activeSpeakerId: string | null = null
  /** The one pinned last. */
  pinnedId: string | null = null
  readonly pinnedIds = new Set<string>()
  readonly #tell: Tell<S>
  readonly #dropStreams: (participantId: string) => void

  /** @param dropStreams ends the received streams of a participant who left */
  constructor(tell: Tell<S>, dropStreams: (participantId: string) => void) {
    this.#tell = tell
    this.#dropStreams = dropStreams
  }

  /** Replaces the list of participants. The active speaker and the state of streams are reported afterwards. */
  replace(peers: readonly Peer[]): void {
    this.activeSpeakerId = null
    for (const id of missing(this.participants.keys(), peers)) this.leave(id, UNKNOWN)
    for (const peer of peers) this.meet(peer)
  }

  /** A participant joined, or is reported again. */
  meet(peer: Peer): void {
    const known = this.participants.get(peer.id)
    if (known) {
      Object.assign(known, newParticipant<S>(peer), { streams: known.streams })
      this.#tell('participantChanged', known)
      return
    }
    const participant = newParticipant<S>(peer)
    this.participants.set(participant.id, participant)
    this.#tell('participantJoined', participant)
  }

  leave(id: string, reason: { code: number; message: string }): void {
    const participant = this.participants.get(id)
    if (!participant) return
    this.#dropStreams(id)
    this.participants.delete(id)
    this.pinnedIds.delete(id)
    if (this.pinnedId === id) this.#setPinned(null)
    this.#tell('participantLeft', participant, reason)
  }

  change(id: string, change: (participant: Participant<S>) => void): void {
    const participant = this.participants.get(id)
    if (!participant) return
    change(participant)
    this.#tell('participantChanged', participant)
  }

  speak(id: string | null): void {
    this.activeSpeakerId = id
    this.#tell('activeSpeakerChanged', id)
  }

  pin({ peerId, state }: ServerRequests['pinStateChanged']): void {
    const isPinned = state.cam === true || state.share === true
    if (isPinned) this.pinnedIds.add(peerId)
    else this.pinnedIds.delete(peerId)
    if (isPinned) this.#setPinned(peerId)
    else this.#setPinned(this.pinnedId === peerId ? null : this.pinnedId)
  }

  addStream(stream: S): void {
    const participant = this.participants.get(stream.participantId)
    if (!participant) return
    participant.streams.set(stream.id, stream)
    this.#tell('streamAdded', stream, participant)
  }

  removeStream(stream: S): void {
    const participant = this.participants.get(stream.participantId)
    if (!participant?.streams.delete(stream.id)) return
    this.#tell('streamRemoved', stream, participant)
  }

  changeStream(stream: S): void {
    const participant = this.participants.get(stream.participantId)
    if (participant) this.#tell('streamChanged', stream, participant)
  }

  #setPinned(id: string | null): void {
    this.pinnedId = id
    this.#tell('pinChanged', id)
  }
}
