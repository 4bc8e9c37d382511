/** WHIP and WHEP in a real browser: pages of thirty lines send and watch, beside the published client. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { launchBrowser } from './support/browser.ts'
import { MediaClients, mediaFlags } from './support/media-clients.ts'
import { AppServer } from './support/published.ts'
import { RealServer } from './support/real-server.ts'
import { eventually } from './support/sizes.ts'
import { API_KEY, signAnything } from './support/test-server.ts'

let browser: Browser
let app: AppServer
let server: RealServer
let clients: MediaClients
before(async () => {
  ;[browser, app, server] = await Promise.all([
    launchBrowser([...mediaFlags]),
    AppServer.start(),
    // Somebody who comes back on a slow machine finds the same session.
    RealServer.start({ SESSION_GRACE_SECONDS: '60' }),
  ])
  clients = new MediaClients(browser, app, server)
})
after(async () => {
  await clients.closeAll()
  await browser.close()
  app.stop()
  await server.stop()
})

const token = signAnything({ apikey: API_KEY, permissions: [], roles: ['crawler'] })

async function emptyPage(): Promise<Page> {
  const context = await browser.newContext({ permissions: ['camera', 'microphone'] })
  const page = await context.newPage()
  // Of another origin than the server.
  await page.goto(app.url)
  return page
}

/** Runs in the page. Posts the offer of `pc` and takes the answer; keeps what the exchange gave. */
const exchange = `
  async function exchange(pc, url, token) {
    await pc.setLocalDescription(await pc.createOffer())
    const answer = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/sdp', authorization: 'Bearer ' + token },
      body: pc.localDescription.sdp,
    })
    const sdp = await answer.text()
    if (answer.status !== 201) throw new Error(answer.status + ' ' + sdp)
    globalThis.session = { location: answer.headers.get('location'), etag: answer.headers.get('etag'), sdp }
    await pc.setRemoteDescription({ type: 'answer', sdp })
  }`

/** Sends the fake camera and microphone. */
const send = (url: string, encodings = '[{}]'): string => `(async () => {
  ${exchange}
  const media = await navigator.mediaDevices.getUserMedia({ audio: true, video: { width: 1280, height: 720 } })
  const pc = (globalThis.pc = new RTCPeerConnection())
  pc.addTransceiver(media.getAudioTracks()[0], { direction: 'sendonly', streams: [media] })
  pc.addTransceiver(media.getVideoTracks()[0], { direction: 'sendonly', streams: [media], sendEncodings: ${encodings} })
  await exchange(pc, ${JSON.stringify(url)}, ${JSON.stringify(token)})
})()`

const watch = (url: string): string => `(async () => {
  ${exchange}
  const pc = (globalThis.pc = new RTCPeerConnection())
  const video = document.createElement('video')
  Object.assign(video, { autoplay: true, muted: true, srcObject: new MediaStream() })
  document.body.append(video)
  pc.addTransceiver('audio', { direction: 'recvonly' })
  pc.addTransceiver('video', { direction: 'recvonly' })
  pc.ontrack = ({ track }) => video.srcObject.addTrack(track)
  await exchange(pc, ${JSON.stringify(url)}, ${JSON.stringify(token)})
})()`

interface Seen {
  /** Decoded of all streams that the track has had. */
  frames: number
  width: number
  /** Packets of sound. */
  sound: number
  /** The time at which the picture on the page is. */
  shown: number
}

const seen = (page: Page): Promise<Seen> =>
  page.evaluate(`(async () => {
    const all = [...(await pc.getStats()).values()].filter(({ type }) => type === 'inbound-rtp')
    const of = (kind, what) => all.filter((one) => one.kind === kind).reduce((sum, one) => sum + (one[what] ?? 0), 0)
    const video = document.querySelector('video')
    return { frames: of('video', 'framesDecoded'), width: video.videoWidth, sound: of('audio', 'packetsReceived'), shown: video.getVideoPlaybackQuality().totalVideoFrames }
  })()`)

/** Waits until more is seen, and heard if asked for. */
async function goesOn(page: Page, what: string, { heard = true } = {}): Promise<Seen> {
  const before = await seen(page)
  let now = before
  await eventually(`the page saw ${what}`, async () => {
    now = await seen(page)
    const soundGoesOn = !heard || now.sound !== before.sound
    return now.shown > before.shown + 3 && now.frames !== before.frames && soundGoesOn
  })
  return now
}

async function states(roomId: string): Promise<string[]> {
  const { body } = await server.rest('GET', `/v2/rooms/${roomId}/live`)
  return body.participants.map((one: { participantId: string }) => one.participantId).sort()
}

