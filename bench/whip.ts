/** The time from the offer of a WHIP sender to its first frame at another person: two pages of one browser, twenty sessions. */
import { launchBrowser } from '../test/support/browser.ts'
import { AppServer, Published } from '../test/support/published.ts'
import { RealServer } from '../test/support/real-server.ts'
import { API_KEY, signAnything } from '../test/support/test-server.ts'
import { printTable } from './table.ts'

const SESSIONS = 20

const [browser, app, server] = await Promise.all([
  launchBrowser(['--use-fake-device-for-media-stream', '--ignore-certificate-errors']),
  AppServer.start(),
  RealServer.start(),
])
const parts = new Map<string, number[]>()
const note = (part: string, ms: number): void => void parts.set(part, [...(parts.get(part) ?? []), ms])

try {
  const meetingId = await server.createMeeting()
  const token = signAnything({ apikey: API_KEY, permissions: ['allow_join'] })
  const newPage = async () => {
    const context = await browser.newContext({
      ignoreHTTPSErrors: true,
      permissions: ['camera', 'microphone'],
    })
    const page = await context.newPage()
    await page.goto(app.url)
    return { context, page }
  }
  const { context, page: viewer } = await newPage()
  await new Published(viewer, context).inside(server.secureUrl, {
    token,
    meetingId,
    participantId: 'eve',
    name: 'Eve',
    webcamEnabled: false,
    micEnabled: false,
  })
  // Notes when the first frame of each sender is shown.
  await viewer.evaluate(`
    globalThis.firstFrames = {}
    m.on('participant-joined', (one) => one.on('stream-enabled', ({ kind, track }) => {
      if (kind !== 'video') return
      const video = document.createElement('video')
      Object.assign(video, { autoplay: true, muted: true, srcObject: new MediaStream([track]) })
      document.body.append(video)
      video.requestVideoFrameCallback(() => {
        firstFrames[one.id] = Date.now()
        video.remove()
      })
    }))
  `)
  const { page: sender } = await newPage()
  await sender.evaluate(
    `navigator.mediaDevices.getUserMedia({ audio: true, video: true }).then((media) => { globalThis.media = media })`,
  )
  for (let at = 0; at < SESSIONS; at++) {
    const id = `cam-${at}`
    const url = `${server.url}/whip/${meetingId}?participantId=${id}`
    const began = await sender.evaluate<[number, number]>(`(async () => {
      globalThis.pc = new RTCPeerConnection()
      for (const track of media.getTracks()) pc.addTransceiver(track, { direction: 'sendonly', streams: [media] })
      await pc.setLocalDescription()
      const began = Date.now()
      const headers = { 'content-type': 'application/sdp', authorization: 'Bearer ${token}' }
      const answer = await fetch('${url}', { method: 'POST', headers, body: pc.localDescription.sdp })
      globalThis.session = answer.headers.get('location')
      const sdp = await answer.text()
      const answered = Date.now()
      await pc.setRemoteDescription({ type: 'answer', sdp })
      return [began, answered]
    })()`)
    await viewer.waitForFunction(`firstFrames['${id}']`, undefined, { polling: 20 })
    const shown = await viewer.evaluate<number>(`firstFrames['${id}']`)
    note('offer to answer', began[1] - began[0])
    note('answer to first frame', shown - began[1])
    note('offer to first frame', shown - began[0])
    await sender.evaluate(
      `fetch(session, { method: 'DELETE', headers: { authorization: 'Bearer ${token}' } }).then(() => pc.close())`,
    )
  }
  const percentile = (all: number[], at: number): string =>
    `${Math.round(all.toSorted((a, b) => a - b)[Math.min(all.length - 1, Math.floor(all.length * at))]!)} ms`
  printTable(
    [`${SESSIONS} WHIP sessions`, 'p50', 'p95'],
    [...parts].map(([part, all]) => [part, percentile(all, 0.5), percentile(all, 0.95)]),
  )
} finally {
  await browser.close()
  app.stop()
  await server.stop()
}
