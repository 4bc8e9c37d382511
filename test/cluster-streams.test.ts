/** WHIP and WHEP at a node that is not the meeting's home: sessions are opened, changed and ended through any node. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { joinMeeting, type Agent } from '../src/agent/agent.ts'
import { startNodes } from './support/nodes.ts'
import { audio, offerOf, video } from './support/offers.ts'
import { withoutPostgres } from './support/postgres.ts'
import type { RealServer } from './support/real-server.ts'
import { hears, tone } from './support/sounds.ts'
import { StreamClient } from './support/stream-client.ts'
import { API_KEY, signAnything } from './support/test-server.ts'

const crawler = signAnything({ apikey: API_KEY, permissions: [], roles: ['crawler'] })
const person = signAnything({ apikey: API_KEY, permissions: ['allow_join', 'allow_mod'] })
const sends = offerOf(audio('sendonly'), video('sendonly', ['96 VP8']))
const watches = offerOf(audio('recvonly'), video('recvonly', ['96 VP8']))

const folder = await mkdtemp(join(tmpdir(), 'anteroom-streams-'))
// When all who read from it have ended.
after(() => rm(folder, { recursive: true }))

test(
  'a sender and a viewer at a node that is not the home: their media flow, and each node restarts and ends them',
  { skip: withoutPostgres, timeout: 240_000 },
  async (t) => {
    const file = join(folder, 'a.ivf')
    const input = ['-f', 'lavfi', '-i', 'testsrc=size=320x240:rate=15', '-t', '2', '-g', '15']
    execFileSync('ffmpeg', ['-v', 'error', '-y', ...input, '-c:v', 'libvpx', '-b:v', '300k', file])
    const cluster = await startNodes(t, 2)
    const { nodes } = cluster
    const homeOf = async (id: string) => cluster.at((await cluster.homeOf(id))!)
    const [one, two] = nodes as [RealServer, RealServer]
    const meetingId = await one.createMeeting()
    const enter = async ({ url }: RealServer, participantId: string): Promise<Agent> => {
      const agent = await joinMeeting({ url, token: person, meetingId, participantId, name: participantId })
      t.after(() => agent.leave())
      return agent
    }
    const open = async ({ url }: RealServer, path: string, offer: string): Promise<StreamClient> => {
      const client = await StreamClient.open(url + path, crawler, offer)
      t.after(() => client.close())
      return client
    }
    const ann = await enter(one, 'ann')
    assert.equal(await homeOf(meetingId), one)
    const live = async (node: RealServer): Promise<string[]> =>
      (await node.rest('GET', `/v2/rooms/${meetingId}/live`)).body.participants
        .map((participant: { participantId: string }) => participant.participantId)
        .sort()

    // A sender at the other node: whoever is at the home hears and sees it.
    const sender = await open(two, `/v2/whip?roomId=${meetingId}&participantId=cam`, sends)
    assert.equal(sender.answer.status, 201, sender.answer.sdp)
    assert.ok(sender.answer.location.startsWith(two.url), 'its address is that of the node it asked')
    void sender.speak(440, { payloadType: 111, ssrc: 1111 })
    void sender.show(file, { payloadType: 96, ssrc: 2222 })
    while (!ann.participants.has('cam')) await delay(20)
    await hears(ann.pcm('cam'), 440)
    const { value: frame } = await ann.frames('cam').next()
    assert.deepEqual(frame!.size, { width: 320, height: 240 })
    for (const node of nodes) assert.deepEqual(await live(node), ['ann', 'cam'])

    // A viewer at the other node gets what ann sends, and is refused what it may not watch.
    const nobody = await open(two, `/v2/whep?roomId=${meetingId}&remotePeerId=nobody`, watches)
    assert.equal(nobody.answer.status, 404)
    const viewer = await open(two, `/whep/${meetingId}/ann`, watches)
    assert.equal(viewer.answer.status, 201, viewer.answer.sdp)
    await ann.publishAudio(tone(660))
    await ann.publishVideo(file, { loop: true })
    await Promise.all([viewer.hears(111), viewer.hears(96)])

    // ICE restarts through either node; a token of somebody else is refused.
    const restart = (client: StreamClient, node: RealServer, ufrag: string) =>
      client.call('PATCH', {
        at: node.url,
        body: `a=ice-ufrag:${ufrag}\r\na=ice-pwd:${'p'.repeat(24)}\r\n`,
        headers: { 'content-type': 'application/trickle-ice-sdpfrag', 'if-match': '*' },
      })
    const tags = new Set<string | null>()
    for (const [node, ufrag] of [
      [two, 'new1'],
      [one, 'new2'],
    ] as const) {
      const answer = await restart(viewer, node, ufrag)
      assert.equal(answer.status, 200)
      assert.match(await answer.text(), /^a=ice-ufrag:/m)
      tags.add(answer.headers.get('etag'))
    }
    assert.equal(tags.size, 2)
    const stranger = signAnything({ apikey: API_KEY, permissions: ['allow_join'] })
    const { pathname } = new URL(viewer.answer.location)
    const strange = await fetch(two.url + pathname, {
      method: 'DELETE',
      headers: { authorization: `Bearer ${stranger}` },
    })
    assert.equal(strange.status, 403)

    // Ended once by way of one node, they are gone at both. The published server SDK names the session of the meeting.
    assert.equal((await viewer.call('DELETE', { at: one.url })).status, 200)
    for (const node of nodes) assert.equal((await viewer.call('DELETE', { at: node.url })).status, 404)
    const { body } = await two.rest('GET', `/v2/sessions?roomId=${meetingId}&status=ongoing`)
    const asSdk = `${two.url}/v2/whip/sessions/${body.data[0].id}?participantId=cam`
    const headers = { authorization: `Bearer ${crawler}` }
    assert.equal((await fetch(asSdk, { method: 'DELETE', headers })).status, 200)
    assert.equal((await fetch(asSdk, { method: 'DELETE', headers })).status, 404)
    while (ann.participants.has('cam')) await delay(20)

    // The first who comes to a meeting may be a program; the home is then where it came in.
    const other = await one.createMeeting()
    const first = await open(two, `/whip/${other}?participantId=cam`, sends)
    assert.equal(first.answer.status, 201)
    assert.equal(await homeOf(other), two)
    assert.equal((await first.call('DELETE', { at: one.url })).status, 200)
  },
)
