/** STUN messages (RFC 8489), as ICE (RFC 8445) and TURN (RFC 8656) use them. */
import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { isIPv6 } from 'node:net'
import { crc32 } from 'node:zlib'

const MAGIC_COOKIE = 0x2112a442
const FINGERPRINT_MASK = 0x5354554e
const TRANSACTION_BYTES = 12
export const HEADER_BYTES = 20
const INTEGRITY_BYTES = 20
const FINGERPRINT_BYTES = 4
const [IPV4, IPV6] = [1, 2]

/** Method and class of a message. */
export const types = {
  bindingRequest: 0x0001,
  bindingSuccess: 0x0101,
  allocateRequest: 0x0003,
  allocateSuccess: 0x0103,
  allocateError: 0x0113,
  refreshRequest: 0x0004,
  permissionRequest: 0x0008,
  permissionSuccess: 0x0108,
  permissionError: 0x0118,
  sendIndication: 0x0016,
  dataIndication: 0x0017,
} as const

export const attributes = {
  username: 0x0006,
  integrity: 0x0008,
  errorCode: 0x0009,
  lifetime: 0x000d,
  peerAddress: 0x0012,
  data: 0x0013,
  realm: 0x0014,
  nonce: 0x0015,
  relayedAddress: 0x0016,
  requestedTransport: 0x0019,
  mappedAddress: 0x0020,
  priority: 0x0024,
  fingerprint: 0x8028,
  controlling: 0x802a,
} as const

export interface Endpoint {
  address: string
  port: number
}

export interface Message {
  type: number
  transaction: Buffer
  attributes: ReadonlyMap<number, Buffer>
}

export type Values = readonly (readonly [attribute: number, value: Buffer | string])[]

export const newTransaction = (): Buffer => randomBytes(TRANSACTION_BYTES)

/** @param key signs the message, if given */
export function encode(type: number, transaction: Buffer, values: Values, key?: Buffer | string): Buffer {
  const parts = values.map(([attribute, value]) => part(attribute, Buffer.from(value)))
  const header = Buffer.alloc(HEADER_BYTES)
  header.writeUInt16BE(type, 0)
  header.writeUInt32BE(MAGIC_COOKIE, 4)
  transaction.copy(header, 8)
  let message = Buffer.concat([header, ...parts])
  // The length in the header includes what is about to be added.
  const announce = (bytes: number): void =>
    void message.writeUInt16BE(message.length - HEADER_BYTES + 4 + bytes, 2)
  if (key !== undefined) {
    announce(INTEGRITY_BYTES)
    message = Buffer.concat([
      message,
      part(attributes.integrity, createHmac('sha1', key).update(message).digest()),
    ])
  }
  announce(FINGERPRINT_BYTES)
  const fingerprint = Buffer.alloc(FINGERPRINT_BYTES)
  fingerprint.writeUInt32BE((crc32(message) ^ FINGERPRINT_MASK) >>> 0)
  return Buffer.concat([message, part(attributes.fingerprint, fingerprint)])
}

function part(attribute: number, value: Buffer): Buffer {
  const bytes = Buffer.alloc(4 + padded(value.length))
  bytes.writeUInt16BE(attribute, 0)
  bytes.writeUInt16BE(value.length, 2)
  value.copy(bytes, 4)
  return bytes
}

const padded = (length: number): number => Math.ceil(length / 4) * 4

/** How long the message is that begins with these bytes; undefined if that is not known yet. */
export function lengthOf(bytes: Buffer): number | undefined {
  return bytes.length < 4 ? undefined : HEADER_BYTES + bytes.readUInt16BE(2)
}

