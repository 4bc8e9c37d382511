import assert from 'node:assert/strict'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { findPrograms, whyUnavailable } from './programs.ts'

const folder = await mkdtemp(join(tmpdir(), 'anteroom-programs-'))
after(() => rm(folder, { recursive: true }))
const program = async (name: string, mode = 0o755): Promise<string> => {
  const file = join(folder, name)
  await writeFile(file, '')
  await chmod(file, mode)
  return file
}
const none = { chromiumBin: undefined, ffmpegBin: undefined }

test('finds only executable programs in PATH', async () => {
  assert.deepEqual(findPrograms(none, folder), none)
  const chromiumBin = await program('chromium-browser')
  await program('ffmpeg', 0o644)
  assert.deepEqual(findPrograms(none, `/nowhere:${folder}`), { chromiumBin, ffmpegBin: undefined })
  const ffmpegBin = await program('ffmpeg')
  assert.deepEqual(findPrograms(none, folder), { chromiumBin, ffmpegBin })
})

test('uses the program in a setting, or none', async () => {
  const chromiumBin = await program('my-chromium')
  assert.equal(findPrograms({ ...none, chromiumBin }, folder).chromiumBin, chromiumBin)
  assert.equal(findPrograms({ ...none, chromiumBin: '/nowhere' }, folder).chromiumBin, undefined)
})

test('names missing programs with their cure', () => {
  assert.equal(whyUnavailable({ chromiumBin: 'a', ffmpegBin: 'b' }), undefined)
  assert.equal(
    whyUnavailable({ chromiumBin: 'a', ffmpegBin: undefined }),
    'Recordings, HLS and livestreams need ffmpeg: install it, or set FFMPEG_BIN.',
  )
  assert.equal(
    whyUnavailable(none),
    'Recordings, HLS and livestreams need Chromium and ffmpeg: install them, or set CHROMIUM_BIN and FFMPEG_BIN.',
  )
})
