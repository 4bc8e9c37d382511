import type { Remover } from '../door/removals.ts'
import type { Participant } from './participant.ts'
import { Refusal } from '../../protocol/errors.ts'
import { can, isForCoHosts, type Action } from './permissions.ts'

/** A participant, or the server acting for an authorised REST caller. */
export type Actor = Participant | 'server'

/** The id of the server as an actor. */
export const SERVER = 'server'

/** @throws {Refusal} INVALID_STATE if the actor has left, INVALID_PERMISSIONS if it may not do this */
export function assertMay(by: Actor, action: Action): void {
  if (by === SERVER) return
  if (!by.joined) throw new Refusal('INVALID_STATE')
  if (!can(by.authority, action) || (by.isCoHost && !isForCoHosts(action)))
    throw new Refusal('INVALID_PERMISSIONS')
}

export function idOf(actor: Actor): string {
  return actor === SERVER ? SERVER : actor.id
}

/** A participant in the role of removing another, or lifting a removal. */
export function removerInside({ id, name, grant, isCoHost }: Participant): Remover {
  return { participantId: id, name, isModerator: isCoHost || grant.entry === 'moderator' }
}
