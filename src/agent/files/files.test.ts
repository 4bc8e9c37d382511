import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { MeetingError } from '../../client/errors.ts'
import { readIvf } from './ivf.ts'
import { readOgg } from './ogg.ts'
import { readWav } from './wav.ts'
import { readWebm } from './webm.ts'

let folder: string
before(async () => (folder = await mkdtemp(join(tmpdir(), 'anteroom-files-'))))
after(() => rm(folder, { recursive: true }))

const readers = {
  wav: readWav,
  ogg: readOgg,
  ivf: readIvf,
  webm: (path: string) => readWebm(path, ['V_VP8']),
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = []
  for await (const item of items) found.push(item)
  return found
}

async function fileOf(bytes: Buffer): Promise<string> {
  const path = join(folder, 'file')
  await writeFile(path, bytes)
  return path
}

for (const [name, read] of Object.entries(readers))
  for (const [what, bytes] of [
    ['an empty file', Buffer.alloc(0)],
    ['text', Buffer.from('this is neither sound nor video, only a line of text')],
    ['zeros', Buffer.alloc(1000)],
  ] as const)
    test(`${name}: ${what} is refused`, async () => {
      const path = await fileOf(bytes)
      await assert.rejects(all<unknown>(read(path)), (error) => {
        assert.ok(error instanceof MeetingError)
        assert.equal(error.reason, 'INVALID_FILE')
        return true
      })
    })

test('an element that claims more than any file has is refused', async () => {
  const path = await fileOf(Buffer.from('1a45dfa380' + '1549a96608ffffffffffff00', 'hex'))
  await assert.rejects(all(readWebm(path, ['V_VP8'])), /64 MiB/)
})

for (const [bits, bytes, expected] of [
  [8, Buffer.from([0, 128, 255]), [-32_768, 0, 32_512]],
  [16, Buffer.from([0x00, 0x80, 0x00, 0x00, 0xff, 0x7f]), [-32_768, 0, 32_767]],
  [24, Buffer.from([9, 0x00, 0x80, 9, 0x00, 0x00, 9, 0xff, 0x7f]), [-32_768, 0, 32_767]],
] as const)
  test(`WAV with ${bits} bits, and a length that its writer did not know`, async () => {
    const head = Buffer.alloc(44)
    head.write('RIFF')
    head.write('WAVEfmt ', 8)
    head.writeUInt32LE(16, 16)
    head.writeUInt16LE(1, 20)
    head.writeUInt16LE(1, 22)
    head.writeUInt32LE(8000, 24)
    head.writeUInt16LE(bits, 34)
    head.write('data', 36)
    head.writeUInt32LE(0xffff_ffff, 40)
    const [chunk] = await all(readWav(await fileOf(Buffer.concat([head, bytes]))))
    assert.deepEqual([...chunk!.samples], expected)
    assert.deepEqual([chunk!.sampleRate, chunk!.channels], [8000, 1])
  })
