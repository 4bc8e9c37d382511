import type { Remover } from '../door/removals.ts'
import type { Participant } from './participant.ts'
import { Refusal } from '../../protocol/errors.ts'
import { can, type Action } from './permissions.ts'

/** A participant, or the server itself on behalf of a caller that its REST API let through. */
export type Actor = Participant | 'server'

/** The id under which the server acts. */
export const SERVER = 'server'

/** @throws {Refusal} INVALID_STATE once the actor has left, INVALID_PERMISSIONS when it may not do this */
export function assertMay(by: Actor, action: Action): void {
  if (by === SERVER) return
  if (!by.joined) throw new Refusal('INVALID_STATE')
  if (!can(by.authority, action)) throw new Refusal('INVALID_PERMISSIONS')
}

export function idOf(actor: Actor): string {
  return actor === SERVER ? SERVER : actor.id
}

/** A participant as the one who removes another, or lifts a removal. */
export function removerInside({ id, grant }: Participant): Remover {
  return { participantId: id, isModerator: grant.entry === 'moderator' }
}