test('a page sends by WHIP to the published client, and another watches the published client by WHEP', async (t) => {
  const meetingId = await server.createMeeting()
  const eve = await clients.join('js-sdk', { meetingId, participantId: 'eve' })

  const sender = await emptyPage()
  const began = Date.now()
  await sender.evaluate(
    send(`${server.url}/v2/whip?roomId=${meetingId}&participantId=cam&displayName=Camera`),
  )
  await Promise.all([eve.tap.flows('cam', 'video'), eve.tap.flows('cam', 'audio')])
  t.diagnostic(`the published client saw frames ${Date.now() - began} ms after the offer was begun`)
  assert.deepEqual(await states(meetingId), ['cam', 'eve'])

  const viewer = await emptyPage()
  await viewer.evaluate(watch(`${server.url}/v2/whep?roomId=${meetingId}&remotePeerId=eve`))
  const first = await goesOn(viewer, 'the first frames')
  assert.ok(first.width > 0)
  assert.deepEqual(await states(meetingId), ['cam', 'eve'], 'a viewer is not listed')

  // It goes on while the participant mutes, unmutes, and changes its camera.
  await eve.camera(false)
  await eve.mic(false)
  await eve.camera(true)
  await goesOn(viewer, 'the camera again', { heard: false })
  await eve.mic(true)
  await goesOn(viewer, 'the microphone again')
  await eve.switchCamera()
  await goesOn(viewer, 'the other camera')

  // ICE restarts, and the picture goes on.
  const restarted = await sender.evaluate(`(async () => {
    const offer = await pc.createOffer({ iceRestart: true })
    await pc.setLocalDescription(offer)
    const line = (sdp, name) => sdp.split(/\\r?\\n/).find((one) => one.startsWith('a=' + name + ':'))
    const body = [line(offer.sdp, 'ice-ufrag'), line(offer.sdp, 'ice-pwd'), ''].join('\\r\\n')
    const answer = await fetch(session.location, {
      method: 'PATCH',
      headers: { 'content-type': 'application/trickle-ice-sdpfrag', 'if-match': '*', authorization: 'Bearer ' + ${JSON.stringify(token)} },
      body,
    })
    const fragment = await answer.text()
    const sdp = session.sdp
      .replaceAll(line(session.sdp, 'ice-ufrag'), line(fragment, 'ice-ufrag'))
      .replaceAll(line(session.sdp, 'ice-pwd'), line(fragment, 'ice-pwd'))
    await pc.setRemoteDescription({ type: 'answer', sdp })
    return { status: answer.status, isNew: answer.headers.get('etag') !== session.etag }
  })()`)
  assert.deepEqual(restarted, { status: 200, isNew: true })
  await eve.tap.flows('cam', 'video')

  // The end of the session takes the sender out of the meeting.
  const end = (): Promise<number> =>
    sender.evaluate(
      `fetch(session.location, { method: 'DELETE', headers: { authorization: 'Bearer ' + ${JSON.stringify(token)} } }).then(({ status }) => status)`,
    )
  assert.deepEqual([await end(), await end()], [200, 404])
  await eventually('it left', async () => (await eve.tap.received('cam', 'video')) === undefined)
  assert.deepEqual(await states(meetingId), ['eve'])

  // The participant comes back under the same id.
  await eve.close()
  const back = await clients.join('js-sdk', { meetingId, participantId: 'eve' })
  await goesOn(viewer, 'the one who came back')
  await back.close()
})

test('simulcast as OBS offers it gives each viewer a layer, and a WHEP viewer the largest that is sent', async () => {
  const meetingId = await server.createMeeting()
  const eve = await clients.join('js-sdk', { meetingId, participantId: 'eve', camera: false, mic: false })
  const sender = await emptyPage()
  const layers = `[{ rid: '0' }, { rid: '1', scaleResolutionDownBy: 2 }, { rid: '2', scaleResolutionDownBy: 4 }]`
  await sender.evaluate(send(`${server.url}/whip/${meetingId}?participantId=cam`, layers))
  await eve.tap.flows('cam', 'video')
  await eve.setQuality('cam', 'high')
  await eve.tap.sees('cam', 1280)
  await eve.setQuality('cam', 'low')
  await eve.tap.sees('cam', 320)
  const viewer = await emptyPage()
  await viewer.evaluate(watch(`${server.url}/whep/${meetingId}/cam`))
  await goesOn(viewer, 'the sender')
  await eventually('the largest came', async () => (await seen(viewer)).width === 1280)

  // The sender stops its largest layer, as when its line is narrow, and sends it again: the viewer goes on with what there is.
  const largest = (active: boolean): Promise<void> =>
    sender.evaluate(`(async () => {
      const of = pc.getSenders().find(({ track }) => track.kind === 'video')
      const parameters = of.getParameters()
      parameters.encodings.find(({ rid }) => rid === '0').active = ${active}
      await of.setParameters(parameters)
    })()`)
  await largest(false)
  await eventually('a smaller layer came', async () => {
    const now = await seen(viewer)
    return now.width < 1280
  })
  await goesOn(viewer, 'the smaller layer')
  await largest(true)
  await eventually('the largest came back', async () => (await seen(viewer)).width === 1280)
  await goesOn(viewer, 'the largest again')

  // A page that goes away ends its session by silence on the connection.
  await sender.evaluate('pc.close()')
  await eventually('it left', async () => (await states(meetingId)).join() === 'eve')
})
