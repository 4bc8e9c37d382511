/**
 * The frames of the chat socket: protobuf (proto3, contract, signalling §4.4). Each message is a table of its
 * fields, used for encoding and decoding. A frame with text that is not UTF-8 is rejected.
 */
import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire'

type Scalar = 'string' | 'bytes' | 'int32' | 'uint32' | 'bool'
type Field = readonly [number: number, type: Scalar, repeated?: 'repeated']
type Shape = Record<string, Field>

interface Values {
  string: string
  bytes: Uint8Array
  int32: number
  /** Also used for the contract's uint64 fields: they are counters and stay small. */
  uint32: number
  bool: boolean
}

type Decoded<S extends Shape> = {
  [Name in keyof S]: S[Name] extends readonly [number, infer T extends Scalar, 'repeated']
    ? Values[T][]
    : Values[S[Name][1]]
}

const subscribe = {
  topic: [1, 'string'],
  peerId: [2, 'string'],
  /** −1: all; 0: none; n: the last n. */
  oldMessageLimit: [3, 'int32'],
  /** `queue` or `drop`. */
  realtimeOverflow: [4, 'string'],
  queueSize: [5, 'int32'],
  requestId: [6, 'string'],
  /** In 500 ms; 0: no limit. */
  newMessageLimit: [7, 'int32'],
} as const satisfies Shape

const unsubscribe = { topic: [1, 'string'], requestId: [2, 'string'] } as const satisfies Shape

const publish = {
  topic: [1, 'string'],
  payload: [2, 'bytes'],
  message: [3, 'string'],
  sendOnly: [4, 'string', 'repeated'],
  timestamp: [5, 'string'],
  senderId: [6, 'string'],
  senderName: [7, 'string'],
  persist: [8, 'bool'],
  messageId: [9, 'string'],
  requestId: [10, 'string'],
} as const satisfies Shape

const getHistory = {
  topic: [1, 'string'],
  persistMsgId: [2, 'string'],
  batchSize: [3, 'uint32'],
  requestId: [4, 'string'],
} as const satisfies Shape

const pong = { seq: [1, 'uint32'] } as const satisfies Shape

const batch = {
  topic: [1, 'string'],
  payloads: [2, 'bytes', 'repeated'],
  batchType: [3, 'string'],
  startSeq: [4, 'uint32'],
  endSeq: [5, 'uint32'],
  isLast: [6, 'bool'],
  batchSeq: [7, 'uint32'],
  requestId: [8, 'string'],
} as const satisfies Shape

const ack = {
  requestId: [1, 'string'],
  ok: [2, 'bool'],
  error: [3, 'string'],
  messageId: [4, 'string'],
} as const satisfies Shape

const welcome = { pingIntervalMs: [1, 'uint32'] } as const satisfies Shape
const ping = { seq: [1, 'uint32'] } as const satisfies Shape

const message = {
  message: [1, 'string'],
  payload: [2, 'bytes'],
  timestamp: [3, 'string'],
  senderId: [4, 'string'],
  senderName: [5, 'string'],
  persistMsgId: [6, 'string'],
  messageId: [7, 'string'],
  sendOnly: [8, 'string', 'repeated'],
  seqNum: [9, 'uint32'],
} as const satisfies Shape

/** The `oneof` of each direction: name → field number and shape. */
const clientFrames = {
  subscribe: [1, subscribe],
  unsubscribe: [2, unsubscribe],
  publish: [3, publish],
  getHistory: [4, getHistory],
  pong: [5, pong],
} as const
const serverFrames = { batch: [1, batch], ack: [2, ack], welcome: [3, welcome], ping: [4, ping] } as const

type Frames = Record<string, readonly [number, Shape]>
type Frame<F extends Frames> = { [Kind in keyof F]: { kind: Kind; value: Decoded<F[Kind][1]> } }[keyof F]

export type ClientFrame = Frame<typeof clientFrames>
export type ServerFrame = Frame<typeof serverFrames>
export type Subscribe = Decoded<typeof subscribe>
export type Publish = Decoded<typeof publish>
export type ChatMessage = Decoded<typeof message>
export type ServerBatch = Decoded<typeof batch>

/** `ServerBatch.batchType` of older messages. */
export const OLD_MESSAGES = 'old-messages'
export const NEW_MESSAGES = 'new-messages'

/** @throws {Error} if the bytes are not a valid frame */
export const decodeClientFrame = (bytes: Uint8Array): ClientFrame => decodeFrame(clientFrames, bytes)
export const decodeServerFrame = (bytes: Uint8Array): ServerFrame => decodeFrame(serverFrames, bytes)
export const encodeClientFrame = <Kind extends ClientFrame['kind']>(
  kind: Kind,
  value: Partial<Extract<ClientFrame, { kind: Kind }>['value']>,
): Uint8Array<ArrayBuffer> => encodeFrame(clientFrames[kind], value)
export const encodeServerFrame = <Kind extends ServerFrame['kind']>(
  kind: Kind,
  value: Partial<Extract<ServerFrame, { kind: Kind }>['value']>,
): Uint8Array<ArrayBuffer> => encodeFrame(serverFrames[kind], value)
export const encodeChatMessage = (value: Partial<ChatMessage>): Uint8Array =>
  write(new BinaryWriter(), message, value).finish()
