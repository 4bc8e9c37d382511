/** Shapes shared by all of the REST API: ids, pages and refusals (contract, rest-and-tokens §1.4, §3.0). */
import { Type, type Static, type TProperties, type TSchema } from 'typebox'
import { errorNames } from './errors.ts'
import {
  isParticipantId,
  MAX_ID_LENGTH,
  MAX_WORDS_LENGTH,
  problemOfName,
  problemOfParticipantId,
} from './ids.ts'

/** A text that should be a meeting id or a custom id, but may be any text. */
export const Words = Type.String({ minLength: 1, maxLength: MAX_WORDS_LENGTH })

/** The id of a participant who has yet to join; must pass the strict rule of `ids.ts`. */
export const ParticipantId = Type.Refine(
  Type.String({
    minLength: 1,
    maxLength: MAX_ID_LENGTH,
    description:
      'In Unicode normal form C, without white space, control or invisible characters; not `.`, `..`, `active` or `server`.',
  }),
  isParticipantId,
  (value: string) => problemOfParticipantId(value) ?? '',
)

/** A name given by an operator. */
export const Label = Type.Refine(
  Type.String({ minLength: 1, maxLength: 100, description: 'One line of readable text.' }),
  (value: string) => problemOfName(value) === undefined,
  (value: string) => problemOfName(value) ?? '',
)

export const RoomId = Type.String({
  minLength: 1,
  maxLength: MAX_WORDS_LENGTH,
  description: 'The meeting, by its `roomId` or its custom id.',
  examples: ['87i6-bvw8-dtn1'],
})

/** ISO 8601 in UTC with milliseconds, for fields of the contract. */
export const Instant = Type.String({ format: 'date-time', examples: ['2026-01-31T12:00:00.000Z'] })

/** For fields that are not in the contract. */
export const AtMs = Type.Integer({ description: 'Milliseconds since the epoch.', examples: [1769860800000] })

export const RoomIdBody = Type.Object({ roomId: RoomId })
export type RoomIdBody = Static<typeof RoomIdBody>

/** The page of a list; spread into the query of each list. */
export const pageFields = {
  page: Type.Integer({ minimum: 1, maximum: 1_000_000, default: 1, description: 'The first page is 1.' }),
  perPage: Type.Integer({ minimum: 1, maximum: 100, default: 20 }),
} satisfies TProperties

export const PageQuery = Type.Object({
  ...pageFields,
  query: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: MAX_WORDS_LENGTH,
      description: 'Exactly this `roomId` or custom id.',
    }),
  ),
})
export type PageQuery = Static<typeof PageQuery>

export const PageInfo = Type.Object({
  currentPage: Type.Integer(),
  perPage: Type.Integer(),
  lastPage: Type.Integer({ minimum: 1 }),
  total: Type.Integer({ description: 'Of all pages together.' }),
})
export type PageInfo = Static<typeof PageInfo>

/** A page of a list. */
export interface PageOf<One> {
  pageInfo: PageInfo
  data: One[]
}

export function pageInfoOf(page: number, perPage: number, total: number): PageInfo {
  return { currentPage: page, perPage, lastPage: Math.max(1, Math.ceil(total / perPage)), total }
}

export function pageOf<One extends TSchema>(one: One) {
  return Type.Object({ pageInfo: PageInfo, data: Type.Array(one) })
}

/** The body of every refused call, except init-config. */
export const RefusalBody = Type.Object(
  {
    statusCode: Type.Integer({ description: 'The HTTP status again.' }),
    error: Type.String({ description: 'The same as `message`.' }),
    message: Type.String({ description: 'One plain sentence for people.' }),
    code: Type.Enum(errorNames, { description: 'Stable; what a program goes by.' }),
  },
  {
    title: 'Refusal',
    examples: [
      {
        statusCode: 401,
        error: 'Token is invalid or expired',
        message: 'Token is invalid or expired',
        code: 'INVALID_TOKEN',
      },
    ],
  },
)
export type RefusalBody = Static<typeof RefusalBody>
