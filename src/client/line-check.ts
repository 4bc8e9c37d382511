/** Tries whether media reaches the server over one protocol and comes back, with a picture that is drawn for it. */
import { Device, type types } from 'mediasoup-client'
import type { CheckProtocol } from '../protocol/check.ts'
import type { CheckSocket } from './check-socket.ts'

/** What came of one protocol. */
export interface LineResult {
  /** From the first packet to an encrypted connection in both directions. */
  connectMs: number
  upKbps: number
  downKbps: number
  /** Of the packets that the server sent back, 0 to 1. */
  loss: number
  roundTripMs: number | undefined
}

const CONNECT_TIMEOUT_MS = 10_000
const MAX_BITRATE = 2_000_000
const [WIDTH, HEIGHT, FRAMES] = [640, 360, 20]
/** Rates need a moment to rise. */
const WARM_UP_MS = 1500

/** @throws {Error} if no media connection over this protocol came about */
export async function checkLine(
  socket: CheckSocket,
  protocol: CheckProtocol,
  seconds: number,
): Promise<LineResult> {
  const { rtpCapabilities, ...transports } = await socket.request('open', { protocol })
  const device = new Device()
  await device.load({ routerRtpCapabilities: rtpCapabilities as types.RtpCapabilities })
  const send = device.createSendTransport(transports.send as types.TransportOptions)
  const receive = device.createRecvTransport(transports.receive as types.TransportOptions)
  const drawn = drawNoise()
  const measure = async (connecting: () => Promise<number>): Promise<LineResult> => {
    const producer = await send.produce({
      track: drawn.track,
      encodings: [{ maxBitrate: MAX_BITRATE }],
      codecOptions: { videoGoogleStartBitrate: 1000 },
      stopTracks: false,
    })
    const offer = await socket.request('consume', { rtpCapabilities: device.recvRtpCapabilities })
    const consumer = await receive.consume({
      ...offer,
      kind: 'video',
      rtpParameters: offer.rtpParameters as types.RtpParameters,
    })
    const connectMs = await connecting()
    await pause(WARM_UP_MS)
    const before = await figures(producer, consumer)
    await pause(seconds * 1000)
    const after = await figures(producer, consumer)
    const lost = Math.max(0, after.lost - before.lost)
    const arrived = after.arrived - before.arrived
    return {
      connectMs,
      upKbps: rate(before.sent, after.sent, seconds),
      downKbps: rate(before.received, after.received, seconds),
      loss: lost + arrived === 0 ? 1 : lost / (lost + arrived),
      roundTripMs: after.roundTripMs,
    }
  }
  try {
    for (const [direction, transport] of [
      ['send', send],
      ['receive', receive],
    ] as const)
      transport.on('connect', ({ dtlsParameters }, done, failed) => {
        socket.request('connect', { direction, dtlsParameters }).then(done, failed)
      })
    send.on('produce', ({ rtpParameters }, done, failed) => {
      socket.request('produce', { rtpParameters }).then(done, failed)
    })
    const startedAt = performance.now()
    const bothConnect = Promise.all([connected(send), connected(receive)])
    const measured = measure(async () => {
      await bothConnect
      return performance.now() - startedAt
    })
    measured.catch(() => undefined)
    // Where nothing comes through, some browsers never finish the steps before.
    await bothConnect
    return await measured
  } finally {
    drawn.stop()
    send.close()
    receive.close()
  }
}

const rate = (before: number, after: number, seconds: number): number =>
  ((after - before) * 8) / 1000 / seconds
const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms))

function connected(transport: types.Transport): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('Nothing came through.')), CONNECT_TIMEOUT_MS)
    transport.on('connectionstatechange', (state) => {
      if (state !== 'connected' && state !== 'failed') return
      clearTimeout(timer)
      if (state === 'connected') resolve()
      else reject(new Error('Nothing came through.'))
    })
  })
}

interface Figures {
  sent: number
  received: number
  arrived: number
  lost: number
  roundTripMs: number | undefined
}

async function figures(producer: types.Producer, consumer: types.Consumer): Promise<Figures> {
  const found: Figures = { sent: 0, received: 0, arrived: 0, lost: 0, roundTripMs: undefined }
  for (const report of (await producer.getStats()).values()) {
    const {
      type,
      bytesSent = 0,
      roundTripTime,
    } = report as {
      type: string
      bytesSent?: number
      roundTripTime?: number
    }
    if (type === 'outbound-rtp') found.sent += bytesSent
    if (type === 'remote-inbound-rtp' && roundTripTime !== undefined) found.roundTripMs = roundTripTime * 1000
  }
  for (const report of (await consumer.getStats()).values()) {
    const {
      type,
      bytesReceived = 0,
      packetsReceived = 0,
      packetsLost = 0,
    } = report as {
      type: string
      bytesReceived?: number
      packetsReceived?: number
      packetsLost?: number
    }
    if (type !== 'inbound-rtp') continue
    found.received += bytesReceived
    found.arrived += packetsReceived
    found.lost += packetsLost
  }
  return found
}

/** A picture of noise, which cannot be made small, so that the line and not the picture sets the rate. */
function drawNoise(): { track: MediaStreamTrack; stop: () => void } {
  const canvas = Object.assign(document.createElement('canvas'), { width: WIDTH, height: HEIGHT })
  const context = canvas.getContext('2d')!
  const image = context.createImageData(WIDTH, HEIGHT)
  const pixels = new Uint32Array(image.data.buffer)
  let seed = 1
  const draw = (): void => {
    for (let at = 0; at < pixels.length; at++) {
      seed = (seed * 1_664_525 + 1_013_904_223) | 0
      pixels[at] = seed | 0xff000000
    }
    context.putImageData(image, 0, 0)
  }
  draw()
  const timer = setInterval(draw, 1000 / FRAMES)
  const track = canvas.captureStream(FRAMES).getVideoTracks()[0]!
  return {
    track,
    stop: () => {
      clearInterval(timer)
      track.stop()
    },
  }
}
