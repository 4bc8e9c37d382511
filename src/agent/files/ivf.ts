/** Reads IVF files, as ffmpeg and libvpx write them. */
import { FileReader, invalidFile } from './read.ts'

export interface IvfFrame {
  /** Four letters, e.g. `VP80`. */
  codec: string
  data: Buffer
  atMs: number
}

const [HEAD_BYTES, FRAME_HEAD_BYTES] = [32, 12]

/** @throws {MeetingError} FILE_UNREADABLE, INVALID_FILE */
export async function* readIvf(path: string): AsyncGenerator<IvfFrame> {
  const file = await FileReader.open(path)
  try {
    const head = await file.read(HEAD_BYTES)
    if (head.length < HEAD_BYTES || head.toString('latin1', 0, 4) !== 'DKIF')
      throw invalidFile('it is not an IVF file')
    await file.skip(head.readUInt16LE(6) - HEAD_BYTES)
    const codec = head.toString('latin1', 8, 12)
    const [rate, scale] = [head.readUInt32LE(16), head.readUInt32LE(20)]
    if (rate === 0) throw invalidFile('its frame rate is zero')
    for (;;) {
      const frame = await file.read(FRAME_HEAD_BYTES)
      if (frame.length < FRAME_HEAD_BYTES) return
      const size = frame.readUInt32LE(0)
      const data = await file.read(size)
      if (data.length < size) return
      yield { codec, data, atMs: (Number(frame.readBigUInt64LE(4)) * scale * 1000) / rate }
    }
  } finally {
    await file.close()
  }
}