export const decodeChatMessage = (bytes: Uint8Array): ChatMessage =>
  read(new BinaryReader(bytes), bytes.length, message)

function encodeFrame([number, shape]: readonly [number, Shape], value: object): Uint8Array<ArrayBuffer> {
  const writer = new BinaryWriter().tag(number, WireType.LengthDelimited).fork()
  // The writer allocates its own buffers, so they are not shared.
  return write(writer, shape, value as Record<string, unknown>)
    .join()
    .finish()
}

function write(writer: BinaryWriter, shape: Shape, value: Record<string, unknown>): BinaryWriter {
  for (const { name, number, type, repeated } of layoutOf(shape).fields) {
    const given = value[name]
    if (given === undefined) continue
    const all = repeated ? (given as Values[Scalar][]) : [given as Values[Scalar]]
    for (const one of all) {
      // proto3 omits default values, except in lists.
      if (!repeated && isDefault(one)) continue
      writer.tag(number, wireTypes[type])
      if (type === 'string') writer.string(one as string)
      else if (type === 'bytes') writer.bytes(one as Uint8Array)
      else if (type === 'bool') writer.bool(one as boolean)
      else writer[type](one as number)
    }
  }
  return writer
}

function decodeFrame<F extends Frames>(frames: F, bytes: Uint8Array): Frame<F> {
  const reader = new BinaryReader(bytes)
  let frame: Frame<F> | undefined
  while (reader.pos < reader.len) {
    const [number, wireType] = reader.tag()
    const kind = kindOf(frames, number)
    if (kind === undefined) {
      reader.skip(wireType, number)
      continue
    }
    if (wireType !== WireType.LengthDelimited) throw new Error('The frame is malformed.')
    const end = reader.uint32() + reader.pos
    if (end > reader.len) throw new Error('The frame is cut short.')
    // The last field of a oneof wins.
    frame = { kind, value: read(reader, end, frames[kind]![1]) }
  }
  if (!frame) throw new Error('The frame is empty.')
  return frame
}

function read<S extends Shape>(reader: BinaryReader, end: number, shape: S): Decoded<S> {
  const { fields, byNumber } = layoutOf(shape)
  const value: Record<string, unknown> = {}
  for (const { name, type, repeated } of fields) value[name] = repeated ? [] : defaults[type]()
  while (reader.pos < end) {
    const [number, wireType] = reader.tag()
    const field = byNumber.get(number)
    if (field === undefined) {
      reader.skip(wireType, number)
      continue
    }
    const { name, type, repeated } = field
    if (wireType !== wireTypes[type]) throw new Error(`The field ${name} is malformed.`)
    const one =
      type === 'uint32' ? Number(reader.uint64()) : type === 'string' ? reader.string(true) : reader[type]()
    if (repeated) (value[name] as unknown[]).push(one)
    else value[name] = one
  }
  if (reader.pos !== end) throw new Error('The message is cut short.')
  return value as Decoded<S>
}

interface Layout {
  fields: readonly { name: string; number: number; type: Scalar; repeated: boolean }[]
  byNumber: ReadonlyMap<number, Layout['fields'][number]>
}

/** Made once for each shape: a table read anew for each frame would take twice the time of decoding. */
const layouts = new WeakMap<Shape, Layout>()
function layoutOf(shape: Shape): Layout {
  let layout = layouts.get(shape)
  if (!layout) {
    const fields = Object.entries(shape).map(([name, [number, type, repeated]]) => ({
      name,
      number,
      type,
      repeated: repeated !== undefined,
    }))
    layout = { fields, byNumber: new Map(fields.map((field) => [field.number, field])) }
    layouts.set(shape, layout)
  }
  return layout
}

function kindOf<F extends Frames>(frames: F, number: number): Extract<keyof F, string> | undefined {
  for (const kind in frames) if (frames[kind]![0] === number) return kind
  return undefined
}

const wireTypes: Record<Scalar, WireType> = {
  string: WireType.LengthDelimited,
  bytes: WireType.LengthDelimited,
  int32: WireType.Varint,
  uint32: WireType.Varint,
  bool: WireType.Varint,
}

const defaults: { [T in Scalar]: () => Values[T] } = {
  string: () => '',
  bytes: () => new Uint8Array(0),
  int32: () => 0,
  uint32: () => 0,
  bool: () => false,
}

function isDefault(value: Values[Scalar]): boolean {
  return value instanceof Uint8Array ? value.length === 0 : !value
}
