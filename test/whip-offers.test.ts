/** The offers of OBS and ffmpeg, replayed on the real media server, and GStreamer itself: the answer is full, and what they send is seen and heard. */
import assert from 'node:assert/strict'
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test, type TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { parse, parseParams } from 'sdp-transform'
import { joinMeeting, type Agent, type VideoFrame } from '../src/agent/agent.ts'
import { ffmpeg, obs } from './support/offers.ts'
import { RealServer } from './support/real-server.ts'
import { hears } from './support/sounds.ts'
import { StreamClient } from './support/stream-client.ts'
import { API_KEY, signAnything } from './support/test-server.ts'

/** Of Debian, which has the bindings of GStreamer. */
const PYTHON = '/usr/bin/python3'
const CLIENT = join(import.meta.dirname, 'support/whip-gstreamer.py')
const BINDINGS = "import gi; gi.require_version('GstWebRTC', '1.0'); from gi.repository import GstWebRTC"
const withoutGStreamer =
  spawnSync(PYTHON, ['-c', BINDINGS]).status !== 0 &&
  'needs python3-gi, gir1.2-gst-plugins-bad-1.0, gstreamer1.0-nice and the plugins of GStreamer'

let server: RealServer
let folder: string
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'anteroom-offers-'))
  server = await RealServer.start({ MEDIA_WORKERS: '1' })
})
after(async () => {
  await server.stop()
  await rm(folder, { recursive: true })
})

const crawler = signAnything({ apikey: API_KEY, permissions: [], roles: ['crawler'] })
const person = signAnything({ apikey: API_KEY, permissions: ['allow_join'] })

async function enter(t: TestContext): Promise<{ meetingId: string; agent: Agent }> {
  const meetingId = await server.createMeeting()
  const agent = await joinMeeting({
    url: server.url,
    token: person,
    meetingId,
    participantId: 'ann',
    name: 'Ann',
  })
  t.after(() => agent.leave())
  return { meetingId, agent }
}

async function post(t: TestContext, meetingId: string, offer: string): Promise<StreamClient> {
  const url = `${server.url}/whip/${meetingId}?participantId=cam`
  const client = await StreamClient.open(url, crawler, offer)
  t.after(() => client.close())
  assert.equal(client.answer.status, 201, client.answer.sdp)
  return client
}

/** As OBS and ffmpeg encode: H264 of this profile without B-frames. */
function h264(profile: 'baseline' | 'main' | 'high', size: string): string {
  const path = join(folder, `${profile}-${size}.mkv`)
  const input = ['-f', 'lavfi', '-i', `testsrc=size=${size}:rate=15`, '-t', '2']
  const output = ['-c:v', 'libx264', '-profile:v', profile, '-bf', '0', '-g', '15', '-pix_fmt', 'yuv420p']
  execFileSync('ffmpeg', ['-v', 'error', '-y', ...input, ...output, '-tune', 'zerolatency', path])
  return path
}

async function frameOf(agent: Agent, id: string): Promise<VideoFrame> {
  while (!agent.participants.has(id)) await delay(20)
  const { value } = await agent.frames(id).next()
  return value!
}

/** What every answer must hold, whichever program asked. */
function assertFull(offer: string, answer: string): ReturnType<typeof parse> {
  const [asked, given] = [parse(offer), parse(answer)]
  assert.ok(answer.startsWith('v=') && answer.length < 8000)
  assert.equal(given.media.length, asked.media.length)
  assert.ok(given.icelite !== undefined)
  given.media.forEach((media, index) => {
    const { type, mid, payloads, setup, fmtp } = asked.media[index]!
    assert.deepEqual([media.type, media.mid, media.direction], [type, mid, 'recvonly'])
    assert.notEqual(media.port, 0)
    assert.equal(media.payloads, payloads)
    assert.equal(media.setup, setup === 'passive' ? 'active' : 'passive')
    assert.ok(media.iceUfrag && media.icePwd && media.fingerprint)
    const [first] = media.candidates!
    assert.deepEqual([first!.transport, first!.type], ['udp', 'host'])
    // What was asked of the codec is promised: stereo, and the profile.
    if (fmtp[0]) assert.deepEqual(parseParams(media.fmtp[0]!.config), parseParams(fmtp[0].config))
  })
  return given
}

