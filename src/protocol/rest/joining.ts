/** HTTP requests of a joining app: where to connect, and files shared in a meeting (contract, signalling §1.1, §1.4). */
import { Type, type Static } from 'typebox'
import { errorNames } from '../errors.ts'
import { RoomId } from '../rest.ts'
import { Preparing } from './watching.ts'

export const InitConfigBody = Type.Object({ roomId: RoomId })

const Where = Type.Object({
  baseUrl: Type.String({ description: 'The host to connect the socket to.' }),
  socketPath: Type.Optional(Type.String({ description: 'The prefix of the socket’s path.' })),
  signalingUrl: Type.String({ description: 'The socket of clients before 0.2.' }),
  iceServers: Type.String({ description: 'Always empty; see `iceServersPlain`.' }),
  iceServersPlain: Type.Array(
    Type.Object({
      urls: Type.Array(Type.String()),
      username: Type.Optional(Type.String()),
      credential: Type.Optional(Type.String()),
    }),
  ),
  observability: Type.Record(Type.String(), Type.Unknown()),
})

export const InitConfig = Type.Object({
  data: Type.Object({
    ...Where.properties,
    encryption: Type.Union([Type.Literal('required'), Type.Literal('optional')], {
      description: 'Ours: whether all media must be end-to-end encrypted.',
    }),
    maxFileBytes: Type.Integer({ description: 'Ours: the largest file that can be shared; 0: none.' }),
  }),
})

/**
 * Unlike the rest of REST, `code` is a number here, because the published clients read a number (docs/decisions/0007). A body that
 * cannot be parsed is refused before the route is known, so with the name of the code.
 */
export const InitConfigRefusal = Type.Object(
  {
    statusCode: Type.Integer(),
    error: Type.String(),
    message: Type.String(),
    code: Type.Union([Type.Integer({ examples: [4002] }), Type.Enum(errorNames)]),
    name: Type.Optional(Type.Enum(errorNames)),
    preparing: Type.Optional(Preparing),
    data: Where,
  },
  { title: 'InitConfigRefusal' },
)

export const FileQuery = Type.Object({ roomId: Type.Optional(RoomId) })

export const FileBody = Type.Object({
  fileName: Type.String({ minLength: 1, maxLength: 256 }),
  base64Data: Type.String({
    minLength: 1,
    description: 'Base64, with or without the head of a `data:` URL.',
  }),
})
export type FileBody = Static<typeof FileBody>

export const FileUrl = Type.Object({ url: Type.String() })
