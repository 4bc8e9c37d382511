// Builds the STUN message that opens the way to a WebRTC transport (RFC 8489, RFC 8445).
import { createHmac, randomBytes } from 'node:crypto'

const BINDING_REQUEST = 0x0001
const MAGIC_COOKIE = 0x2112a442
const USERNAME = 0x0006
const MESSAGE_INTEGRITY = 0x0008
const PRIORITY = 0x0024
const USE_CANDIDATE = 0x0025
const FINGERPRINT = 0x8028
const ICE_CONTROLLING = 0x802a
const INTEGRITY_LENGTH = 24
const FINGERPRINT_LENGTH = 8
const FINGERPRINT_MASK = 0x5354554e
/** The priority of a host candidate; any value works. */
const PRIORITY_VALUE = 0x6e7f1eff

/**
 * Builds a binding request with short-term credentials that nominates its candidate pair.
 * @param {{ usernameFragment: string, password: string }} iceParameters - of the receiver
 */
export function stunBinding({ usernameFragment, password }) {
  const attributes = Buffer.concat([
    attribute(USERNAME, Buffer.from(`${usernameFragment}:check`)),
    attribute(PRIORITY, uint32(PRIORITY_VALUE)),
    attribute(USE_CANDIDATE, Buffer.alloc(0)),
    attribute(ICE_CONTROLLING, randomBytes(8)),
  ])
  const transactionId = randomBytes(12)
  // The integrity and the fingerprint are each computed over a header whose length already includes them.
  const header = (/** @type {number} */ extra) =>
    Buffer.concat([
      uint16(BINDING_REQUEST),
      uint16(attributes.length + extra),
      uint32(MAGIC_COOKIE),
      transactionId,
    ])

  const hmac = createHmac('sha1', password).update(header(INTEGRITY_LENGTH)).update(attributes).digest()
  const signed = Buffer.concat([
    header(INTEGRITY_LENGTH + FINGERPRINT_LENGTH),
    attributes,
    attribute(MESSAGE_INTEGRITY, hmac),
  ])
  return Buffer.concat([signed, attribute(FINGERPRINT, uint32((crc32(signed) ^ FINGERPRINT_MASK) >>> 0))])
}

/**
 * @param {number} type
 * @param {Buffer} value
 */
function attribute(type, value) {
  const padding = Buffer.alloc((4 - (value.length % 4)) % 4)
  return Buffer.concat([uint16(type), uint16(value.length), value, padding])
}

/** @param {number} value */
function uint16(value) {
  return Buffer.from([value >>> 8, value & 0xff])
}

/** @param {number} value */
function uint32(value) {
  return Buffer.concat([uint16(value >>> 16), uint16(value & 0xffff)])
}

/** @param {Buffer} data */
function crc32(data) {
  let crc = 0xffffffff
  for (const byte of data) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1
  }
  return (crc ^ 0xffffffff) >>> 0
}