for (const profile of ['baseline', 'main', 'high'] as const)
  test(
    `OBS: whatever it declares, H264 of the ${profile} profile and Opus in stereo come through`,
    { timeout: 90_000 },
    async (t) => {
      const { meetingId, agent } = await enter(t)
      const offer = obs()
      const client = await post(t, meetingId, offer)
      const answer = assertFull(offer, client.answer.sdp)
      assert.match(answer.media[0]!.fmtp[0]!.config, /stereo=1;sprop-stereo=1/)
      void client.speak(440, { payloadType: 111, ssrc: 1001 })
      void client.show(h264(profile, '320x240'), { payloadType: 96, ssrc: 2001 })
      const frame = await frameOf(agent, 'cam')
      assert.deepEqual([frame.codec, frame.isKey, frame.size], ['h264', true, { width: 320, height: 240 }])
      await hears(agent.pcm('cam'), 440)
      assert.equal((await client.call('DELETE')).status, 200)
    },
  )

test(
  'OBS 32.1: every layer is accepted, and the largest, its first, is what others get',
  { timeout: 90_000 },
  async (t) => {
    const { meetingId, agent } = await enter(t)
    const offer = obs({ layers: 3 })
    const client = await post(t, meetingId, offer)
    const answer = assertFull(offer, client.answer.sdp)
    assert.equal(answer.media[1]!.simulcast!.list1, '0;1;2')
    assert.deepEqual(
      answer.media[1]!.rids!.map(({ id }) => String(id)),
      ['0', '1', '2'],
    )
    for (const [rid, size] of ['640x480', '320x240', '160x120'].entries())
      void client.show(h264('high', size), {
        payloadType: 96,
        ssrc: 2001 + rid,
        extensions: { 1: '1', 2: String(rid) },
      })
    await frameOf(agent, 'cam')
    // Each second of the file begins with a key frame: it stays the largest.
    let inRow = 0
    for await (const { isKey, size } of agent.frames('cam')) {
      if (isKey) inRow = size?.width === 640 ? inRow + 1 : 0
      if (inRow === 6) break
    }
  },
)

test(
  'ffmpeg: the High profile of its offer, and a DTLS server on its side',
  { timeout: 90_000 },
  async (t) => {
    const { meetingId, agent } = await enter(t)
    const offer = ffmpeg()
    const client = await post(t, meetingId, offer)
    assertFull(offer, client.answer.sdp)
    void client.speak(660, { payloadType: 111, ssrc: 3001 })
    void client.show(h264('high', '320x240'), { payloadType: 106, ssrc: 3002 })
    const frame = await frameOf(agent, 'cam')
    assert.deepEqual([frame.codec, frame.isKey, frame.size], ['h264', true, { width: 320, height: 240 }])
    await hears(agent.pcm('cam'), 660)
  },
)

for (const codec of ['vp8', 'h264'] as const)
  test(
    `GStreamer's webrtcbin sends ${codec.toUpperCase()} and Opus`,
    { skip: withoutGStreamer, timeout: 90_000 },
    async (t) => {
      const { meetingId, agent } = await enter(t)
      const url = `${server.url}/v2/whip?roomId=${meetingId}&participantId=cam`
      const child = spawn(PYTHON, [CLIENT, url, crawler, codec], { stdio: ['pipe', 'pipe', 'inherit'] })
      t.after(() => child.kill())
      let said = ''
      child.stdout.on('data', (chunk: Buffer) => (said += String(chunk)))
      const frame = await frameOf(agent, 'cam')
      assert.deepEqual([frame.codec, frame.size], [codec, { width: 320, height: 240 }])
      await hears(agent.pcm('cam'), 440)
      child.stdin.end()
      await once(child, 'close')
      assert.equal(said.trim(), '200')
      while (agent.participants.has('cam')) await delay(20)
    },
  )
