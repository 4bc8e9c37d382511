/** Breakout rooms: meetings of their own, into which a moderator divides the participants of a meeting for a while. */
import { Type, type Static } from 'typebox'

const MAX_BREAKOUT_ROOMS = 50
const MAX_NAME_LENGTH = 80
const MAX_PEOPLE = 1000
const MAX_ANNOUNCEMENT_LENGTH = 500

const Id = Type.String({ minLength: 1, maxLength: 256 })

/** What a moderator opens. Participants who left meanwhile are passed over. */
export const NewBreakouts = Type.Object({
  rooms: Type.Array(
    Type.Object({
      name: Type.String({ pattern: '\\S', maxLength: MAX_NAME_LENGTH }),
      peerIds: Type.Array(Id, { maxItems: MAX_PEOPLE }),
    }),
    { minItems: 1, maxItems: MAX_BREAKOUT_ROOMS },
  ),
  seconds: Type.Optional(
    Type.Union([Type.Integer({ minimum: 10, maximum: 86_400 }), Type.Null()], {
      description: 'After this time everybody is called back. Absent or null: until a moderator does.',
    }),
  ),
})
export type NewBreakouts = Static<typeof NewBreakouts>

export const Announcement = Type.String({ minLength: 1, maxLength: MAX_ANNOUNCEMENT_LENGTH })

const People = Type.Array(Type.Object({ id: Type.String(), name: Type.String() }))

/** What a participant is told: a moderator of all rooms, the others of their own. */
export const Breakouts = Type.Object({
  rooms: Type.Array(
    Type.Object({
      roomId: Type.String({ description: 'The meeting that the room is.' }),
      name: Type.String(),
      assigned: { ...People, description: 'Who is to be there; empty to those who do not moderate.' },
      people: { ...People, description: 'Who is there; empty to those who do not moderate.' },
    }),
  ),
  ownRoomId: Type.Union([Type.String(), Type.Null()], {
    description: 'The room to which the receiver is assigned.',
  }),
  leftMs: Type.Union([Type.Integer(), Type.Null()], {
    description: 'The time until everybody is called back, or has to be back; null: no end is set.',
  }),
  closing: Type.Boolean({ description: 'Everybody was called back.' }),
})
export type Breakouts = Static<typeof Breakouts>

/** The answer to `enterBreakout`: the way in. */
export interface BreakoutPass {
  roomId: string
  token: string
  name: string
  leftMs: number | null
}

/** The `payload` of a `switchRoom` that leads into a room, or back. */
export interface BreakoutSwitch {
  breakout: {
    /** Of the room; absent on the way back. */
    name?: string
    /** The meeting whose room it is. */
    parentId: string
    leftMs: number | null
  }
}
