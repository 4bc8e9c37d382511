/** Asks at the door of a breakout room whether the holder of a token is assigned to it now: in the store, wherever the parent meeting is. */
import type { MeetingRecord, Store } from '../../store/store.ts'
import { wasGivenFor, type Grant } from '../../token/token.ts'
import type { Refusal } from '../../protocol/errors.ts'
import { Removals } from '../door/removals.ts'
import { decisionsFrom } from '../session/decisions.ts'
import { refusalAtRoom } from './plan.ts'

export interface RoomDoorOptions {
  store: Pick<Store, 'sessions'>
  isRevoked: (token: Pick<Grant, 'projectId' | 'tokenId'>) => boolean
}

/** Returns why this token does not lead into this meeting, if that is a breakout room and so it is. */
export async function refusalOfBreakout(
  { store, isRevoked }: RoomDoorOptions,
  { meetingId: roomId, settings: { breakoutOf }, projectId }: MeetingRecord,
  grant: Grant,
  participantId: string,
): Promise<Refusal | undefined> {
  if (!breakoutOf) return undefined
  const { sessionId } = breakoutOf
  const session = await store.sessions.get(sessionId)
  const isOn = session?.endedAt === null
  const removals = new Removals()
  if (isOn) for (const removal of await store.sessions.removals(sessionId)) removals.add(removal)
  return refusalAtRoom({
    plan: isOn ? decisionsFrom(await store.sessions.decisions(sessionId)).breakouts : undefined,
    roomId,
    participantId,
    wasGivenFor: (tokenId) => wasGivenFor(grant, tokenId),
    isKeptOut: (person) => removals.keepOut(person) || isRevoked({ projectId, tokenId: person.tokenId }),
  })
}
