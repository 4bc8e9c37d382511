/** WHIP and WHEP with programs that are no browsers: werift sends and watches, beside agents of `anteroom/agent`. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { MediaStreamTrack, RTCPeerConnection, RtpHeader, RtpPacket, useOPUS, useVP8 } from 'werift'
import { joinMeeting, type Agent } from '../src/agent/agent.ts'
import { picturesOf, payloadsOf } from '../src/agent/picture.ts'
import { soundPackets } from '../src/agent/sound.ts'
import { RealServer } from './support/real-server.ts'
import { hears, tone } from './support/sounds.ts'
import { API_KEY, signAnything } from './support/test-server.ts'

let server: RealServer
let folder: string
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'anteroom-whip-'))
  server = await RealServer.start({ MEDIA_WORKERS: '1' })
})
after(async () => {
  await server.stop()
  await rm(folder, { recursive: true })
})

const crawler = signAnything({ apikey: API_KEY, permissions: [], roles: ['crawler'] })
const person = signAnything({ apikey: API_KEY, permissions: ['allow_join', 'allow_mod'] })

const enter = (meetingId: string, participantId: string): Promise<Agent> =>
  joinMeeting({ url: server.url, token: person, meetingId, participantId, name: participantId })

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await delay(20)
}

function picture(name: string, size: string): string {
  const path = join(folder, name)
  const input = ['-f', 'lavfi', '-i', `testsrc=size=${size}:rate=15`, '-t', '2', '-g', '15']
  execFileSync('ffmpeg', ['-v', 'error', '-y', ...input, '-c:v', 'libvpx', '-b:v', '300k', path])
  return path
}

/** One session of a program, as RFC 9725 has it. */
class Session {
  readonly pc = new RTCPeerConnection({
    codecs: { audio: [useOPUS()], video: [useVP8()] },
    iceAdditionalHostAddresses: ['127.0.0.1'],
    iceServers: [],
    // With one transport from the beginning; others would stay open.
    bundlePolicy: 'max-bundle',
  })
  location = ''
  readonly #leaving = new AbortController()

  async open(path: string): Promise<void> {
    await this.pc.setLocalDescription(await this.pc.createOffer())
    const answer = await fetch(server.url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/sdp', authorization: `Bearer ${crawler}` },
      body: this.pc.localDescription!.sdp,
    })
    const sdp = await answer.text()
    assert.equal(answer.status, 201, sdp)
    this.location = answer.headers.get('location')!
    await this.pc.setRemoteDescription({ type: 'answer', sdp })
    await until(() => this.pc.connectionState === 'connected')
  }

  get #isOpen(): boolean {
    return !this.#leaving.signal.aborted
  }

  /** Sends a tone until the session ends. */
  async speak(track: MediaStreamTrack, hertz: number): Promise<void> {
    let [sequence, timestamp] = [0, 0]
    for await (const { data } of await soundPackets(tone(hertz), {})) {
      if (!this.#isOpen) return
      track.writeRtp(packet(Buffer.from(data), sequence++, (timestamp += 960), false))
      await delay(20)
    }
  }

  async show(track: MediaStreamTrack, file: string): Promise<void> {
    const { codec, frames } = await picturesOf(file, true)
    let [sequence, picture] = [0, 0]
    for await (const { data, atMs } of frames) {
      if (!this.#isOpen) return
      const payloads = payloadsOf(codec, data, picture++)
      for (const [at, payload] of payloads.entries())
        track.writeRtp(packet(payload, sequence++, Math.round(atMs * 90), at === payloads.length - 1))
      await delay(60)
    }
  }

  async end(): Promise<number> {
    const { status } = await fetch(this.location, {
      method: 'DELETE',
      headers: { authorization: `Bearer ${crawler}` },
    })
    return status
  }

  async close(): Promise<void> {
    this.#leaving.abort()
    await this.pc.close()
  }
}

const packet = (payload: Buffer, sequence: number, timestamp: number, marker: boolean): RtpPacket =>
  new RtpPacket(
    new RtpHeader({
      version: 2,
      payloadType: 96,
      sequenceNumber: sequence & 0xffff,
      timestamp: timestamp >>> 0,
      marker,
      ssrc: 1,
    }),
    payload,
  )

test(
  'werift sends by WHIP, and an agent hears its tone and gets its frames',
  { timeout: 90_000 },
  async () => {
    const meetingId = await server.createMeeting()
    const agent = await enter(meetingId, 'ann')
    const session = new Session()
    try {
      const [sound, video] = [
        new MediaStreamTrack({ kind: 'audio' }),
        new MediaStreamTrack({ kind: 'video' }),
      ]
      session.pc.addTransceiver(sound, { direction: 'sendonly' })
      session.pc.addTransceiver(video, { direction: 'sendonly' })
      await session.open(`/v2/whip?roomId=${meetingId}&participantId=cam&displayName=Camera`)
      void session.speak(sound, 440)
      void session.show(video, picture('a.ivf', '320x240'))
      await until(() => agent.participants.has('cam'))
      await hears(agent.pcm('cam'), 440)
      const { value: frame } = await agent.frames('cam').next()
      assert.deepEqual([frame!.codec, frame!.isKey, frame!.size], ['vp8', true, { width: 320, height: 240 }])
      assert.deepEqual([await session.end(), await session.end()], [200, 404])
      await until(() => !agent.participants.has('cam'))
    } finally {
      await session.close()
      await agent.leave()
    }
  },
)

test(
  'a viewer by werift goes on when the sender mutes, comes back and changes its picture',
  { timeout: 90_000 },
  async () => {
    const meetingId = await server.createMeeting()
    const agent = await enter(meetingId, 'ann')
    const session = new Session()
    try {
      const heard = { audio: 0, video: 0 }
      session.pc.addTransceiver('audio', { direction: 'recvonly' })
      session.pc.addTransceiver('video', { direction: 'recvonly' })
      await session.open(`/v2/whep?roomId=${meetingId}&remotePeerId=ann`)
      assert.equal(agent.participants.size, 0, 'a viewer is not listed')
      // The answer names no SSRC, as the viewer outlives the streams. Werift gives packets to its tracks by SSRC alone, so they are
      // told apart here as RFC 9143 section 9.2 says, by the payload type.
      const [audioType] = /m=audio \d+ \S+ (\d+)/
        .exec(session.pc.remoteDescription!.sdp)!
        .slice(1)
        .map(Number)
      for (const { onRtp } of session.pc.dtlsTransports)
        onRtp.subscribe(({ header }) => heard[header.payloadType === audioType ? 'audio' : 'video']++)
      const more = async (kind: 'audio' | 'video'): Promise<void> => {
        const before = heard[kind]
        await until(() => heard[kind] > before + 10)
      }
      const voice = await agent.publishAudio(tone(440))
      const camera = await agent.publishVideo(picture('b.ivf', '320x240'), { loop: true })
      await Promise.all([more('audio'), more('video')])
      await voice.stop()
      await more('video')
      await agent.publishAudio(tone(660))
      await Promise.all([more('audio'), more('video')])
      await camera.stop()
      await more('audio')
      await agent.publishVideo(picture('c.ivf', '640x480'), { loop: true })
      await Promise.all([more('audio'), more('video')])
      assert.equal(await session.end(), 200)
    } finally {
      await session.close()
      await agent.leave()
    }
  },
)
