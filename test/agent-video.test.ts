/** Programs and browsers in one meeting: each sees what the other shows. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { joinMeeting, type Agent, type VideoFrame } from '../src/agent/agent.ts'
import { mediaStage } from './support/media-clients.ts'
import { API_KEY, signAnything } from './support/test-server.ts'

const stage = mediaStage()
let folder: string
before(async () => (folder = await mkdtemp(join(tmpdir(), 'anteroom-agent-'))))
after(() => rm(folder, { recursive: true }))

const enter = (meetingId: string, participantId: string): Promise<Agent> =>
  joinMeeting({
    url: stage.server.url,
    token: signAnything({ apikey: API_KEY, permissions: ['allow_join'] }),
    meetingId,
    participantId,
    name: participantId,
  })

/** A test picture of two seconds with a key frame each second. */
function picture(name: string, codec: string[]): string {
  const path = join(folder, name)
  const input = [
    '-f',
    'lavfi',
    '-i',
    'testsrc=size=320x240:rate=15',
    '-pix_fmt',
    'yuv420p',
    '-t',
    '2',
    '-g',
    '15',
  ]
  execFileSync('ffmpeg', ['-v', 'error', '-y', ...input, ...codec, path])
  return path
}

async function framesOf(agent: Agent, of: string, count: number): Promise<VideoFrame[]> {
  while (!agent.participants.has(of)) await delay(20)
  const frames: VideoFrame[] = []
  for await (const frame of agent.frames(of)) if (frames.push(frame) === count) break
  return frames
}

test(
  'a browser sees the video of an agent, and the agent gets the frames of the browser',
  { timeout: 240_000 },
  async () => {
    const meetingId = await stage.server.createMeeting()
    const ann = await stage.clients.join('js-sdk', { meetingId, participantId: 'ann' })
    const agent = await enter(meetingId, 'agent')
    const video = await agent.publishVideo(picture('test.ivf', ['-c:v', 'libvpx', '-b:v', '300k']), {
      loop: true,
    })
    await ann.tap.flows('agent', 'video')
    const seen = await ann.tap.received('agent', 'video')
    assert.deepEqual([seen?.width, seen?.height], [320, 240])

    const frames = await framesOf(agent, 'ann', 20)
    const [first] = frames
    assert.deepEqual([first!.codec, first!.isKey], ['vp8', true])
    assert.ok(first!.size!.width >= 160, JSON.stringify(first!.size))
    assert.ok(frames.every(({ atMs }, at) => at === 0 || atMs > frames[at - 1]!.atMs))

    await video.stop()
    // The same from Matroska, in the other codec.
    const h264 = picture('test.mkv', [
      '-c:v',
      'libx264',
      '-preset',
      'ultrafast',
      '-tune',
      'zerolatency',
      '-profile:v',
      'baseline',
    ])
    await agent.publishVideo(h264, { loop: true, kind: 'share' })
    await ann.tap.flows('agent', 'share')
    await agent.leave()
  },
)

test('an agent gets the frames of another agent as they were in the file', { timeout: 120_000 }, async () => {
  const meetingId = await stage.server.createMeeting()
  const [sender, reader] = [await enter(meetingId, 'sender'), await enter(meetingId, 'reader')]
  for (const [name, codec, ...options] of [
    ['one.webm', 'vp8', '-c:v', 'libvpx', '-b:v', '300k'],
    ['two.mkv', 'h264', '-c:v', 'libx264', '-preset', 'ultrafast', '-profile:v', 'baseline'],
  ]) {
    const video = await sender.publishVideo(picture(name!, options), { loop: true })
    const frames = await framesOf(reader, 'sender', 40)
    assert.ok(frames.every((frame) => frame.codec === codec))
    assert.deepEqual(frames[0]!.size, { width: 320, height: 240 })
    assert.ok(frames.filter(({ isKey }) => isKey).length >= 2)
    await video.stop()
  }
  await Promise.all([sender.leave(), reader.leave()])
})
