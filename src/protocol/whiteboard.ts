/** The messages of the whiteboard's socket, as JSON in text frames. The whiteboard page is the only client. */
import { Type, type Static } from 'typebox'

/** The id of a shape, made by the page that draws it. */
const Id = Type.String({ minLength: 1, maxLength: 40 })
const Coordinate = Type.Number({ minimum: -1_000_000, maximum: 1_000_000 })
/** Pairs of x and y. */
const Points = Type.Array(Coordinate, { minItems: 2, maxItems: 4000 })
export const shapeKinds = ['pen', 'line', 'arrow', 'rectangle', 'ellipse', 'text'] as const

/** One shape on the board. A pen has any number of points, a text one, all others two. */
export const Shape = Type.Object(
  {
    id: Id,
    kind: Type.Unsafe<(typeof shapeKinds)[number]>(Type.Enum([...shapeKinds])),
    points: Points,
    color: Type.String({ pattern: '^#[0-9a-f]{6}$' }),
    width: Type.Number({ minimum: 1, maximum: 100 }),
    text: Type.Optional(Type.String({ maxLength: 2000 })),
  },
  { additionalProperties: false },
)
export type Shape = Static<typeof Shape>

export const ClientMessage = Type.Union([
  /** Draws the shape, or replaces the one with this id. */
  Type.Object({ do: Type.Literal('put'), shape: Shape }, { additionalProperties: false }),
  /** Adds points to a shape. */
  Type.Object({ do: Type.Literal('extend'), id: Id, points: Points }, { additionalProperties: false }),
  Type.Object(
    { do: Type.Literal('remove'), ids: Type.Array(Id, { minItems: 1, maxItems: 10_000 }) },
    { additionalProperties: false },
  ),
])
export type ClientMessage = Static<typeof ClientMessage>

/** A client gets the scene first, then the changes of others. */
export type ServerMessage =
  | { do: 'scene'; shapes: Shape[] }
  | ClientMessage
  /** The board is full, so the shape was not added. */
  | { do: 'full'; id: string }

/** The close code after which a page does not reconnect. */
export const CLOSED_FOR_GOOD = 4000

export const WHITEBOARD_SOCKET_PATH = '/whiteboard/socket'
