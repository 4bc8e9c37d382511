/** Shapes of what the page asks before a join; of knocking at a bare address, see docs/decisions/0023. */
import { Type, type Static } from 'typebox'
import { RoomId } from '../rest.ts'

export const KnockBody = Type.Object({ meetingId: RoomId }, { examples: [{ meetingId: '87i6-bvw8-dtn1' }] })

/** Lets one new participant ask to join one meeting. */
export const KnockedPass = Type.Object({
  token: Type.String(),
  meetingId: Type.String(),
  participantId: Type.String({ description: 'The only participant that the token is for.' }),
  entry: Type.Literal('ask'),
})
export type KnockedPass = Static<typeof KnockedPass>

export const KnockSettingBody = Type.Object({ knock: Type.Boolean() })

export const KnockSetting = Type.Object({ roomId: Type.String(), knock: Type.Boolean() })
export type KnockSetting = Static<typeof KnockSetting>

/** Who is inside, for those who are about to join. */
export const Inside = Type.Object({
  count: Type.Integer({ description: 'Participants who have joined.' }),
  names: Type.Array(Type.String(), { maxItems: 20, description: 'Of the first of them.' }),
})
export type Inside = Static<typeof Inside>
