/** `anteroom doctor --from <address>`: checks a running server from the network in which this machine is. */
import { CheckSocket } from '../client/check-socket.ts'
import { relayProblem } from '../client/relay-problem.ts'
import type { CheckProtocol, CheckTransport, RelayCheck } from '../protocol/check.ts'
import { isLoopback, kindOf } from '../addresses.ts'
import { askMediaPort, askTurn, LineFailed, shownEndpoint } from '../stun/ask.ts'
import { parseTurnUrl } from '../stun/turn-url.ts'
import { CommandError, exitCodes } from './arguments.ts'
import type { Finding } from './finding.ts'

const protocols: readonly CheckProtocol[] = ['udp', 'tcp']
type Candidate = CheckTransport['iceCandidates'][number]

/** @param address of the server, as people open it */
export async function examineFrom(address: string): Promise<Finding[]> {
  const url = urlOf(address)
  const startedAt = performance.now()
  let socket: CheckSocket
  try {
    socket = await CheckSocket.open(`${url.href.replace(/^http/, 'ws').replace(/\/$/, '')}/check/socket`)
  } catch {
    return [
      {
        check: 'server',
        verdict: 'bad',
        says: `${url.href} does not answer over a WebSocket; see whether it opens in a browser here, whether its certificate is valid (NODE_EXTRA_CA_CERTS names others), and whether a proxy on the way passes WebSockets`,
      },
    ]
  }
  try {
    await socket.request('ping')
    const answered: Finding = {
      check: 'server',
      verdict: 'good',
      says: `${url.href} answers over a WebSocket in ${Math.round(performance.now() - startedAt)} ms`,
    }
    const turn = socket.request('turn')
    turn.catch(() => undefined)
    const media: MediaFinding[] = []
    const announced: Candidate[] = []
    for (const protocol of protocols) {
      const { send } = await socket.request('open', { protocol })
      announced.push(...send.iceCandidates)
      media.push(...(await tryMedia(protocol, send)))
    }
    return [
      answered,
      announcedFinding(announced, url),
      ...verdicts(media),
      ...(await Promise.all((await turn).relays.map(turnFinding))),
    ]
  } catch (error) {
    // The server's own sentence: too many checks, or media is off.
    return [{ check: 'server', verdict: 'bad', says: (error as Error).message }]
  } finally {
    socket.close()
  }
}

function urlOf(address: string): URL {
  const text = /^https?:\/\//.test(address) ? address : `https://${address}`
  if (!URL.canParse(text))
    throw new CommandError(
      `--from takes the address of a server as people open it, such as https://meet.example.org, not ${address}.`,
      exitCodes.usage,
    )
  return new URL(text)
}

interface MediaFinding {
  protocol: CheckProtocol
  place: string
  works: boolean
  says: string
}

/** Each address and port at which media is announced. */
async function tryMedia(
  protocol: CheckProtocol,
  { iceCandidates, iceParameters }: CheckTransport,
): Promise<MediaFinding[]> {
  return Promise.all(
    iceCandidates.map(async ({ ip, port }) => {
      const place = shownEndpoint({ address: ip, port })
      try {
        const { seen, ms } = await askMediaPort(protocol, { address: ip, port }, iceParameters)
        const says = `${place} answers in ${Math.round(ms)} ms; the server saw ${shownEndpoint(seen)}`
        return { protocol, place, works: true, says }
      } catch (error) {
        if (!(error instanceof LineFailed)) throw error
        return { protocol, place, works: false, says: `${place}: ${error.message}` }
      }
    }),
  )
}

function announcedFinding(candidates: readonly Candidate[], { hostname }: URL): Finding {
  const check = 'announced'
  const addresses = [...new Set(candidates.map(({ ip }) => ip))]
  const shown = addresses.join(' and ')
  const isHere = isLoopback(hostname.replace(/^\[|\]$/g, '')) || hostname === 'localhost'
  if (!isHere && addresses.every(isLoopback))
    return {
      check,
      verdict: 'bad',
      says: `media is announced at ${shown}, which leads everybody to their own machine; set ANNOUNCED_ADDRESS to the address that others reach`,
    }
  const note = addresses.every((one) => kindOf(one) !== 'public')
    ? ', which is not public: only people in its network reach it'
    : ''
  return { check, verdict: 'good', says: `media is announced at ${shown}${note}` }
}

/** A port that does not answer is bad only where no other way is left. */
function verdicts(media: readonly MediaFinding[]): Finding[] {
  const isReached = media.some(({ works }) => works)
  return media.map(({ protocol, works, says }) => {
    const check = `media ${protocol}`
    if (works) return { check, verdict: 'good', says }
    const name = protocol.toUpperCase()
    const cure = `open this port for ${name} in the firewalls of the server and of this network, and compare the address with ANNOUNCED_ADDRESS`
    return isReached
      ? {
          check,
          verdict: 'note',
          says: `${says}; people here meet another way; to have this one too, ${cure}`,
        }
      : { check, verdict: 'bad', says: `${says}; nobody here can be seen or heard: ${cure}` }
  })
}

async function turnFinding(relay: RelayCheck): Promise<Finding> {
  const check = 'turn'
  const problem = relayProblem(relay)
  if (problem) {
    const cure = problem.cure.charAt(0).toLowerCase() + problem.cure.slice(1).replace(/\.$/, '')
    return { check, verdict: 'bad', says: `${problem.sentence.replace(/\.$/, '')}; ${cure}` }
  }
  try {
    await askTurn(parseTurnUrl(relay.url)!)
    return { check, verdict: 'good', says: `${relay.url} answers here, and relays to the media ports` }
  } catch (error) {
    if (!(error instanceof LineFailed)) throw error
    return {
      check,
      verdict: 'note',
      says: `${relay.url} works for the server and not from here: ${error.message}; allow it in this network, and offer TURN over TLS on port 443 for networks like this`,
    }
  }
}
