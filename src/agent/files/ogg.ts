/** Reads the packets of Opus in an Ogg file (RFC 3533, RFC 7845). */
import { FileReader, invalidFile } from './read.ts'

const HEAD_BYTES = 27
/** A segment this long goes on in the next one. */
const FULL = 255
/** The packets before the sound: what it is, and its title. */
const HEADERS = 2

/** @throws {MeetingError} FILE_UNREADABLE, INVALID_FILE */
export async function* readOgg(path: string): AsyncGenerator<Uint8Array> {
  const file = await FileReader.open(path)
  try {
    let pieces: Buffer[] = []
    let stream: number | undefined
    let packets = 0
    for (;;) {
      const head = await file.read(HEAD_BYTES)
      if (head.length < HEAD_BYTES) {
        if (packets < HEADERS) throw invalidFile('it is not an Ogg file')
        return
      }
      if (head.toString('latin1', 0, 4) !== 'OggS') throw invalidFile('it is not an Ogg file')
      const sizes = await file.read(head[26]!)
      const serial = head.readUInt32LE(14)
      stream ??= serial
      for (const size of sizes) {
        const segment = await file.read(size)
        if (serial !== stream) continue
        pieces.push(segment)
        if (size === FULL) continue
        const packet = Buffer.concat(pieces)
        pieces = []
        if (packets === 0) assertOpus(packet)
        if (++packets > HEADERS) yield packet
      }
    }
  } finally {
    await file.close()
  }
}

function assertOpus(packet: Buffer): void {
  if (packet.toString('latin1', 0, 8) !== 'OpusHead') throw invalidFile('its sound is not Opus')
  if (packet.length < 19 || packet[9]! > 2) throw invalidFile('it has more than two channels')
}
