/** Tries one thing after the other, and tells what it found. */
import { checkLine, CheckSocket, DeviceError, openDevice, reachTurn } from '../../client/client.ts'
import { serverUrl } from '../api.ts'
import { browserOf } from '../device-advice.ts'
import {
  browserFinding,
  deviceFinding,
  microphoneFinding,
  running,
  socketFinding,
  tcpFinding,
  turnFinding,
  udpFinding,
  type Finding,
  type StepName,
  type TurnOutcome,
} from './findings.ts'
import { text } from './texts.ts'

export type Tell = (step: StepName, finding: Finding) => void

const SECONDS = 5
const LISTEN_MS = 3000

/** Everything but the speaker, about which one has to be asked. */
export async function runCheck(tell: Tell): Promise<void> {
  tell('browser', browserFinding(isSecureContext, 'RTCPeerConnection' in globalThis))
  for (const device of ['camera', 'microphone'] as const) {
    tell(device, running())
    tell(device, await tryDevice(device))
  }
  await tryServer(tell)
}

async function tryDevice(device: 'camera' | 'microphone'): Promise<Finding> {
  const browser = browserOf(navigator.userAgent)
  try {
    const track = await openDevice(device === 'camera' ? 'camera' : 'mic')
    try {
      if (device === 'camera') return deviceFinding(device, { label: track.label }, browser)
      return microphoneFinding(track.label, await loudest(track))
    } finally {
      track.stop()
    }
  } catch (error) {
    const problem = error instanceof DeviceError ? error.problem : 'other'
    return deviceFinding(device, { problem }, browser)
  }
}

async function loudest(track: MediaStreamTrack): Promise<number> {
  const context = new AudioContext()
  try {
    const analyser = context.createAnalyser()
    context.createMediaStreamSource(new MediaStream([track])).connect(analyser)
    const samples = new Float32Array(analyser.fftSize)
    let most = 0
    const until = performance.now() + LISTEN_MS
    while (performance.now() < until && most < 0.05) {
      analyser.getFloatTimeDomainData(samples)
      most = samples.reduce((loud, sample) => Math.max(loud, Math.abs(sample)), most)
      await new Promise((done) => setTimeout(done, 50))
    }
    return most
  } finally {
    await context.close()
  }
}

async function tryServer(tell: Tell): Promise<void> {
  tell('socket', running())
  const startedAt = performance.now()
  let socket: CheckSocket
  try {
    socket = await CheckSocket.open(`${serverUrl.replace(/^http/, 'ws')}/check/socket`)
  } catch {
    giveUp(tell, 'closed')
    return
  }
  try {
    await socket.request('ping')
    tell('socket', socketFinding({ ms: performance.now() - startedAt }))
  } catch {
    // It was opened, so that the server could turn us away.
    giveUp(tell, 'turnedAway')
    return
  }
  try {
    tell('turn', running())
    // The server asks its TURN servers meanwhile.
    const turn = outcomeOf(tryTurn(socket))
    tell('udp', running())
    const udp = await outcomeOf(checkLine(socket, 'udp', SECONDS))
    tell('tcp', running())
    const tcp = await outcomeOf(checkLine(socket, 'tcp', SECONDS))
    tell('udp', udpFinding(udp, tcp))
    tell('tcp', tcpFinding(udp, tcp))
    tell('turn', turnFinding(await turn, udp !== 'failed' || tcp !== 'failed'))
  } finally {
    socket.close()
  }
}

function giveUp(tell: Tell, outcome: 'closed' | 'turnedAway'): void {
  tell('socket', socketFinding(outcome))
  const untried: Finding = { state: 'warning', sentence: text('check.untried') }
  tell('udp', untried)
  tell('tcp', untried)
  tell('turn', untried)
}

async function tryTurn(socket: CheckSocket): Promise<TurnOutcome> {
  const { relays } = await socket.request('turn')
  return { relays, reached: await reachTurn(relays.map(({ url }) => url)) }
}

function outcomeOf<T>(result: Promise<T>): Promise<T | 'failed'> {
  return result.catch((error: unknown) => {
    console.warn(error)
    return 'failed' as const
  })
}
