/** What calls about one session have in common. */
import type { SessionRecord, StayRecord, Store } from '../../../store/store.ts'
import { Refusal } from '../../../protocol/errors.ts'

export const tag = 'Sessions'
export const bySession = { session: ({ params }: { params: { sessionId: string } }) => params.sessionId }
export const ofSession = { access: 'token', action: 'watch', about: bySession } as const

/** @throws {Refusal} NOT_FOUND if nobody with this id was there */
export async function staysOf(
  { sessions }: Pick<Store, 'sessions'>,
  { sessionId }: SessionRecord,
  participantId: string,
): Promise<StayRecord[]> {
  const own = await sessions.stays(sessionId, participantId)
  if (own.length === 0) throw new Refusal('NOT_FOUND', { message: 'Participant not found.' })
  return own
}
