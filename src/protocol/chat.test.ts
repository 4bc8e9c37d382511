/**
 * The frames of the chat socket equal those of docs/contract/chat.proto, byte for byte, as protobuf's own library
 * encodes them.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { create, createFileRegistry, fromBinary, toBinary, type DescMessage } from '@bufbuild/protobuf'
import {
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as FieldType,
  FileDescriptorProtoSchema,
} from '@bufbuild/protobuf/wkt'
import {
  decodeChatMessage,
  decodeClientFrame,
  decodeServerFrame,
  encodeChatMessage,
  encodeClientFrame,
  encodeServerFrame,
} from './chat.ts'

const bytes = new Uint8Array([0, 255, 7])
const samples = { string: 'Grüße 👋', bytes, int32: -1, uint32: 4_000_000_000, bool: true }
const defaults = { string: '', bytes: new Uint8Array(0), int32: 0, uint32: 0, bool: false }
type Scalar = keyof typeof samples
const messages = read(readFileSync(new URL('../../docs/contract/chat.proto', import.meta.url), 'utf8'))

type Encode = (kind: string, value: object) => Uint8Array

/** Parses as much of proto3 as the file uses. */
function read(text: string): (name: string) => DescMessage {
  const messageType = [...text.matchAll(/^message (\w+) \{([\s\S]*?)^\}/gm)].map(([, name, body]) => {
    const oneof = /oneof (\w+)/.exec(body!)?.[1]
    const fields = body!.matchAll(/^\s*(repeated )?(\w+) (\w+) = (\d+);/gm)
    return {
      name: name!,
      ...(oneof && { oneofDecl: [{ name: oneof }] }),
      field: [...fields].map(([, repeated, type = '', field, number]) => ({
        name: field!,
        jsonName: field!,
        number: Number(number),
        label: repeated ? Label.REPEATED : Label.OPTIONAL,
        ...(type in samples
          ? { type: FieldType[type.toUpperCase() as keyof typeof FieldType] }
          : { type: FieldType.MESSAGE, typeName: `.${type}` }),
        ...(oneof && { oneofIndex: 0 }),
      })),
    }
  })
  const file = create(FileDescriptorProtoSchema, { name: 'chat.proto', syntax: 'proto3', messageType })
  const registry = createFileRegistry(file, () => undefined)
  return (name) => registry.getMessage(name)!
}

/** Returns a value for each field. */
function valueOf(message: DescMessage, from: Record<Scalar, unknown>): Record<string, any> {
  return Object.fromEntries(
    message.fields.map((field) => {
      const type = FieldType[field.proto.type].toLowerCase() as Scalar
      const list = [from[type], samples[type], from[type]]
      return [field.name, field.fieldKind !== 'list' ? from[type] : from === defaults ? [] : list]
    }),
  )
}

for (const [name, decode, encode] of [
  ['ClientFrame', decodeClientFrame, encodeClientFrame as Encode],
  ['ServerFrame', decodeServerFrame, encodeServerFrame as Encode],
] as const) {
  const frame = messages(name)
  for (const { name: kind, message } of frame.fields)
    for (const [what, from] of [
      ['full', samples],
      ['empty', defaults],
    ] as const)
      test(`${name}: ${kind}, ${what}, is the same to both`, () => {
        const value = valueOf(message!, from)
        const theirs = toBinary(
          frame,
          create(frame, { frame: { case: kind, value: create(message!, value) } }),
        )
        assert.deepEqual(Buffer.from(encode(kind, value)), Buffer.from(theirs))
        assert.deepEqual(decode(theirs), { kind, value })
      })
}

test('a message is the same to both', () => {
  const message = messages('ChatMessage')
  for (const from of [samples, defaults]) {
    const value = valueOf(message, from)
    const theirs = toBinary(message, create(message, value))
    assert.deepEqual(Buffer.from(encodeChatMessage(value)), Buffer.from(theirs))
    assert.deepEqual(decodeChatMessage(theirs), value)
    assert.ok(fromBinary(message, theirs))
  }
})

test('refuses invalid frames: empty, truncated, of another wire type, or with text that is not UTF-8', () => {
  const full = encodeClientFrame('publish', { topic: 'CHAT', message: 'Hello' })
  for (const wrong of [
    new Uint8Array(0),
    full.subarray(0, full.length - 1),
    // Publish.topic as a number; the frame itself as a number.
    new Uint8Array([0x1a, 2, 0x08, 1]),
    new Uint8Array([0x18, 1]),
    new Uint8Array([0x1a, 3, 0x0a, 1, 0xff]),
  ])
    assert.throws(() => decodeClientFrame(wrong), String(wrong))
})

test('ignores fields of later clients', () => {
  const added = new Uint8Array([0x2a, 7, 0x08, 1, 0x7a, 3, 120, 121, 122])
  assert.deepEqual(decodeClientFrame(added), { kind: 'pong', value: { seq: 1 } })
})
