import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { test } from 'node:test'
import { Feed } from './feed.ts'
import type { FfmpegChild } from '../ffmpeg.ts'

const init = Buffer.alloc(100)
/** A fifth of a second of picture and sound. */
const piece = { bytes: Buffer.alloc(64 * 1024), isEntry: true }
const PIECE_MS = 200

interface Started {
  child: FfmpegChild['child']
  at: number
}

/** Feeds one program after the other, each in the place of an ffmpeg, until the last was started. */
async function feeding(
  programs: string[][],
  onPiece: (started: Started[]) => void,
  hungMs?: number,
): Promise<Started[]> {
  const started: Started[] = []
  const feed = new Feed({
    start: () => {
      const [bin = '', ...args] = programs[started.length]!
      const child = spawn(bin, args, { stdio: ['pipe', 'ignore', 'ignore'] })
      child.stdin.on('error', () => undefined)
      started.push({ child, at: performance.now() })
      return {
        child,
        said: () => '',
        ended: new Promise((resolve) => child.once('close', () => resolve('it ended'))),
      }
    },
    onFailed: () => undefined,
    ...(hungMs !== undefined && { hungMs }),
  })
  while (started.length < programs.length) {
    feed.take(piece, init)
    onPiece(started)
    await new Promise((next) => setTimeout(next, PIECE_MS))
  }
  await feed.finish()
  for (const { child } of started) assert.ok(child.exitCode !== null || child.signalCode !== null)
  return started
}

test(
  'a program that hangs is ended within five seconds, and another goes on',
  { timeout: 60_000 },
  async () => {
    const [first, second] = await feeding([['sleep', '1000'], ['cat']], () => undefined)
    assert.equal(first!.child.signalCode, 'SIGKILL')
    // The next is started after a pause of two seconds.
    const seconds = (second!.at - first!.at) / 1000
    assert.ok(seconds > 4 && seconds < 12, `${seconds} s`)
  },
)

test('a program that is killed is followed by another', { timeout: 60_000 }, async () => {
  const [first, second] = await feeding([['cat'], ['cat']], ([one]) => one!.child.kill('SIGKILL'))
  assert.deepEqual([first!.child.signalCode, second!.child.exitCode], ['SIGKILL', 0])
})

test('a program that reads, however slowly, is left alone', { timeout: 60_000 }, async () => {
  const slow = `const { readSync } = require('node:fs'); setInterval(() => readSync(0, Buffer.alloc(65536)), 1000)`
  const begun = performance.now()
  const [first] = await feeding([[process.execPath, '-e', slow], ['cat']], ([one]) => {
    if (performance.now() - begun > 8000) one!.child.kill('SIGTERM')
  })
  assert.equal(first!.child.signalCode, 'SIGTERM')
})

test(
  'a program that has no time to read is left alone, as it is slow and does not hang',
  { skip: process.platform !== 'linux' && 'only Linux tells', timeout: 60_000 },
  async () => {
    const busy = 'for (const until = Date.now() + 3000; Date.now() < until;); process.stdin.resume()'
    const begun = performance.now()
    const [first] = await feeding(
      [[process.execPath, '-e', busy], ['cat']],
      ([one]) => {
        if (performance.now() - begun > 4500) one!.child.kill('SIGTERM')
      },
      1000,
    )
    assert.equal(first!.child.signalCode, 'SIGTERM')
  },
)
