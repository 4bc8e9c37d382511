/** A poll: a question of a moderator, with options that participants choose from. */
import { Type, type Static } from 'typebox'

const MAX_OPTIONS = 12
const MAX_QUESTION_LENGTH = 300
const MAX_OPTION_LENGTH = 120

/** What a moderator asks. */
export const NewPoll = Type.Object({
  question: Type.String({ minLength: 1, maxLength: MAX_QUESTION_LENGTH }),
  options: Type.Array(Type.String({ minLength: 1, maxLength: MAX_OPTION_LENGTH }), {
    minItems: 2,
    maxItems: MAX_OPTIONS,
  }),
  multiple: Type.Optional(Type.Boolean({ description: 'Participants may choose several options.' })),
  anonymous: Type.Optional(Type.Boolean({ description: 'The others are not told who chose what.' })),
})
export type NewPoll = Static<typeof NewPoll>

/** Indexes into the options. */
export const Choices = Type.Array(Type.Integer({ minimum: 0, maximum: MAX_OPTIONS - 1 }), {
  minItems: 1,
  maxItems: MAX_OPTIONS,
})

/** What everybody is told of a vote in a poll that is not anonymous. */
export const Vote = Type.Object({
  voterId: Type.String({
    description:
      'Of this voter in this poll: the next vote with it replaces the former one. Not a participant id.',
  }),
  name: Type.String(),
  choices: Type.Array(Type.Integer()),
})
export type Vote = Static<typeof Vote>

export const Poll = Type.Object({
  pollId: Type.String(),
  question: Type.String(),
  options: Type.Array(Type.String()),
  multiple: Type.Boolean(),
  anonymous: Type.Boolean(),
  askerName: Type.String(),
  createdAt: Type.Integer({ description: 'ms since the epoch.' }),
  endedAt: Type.Union([Type.Integer(), Type.Null()]),
  counts: Type.Array(Type.Integer(), { description: 'The votes for each option.' }),
  voters: Type.Integer(),
  votes: Type.Optional(Type.Array(Vote, { description: 'Absent if the poll is anonymous.' })),
  own: Type.Optional(
    Type.Array(Type.Integer(), {
      description: "The receiver's own choices; only to those who join, and absent if there are none.",
    }),
  ),
})
export type Poll = Static<typeof Poll>
