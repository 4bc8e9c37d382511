/** The segments of a recording become one file, whatever happens while they are joined. */
import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readlinkSync, readFileSync } from 'node:fs'
import { chmod, copyFile, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as passes } from 'node:timers/promises'
import { promisify } from 'node:util'
import { findFfmpeg } from '../../../scripts/ffmpeg.mjs'
import { probe } from '../ffmpeg.ts'
import { finishRecording } from './recording.ts'

const ffmpegBin = findFfmpeg()
const skip = !ffmpegBin && 'ffmpeg is not installed'
const patient = { skip, timeout: 120_000 }
const SEGMENT_SECONDS = 2

let place: string
/** An ffmpeg that reads no faster than the recording lasted. */
let slowBin: string
before(async () => {
  if (skip) return
  place = await mkdtemp(join(tmpdir(), 'anteroom-joined-'))
  const [picture, sound] = [`testsrc=d=${SEGMENT_SECONDS}:s=64x36:r=5`, `sine=d=${SEGMENT_SECONDS}:r=48000`]
  const input = ['-v', 'error', '-f', 'lavfi', '-i', picture, '-f', 'lavfi', '-i', sound]
  const codecs = ['-c:v', 'libx264', '-pix_fmt', 'yuv420p', '-c:a', 'libopus']
  await promisify(execFile)(ffmpegBin!, [...input, ...codecs, join(place, 'segment.mkv')])
  await mkdir(join(place, 'slow'))
  slowBin = join(place, 'slow', 'ffmpeg')
  await writeFile(slowBin, `#!/bin/sh\nexec '${ffmpegBin!}' -re "$@"\n`)
  await chmod(slowBin, 0o755)
  await symlink(join(dirname(ffmpegBin!), 'ffprobe'), join(place, 'slow', 'ffprobe'))
})
after(async () => {
  if (!skip) await rm(place, { recursive: true, force: true })
})

let made = 0

/** The folder of a recording that needed two browsers. */
async function twoSegments(): Promise<string> {
  const folder = join(place, `recording-${++made}`)
  await mkdir(join(folder, 'segments'), { recursive: true })
  for (const name of ['0001.mkv', '0002.mkv'])
    await copyFile(join(place, 'segment.mkv'), join(folder, 'segments', name))
  return folder
}

/** The programs that work in a folder, with the names that Linux has for them. */
function workingIn(folder: string): { pid: number; name: string }[] {
  return readdirSync('/proc').flatMap((entry) => {
    try {
      if (!/^\d+$/.test(entry) || readlinkSync(`/proc/${entry}/cwd`) !== folder) return []
      return [{ pid: Number(entry), name: readFileSync(`/proc/${entry}/comm`, 'utf8').trim() }]
    } catch {
      // It has ended.
      return []
    }
  })
}

async function untilJoining(folder: string): Promise<void> {
  while (!existsSync(join(folder, 'recording.mp4.part'))) await passes(20)
}

async function assertWhole(folder: string): Promise<void> {
  assert.deepEqual(await readdir(folder), ['recording.mp4'])
  const file = join(folder, 'recording.mp4')
  const { duration, codecs } = await probe(ffmpegBin!, file)
  assert.deepEqual(codecs, { video: 'h264', audio: 'aac' })
  assert.ok(Math.abs(duration! - 2 * SEGMENT_SECONDS) < 0.3, `${duration} s`)
  const args = ['-v', 'error', '-i', file, '-f', 'null', '-']
  assert.equal((await promisify(execFile)(ffmpegBin!, args)).stderr, '')
}

test('an ffmpeg that is killed while it joins segments is followed by another', patient, async () => {
  const folder = await twoSegments()
  const made = finishRecording({ folder, ffmpegBin: slowBin, fileFormat: 'mp4' })
  await untilJoining(folder)
  const killed = workingIn(folder).filter(({ name }) => name === 'ffmpeg')
  assert.equal(killed.length, 1)
  process.kill(killed[0]!.pid, 'SIGKILL')
  assert.deepEqual(
    (await made).map(({ path, type }) => [path, type]),
    [['recording.mp4', 'video']],
  )
  await assertWhole(folder)
})

test(
  'segments are joined after the next start when the server is killed while it joins them',
  patient,
  async () => {
    const folder = await twoSegments()
    const order = { folder, ffmpegBin: slowBin, fileFormat: 'mp4' }
    const code = `import(${JSON.stringify(import.meta.resolve('./recording.ts'))}).then((one) => one.finishRecording(${JSON.stringify(order)}))`
    const server = spawn(process.execPath, ['-e', code], { stdio: 'inherit' })
    await untilJoining(folder)
    server.kill('SIGKILL')
    await once(server, 'close')
    while (workingIn(folder).length > 0) await passes(20)
    assert.ok((await readdir(folder)).includes('recording.mp4.part'), 'it was cut off')
    const [file, ...more] = await finishRecording({ ...order, ffmpegBin: ffmpegBin!, fileFormat: 'mp4' })
    assert.deepEqual([file?.path, more], ['recording.mp4', []])
    await assertWhole(folder)
  },
)
