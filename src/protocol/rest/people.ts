/** Shapes for exporting and erasing a participant's data; not in the contract. */
import { Type, type Static } from 'typebox'
import { Words } from '../rest.ts'

export const PersonBody = Type.Object({ participantId: Words })
export const ErasePersonBody = Type.Object({
  participantId: Words,
  recordings: Type.Union([Type.Literal('own'), Type.Literal('all')], {
    default: 'own',
    description:
      '`own`: recordings of this participant. `all`: also recordings and transcripts of whole meetings in which the participant was, with everybody else in them.',
  }),
})
export const ErasedPerson = Type.Object({
  sessions: Type.Integer({ description: 'How many sessions the participant was in.' }),
  erased: Type.Record(Type.String(), Type.Integer(), {
    description: 'How many records of each kind were deleted, or no longer name the participant.',
  }),
  recordingsLeft: Type.Array(Type.String(), {
    description: 'Outputs of whole meetings in which the participant can be heard or seen.',
  }),
  deliveriesWaiting: Type.Integer({
    description: 'Events that wait for a receiver; erase again when they are settled.',
  }),
})
export type ErasedPerson = Static<typeof ErasedPerson>