/** Undefined if this is no STUN message. */
export function decode(bytes: Buffer): Message | undefined {
  if (bytes.length < HEADER_BYTES || bytes.length < lengthOf(bytes)!) return undefined
  if (bytes.readUInt16BE(0) > 0x3fff || bytes.readUInt32BE(4) !== MAGIC_COOKIE) return undefined
  const found = new Map<number, Buffer>()
  const end = lengthOf(bytes)!
  for (let at = HEADER_BYTES; at + 4 <= end;) {
    const [attribute, length] = [bytes.readUInt16BE(at), bytes.readUInt16BE(at + 2)]
    if (at + 4 + length > end) return undefined
    if (!found.has(attribute)) found.set(attribute, bytes.subarray(at + 4, at + 4 + length))
    at += 4 + padded(length)
  }
  return { type: bytes.readUInt16BE(0), transaction: bytes.subarray(8, HEADER_BYTES), attributes: found }
}

/** Whether the message was signed with this key. */
export function isSignedBy(bytes: Buffer, key: Buffer | string): boolean {
  const signature = decode(bytes)?.attributes.get(attributes.integrity)
  if (signature?.length !== INTEGRITY_BYTES) return false
  const end = signature.byteOffset - bytes.byteOffset - 4
  const signed = Buffer.from(bytes.subarray(0, end))
  signed.writeUInt16BE(end - HEADER_BYTES + 4 + INTEGRITY_BYTES, 2)
  return timingSafeEqual(signature, createHmac('sha1', key).update(signed).digest())
}

/** The key of credentials that a server knows by its realm (RFC 8489, section 9.2.2). */
export const longTermKey = (username: string, realm: string, password: string): Buffer =>
  createHash('md5').update(`${username}:${realm}:${password}`).digest()

/** An address as it is sent, disguised by the cookie. */
export function encodeAddress({ address, port }: Endpoint, transaction: Buffer): Buffer {
  const bytes = addressBytes(address)
  const value = Buffer.alloc(4 + bytes.length)
  value[1] = bytes.length === 4 ? IPV4 : IPV6
  value.writeUInt16BE(port ^ (MAGIC_COOKIE >>> 16), 2)
  disguise(bytes, transaction).copy(value, 4)
  return value
}

export function decodeAddress(value: Buffer, transaction: Buffer): Endpoint | undefined {
  const bytes = value[1] === IPV4 ? value.subarray(4, 8) : value.subarray(4, 20)
  if (value.length < 8 || bytes.length !== (value[1] === IPV4 ? 4 : 16)) return undefined
  const port = value.readUInt16BE(2) ^ (MAGIC_COOKIE >>> 16)
  const plain = disguise(bytes, transaction)
  const address =
    plain.length === 4
      ? plain.join('.')
      : new URL(
          `http://[${Array.from({ length: 8 }, (_, at) => plain.readUInt16BE(at * 2).toString(16)).join(':')}]`,
        ).hostname.slice(1, -1)
  return { address, port }
}

function disguise(bytes: Buffer, transaction: Buffer): Buffer {
  const mask = Buffer.alloc(16)
  mask.writeUInt32BE(MAGIC_COOKIE, 0)
  transaction.copy(mask, 4)
  return Buffer.from(bytes.map((byte, at) => byte ^ mask[at]!))
}

function addressBytes(address: string): Buffer {
  if (!isIPv6(address)) return Buffer.from(address.split('.').map(Number))
  // The URL parser writes an address that ends in IPv4 in groups too.
  const [head = '', tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::')
  const groups = (text: string): string[] => (text === '' ? [] : text.split(':'))
  const [first, last] = [groups(head), groups(tail ?? '')]
  const all = [...first, ...Array<string>(8 - first.length - last.length).fill('0'), ...last]
  const bytes = Buffer.alloc(16)
  for (const [at, group] of all.entries()) bytes.writeUInt16BE(parseInt(group, 16), at * 2)
  return bytes
}

/** The code and the words of an error. */
export function errorOf(message: Message): { code: number; says: string } | undefined {
  const value = message.attributes.get(attributes.errorCode)
  if (!value || value.length < 4) return undefined
  return { code: value[2]! * 100 + value[3]!, says: value.subarray(4).toString('utf8') }
}
