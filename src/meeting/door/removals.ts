/**
 * The removals of one session: who may not return to it (docs/decisions/0004).
 *
 * A removal keeps out the participant id and the token; if another token took the seat while it was written, both tokens.
 * If others are inside with the same token, it keeps out only the id; the token follows when the last of them is removed.
 */
import type { RemovalRecord } from '../../store/store.ts'
import type { Grant } from '../../token/token.ts'
import { managesFromOutside } from '../roster/permissions.ts'

export type Removal = Omit<RemovalRecord, 'sessionId'>

/** A removal as shown to moderators. */
export interface RemovalView {
  participantId: string
  /** The display name at that time. */
  name: string
  at: number
  /** The id of the participant who removed it, or `server`; null in records of older versions. */
  by: string | null
  /** The name of that participant or operator; null if there is none. */
  byName: string | null
  /** One of its tokens still works, because others use it too; then only the participant id is kept out. */
  tokenShared: boolean
}

/** The person who removes somebody or lifts a removal. */
export interface Remover {
  /** Absent for a caller outside the meeting whose token has no participant. */
  participantId?: string
  /** The display name of the participant, or the name of the operator. */
  name?: string | null
  /** The token of a caller outside the meeting, because it does not say which of its holders calls. */
  tokenId?: string
  /** Has `allow_mod` or a management token. */
  isModerator: boolean
}

/** A person whom a removal may keep out: participant id and token. */
export interface Candidate {
  participantId?: string | undefined
  tokenId?: string | undefined
}

export class Removals {
  /** By participant id, oldest first; one for each token. */
  readonly #removals = new Map<string, readonly Removal[]>()

  constructor(removals: Iterable<Removal> = []) {
    for (const removal of removals) this.add(removal)
  }

  /** Replaces the removal of the same participant id and token. */
  add(removal: Removal): void {
    const others = this.of(removal.participantId).filter(({ tokenId }) => tokenId !== removal.tokenId)
    this.#removals.set(removal.participantId, [...others, removal])
  }

  of(participantId: string): readonly Removal[] {
    return this.#removals.get(participantId) ?? []
  }

  has(participantId: string, tokenId: string): boolean {
    return this.of(participantId).some((removal) => removal.tokenId === tokenId)
  }

  lift(participantId: string): void {
    this.#removals.delete(participantId)
  }

  keepOut({ participantId, tokenId }: Candidate): boolean {
    if (participantId !== undefined && this.#removals.has(participantId)) return true
    return tokenId !== undefined && this.#keepOutToken(tokenId)
  }

  /** Oldest first. */
  list(): RemovalView[] {
    return [...this.#removals.values()].map((all) => {
      const { participantId, name, at, by, byName } = all.at(-1)!
      return {
        participantId,
        name: name ?? participantId,
        at,
        by,
        byName,
        tokenShared: all.some(({ tokenId }) => !this.#keepOutToken(tokenId)),
      }
    })
  }

  #keepOutToken(tokenId: string): boolean {
    for (const removals of this.#removals.values()) {
      if (removals.some((removal) => !removal.tokenShared && removal.tokenId === tokenId)) return true
    }
    return false
  }
}

/** What `sharesToken` needs to know about a participant. */
export interface Holder {
  id: string
  tokenId: string
  /** A seat that has not joined does not count as a holder of its token, because nobody sees it. */
  joined: boolean
  /** A relay guest has the token of another meeting. */
  relayed: unknown
}

/** Whether somebody else has joined with the token of the removed participant. */
export function sharesToken(removed: Pick<Holder, 'id' | 'tokenId'>, present: Iterable<Holder>): boolean {
  for (const { id, tokenId, joined, relayed } of present) {
    if (joined && !relayed && tokenId === removed.tokenId && id !== removed.id) return true
  }
  return false
}

/** Whether this person may lift the removals of an id: nobody lifts their own, and only a moderator lifts a moderator's. */
export function mayLift(removals: readonly Removal[], by: Remover): boolean {
  return removals.every(
    ({ participantId, tokenId, byModerator }) =>
      by.participantId !== participantId && by.tokenId !== tokenId && (by.isModerator || !byModerator),
  )
}

/** The holder of a grant who calls from outside the meeting. */
export function removerOf(grant: Grant): Remover {
  return {
    ...(grant.participantId !== undefined && { participantId: grant.participantId }),
    tokenId: grant.tokenId,
    isModerator: managesFromOutside(grant),
  }
}
