/**
 * The attacker of `floods-long.ts`: one kind of flood for a given time, in its own process, from one address of this
 * machine or from many. Connections, concurrency and time are bounded.
 */
import { once } from 'node:events'
import { Agent } from 'node:http'
import { WebSocket } from 'ws'
import { encodeClientFrame } from '../../src/protocol/chat.ts'
import { API_KEY, signAnything } from '../support/test-server.ts'
import { WireClient } from '../support/wire-client.ts'
import type { Flood, FloodOrder, FloodTally } from './flood-order.ts'
import { ask, openHalf, openSocket } from './caller.ts'

const ADDRESSES = 50
/** The most connections held at once: more than the server admits, fewer than a process may have. */
const MOST_HELD = { one: 2500, many: 11_000 }
const AT_ONCE = 64
const MEMBERS = 20
/** Few, so that each reaches its own limit. */
const PRODUCING = 6
const FILE_BYTES = 1_000_000
const BAD_TOKEN = signAnything({ apikey: API_KEY, permissions: ['allow_join'] }, 'x'.repeat(40))

process.on('message', (order: FloodOrder) => {
  run(order)
    .then((tally) => process.send!({ tally }))
    .catch((error: unknown) => process.send!({ failed: String(error) }))
})
process.on('disconnect', () => process.exit(0))
// Connections that the server cuts are expected.
process.on('uncaughtException', () => undefined)

async function run({ flood, from, url, meetingId, seconds }: FloodOrder): Promise<FloodTally> {
  const tally: FloodTally = {}
  const count = (what: string): void => void (tally[what] = (tally[what] ?? 0) + 1)
  const endsAt = performance.now() + seconds * 1000
  const isOver = (): boolean => performance.now() >= endsAt
  let turn = 0
  const address = (): string => (from === 'one' ? '127.0.1.1' : `127.0.1.${1 + (turn++ % ADDRESSES)}`)
  const held = new Set<{ destroy(): unknown }>()
  const hold = (one: { destroy(): unknown }): void => {
    held.add(one)
    setTimeout(() => held.delete(one) && one.destroy(), Math.max(0, endsAt - performance.now()))
  }
  const isFull = (): boolean => held.size >= MOST_HELD[from]
  /** Repeats a step, this many times concurrently. */
  const repeat = async (times: number, step: (at: number) => Promise<void>): Promise<void> => {
    await Promise.all(
      Array.from({ length: times }, async (_, at) => {
        while (!isOver()) {
          await step(at).catch(() => count('cut'))
          // Lets other work of this process run, and avoids a busy loop.
          await new Promise((resolve) => setTimeout(resolve, 1))
        }
      }),
    )
  }
  const rest = async (
    path: string,
    options: { method?: string; body?: string; headers?: Record<string, string>; agent?: Agent },
  ): Promise<void> => {
    const localAddress = address()
    const { status, body } = await ask(url, path, { ...options, localAddress })
    count(status === 429 ? `429 ${body.name ?? body.code}` : `${status}`)
  }
  const member = (at: number, permissions: string[]): WireClient =>
    new WireClient({
      url,
      token: signAnything({ apikey: API_KEY, permissions }),
      meetingId,
      participantId: `flood-${at}`,
      from: { localAddress: address() },
    })
  const members = async (
    most = MEMBERS,
  ): Promise<{ client: WireClient; pubSubUrl: string; token: string }[]> => {
    const all = []
    for (let at = 0; at < most && !isOver(); at++) {
      const client = member(at, ['allow_join'])
      const { pubSubUrl } = (await client.join()) as { pubSubUrl: string }
      all.push({ client, pubSubUrl, token: (client.socket.io.opts.query as { secret: string }).secret })
    }
    return all
  }

  const kinds: Record<Flood, () => Promise<void>> = {
    connections: () =>
      repeat(AT_ONCE, async () => {
        if (isFull()) return
        const socket = await openSocket(url, address())
        count('opened')
        hold(socket)
        socket.on('data', (data) => count(`told ${/^HTTP\/1.1 (\d+)/.exec(String(data))?.[1]}`))
        socket.on('close', () => held.delete(socket) && count('cut'))
      }),
    'half-open sockets': () =>
      repeat(AT_ONCE, async () => {
        if (isFull()) return
        const { socket, refused } = await openHalf(url, { localAddress: address() })
        if (refused) count(`429 ${refused.body.code}`)
        if (!socket) return
        count('opened')
        const entry = { destroy: () => socket.terminate() }
        hold(entry)
        socket.on('close', () => held.delete(entry) && count('ended by the server'))
      }),
    'slow bodies': () =>
      repeat(AT_ONCE, async () => {
        if (isFull()) return
        const socket = await openSocket(url, address())
        count('opened')
        socket.write(
          `POST /v2/rooms HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 250000\r\n\r\n{"x":"`,
        )
        const drip = setInterval(() => socket.write('x'.repeat(1000)), 500)
        hold(socket)
        socket.on('data', (data) => count(`told ${/^HTTP\/1.1 (\d+)/.exec(String(data))?.[1]}`))
        socket.on('close', () => {
          clearInterval(drip)
          if (held.delete(socket)) count('cut')
        })
      }),
    requests: async () => {
      const agents = Array.from(
        { length: from === 'one' ? 1 : ADDRESSES },
        (_, at) => new Agent({ keepAlive: true, maxSockets: AT_ONCE, localAddress: `127.0.1.${1 + at}` }),
      )
      await repeat(AT_ONCE * 2, () => rest('/nothing', { agent: agents[turn % agents.length]! }))
      for (const agent of agents) agent.destroy()
    },
    'entry requests': async () => {
      let guests = 0
      await repeat(AT_ONCE, async () => {
        const guest = member(++guests, ['ask_join'])
        try {
          const answer = await Promise.race([
            guest.hears('connectionSuccess'),
            guest.hears('error'),
            new Promise<undefined>((resolve) => guest.socket.once('connect_error', () => resolve(undefined))),
          ])
          if (answer?.method !== 'connectionSuccess') {
            count(answer ? `told ${String(answer.name)}` : '429 in place of a socket')
            return
          }
          await guest.request('requestEntry', {})
          count('asked')
        } catch (error) {
          count(`told ${(error as { errorName?: string }).errorName ?? 'nothing'}`)
        } finally {
          guest.close()
        }
      })
    },
    'produce/close': async () => {
      const all = await members(PRODUCING)
      await repeat(all.length, async (at) => {
        const { client } = all[at]!
        try {
          const { id } = (await client.request('produce', {
            transportId: client.transports.send,
            kind: 'audio',
            rtpParameters: {
              mid: `${turn}`,
              codecs: [
                { mimeType: 'audio/opus', payloadType: 100, clockRate: 48_000, channels: 2, parameters: {} },
              ],
              headerExtensions: [],
              encodings: [{ ssrc: 1_000_000 + at * 100_000 + (turn++ % 100_000) }],
              rtcp: { cname: `flood-${at}` },
            },
            appData: {},
          })) as { id: string }
          count('produced')
          await client.request('closeProducer', { producerId: id })
        } catch (error) {
          count(`told ${(error as { errorName?: string }).errorName ?? 'nothing'}`)
        }
      })
      for (const { client } of all) client.close()
    },
    chat: async () => {
      const all = await members()
      let sent = 0
      const open = async ({ pubSubUrl }: { pubSubUrl: string }): Promise<void> => {
        const socket = new WebSocket(pubSubUrl, { localAddress: address() })
        const closed = new Promise<void>((resolve) => {
          socket.on('close', (code) => {
            count(`closed with ${code}`)
            resolve()
          })
          socket.on('error', () => resolve())
        })
        socket.on('message', () => undefined)
        await Promise.race([once(socket, 'open'), closed])
        while (!isOver() && socket.readyState === WebSocket.OPEN) {
          for (let at = 0; at < 20; at++) {
            socket.send(
              encodeClientFrame('publish', {
                requestId: `r${++sent}`,
                topic: 'CHAT',
                message: 'x'.repeat(2000),
              }),
            )
            count('sent')
          }
          await new Promise((resolve) => setTimeout(resolve, 10))
        }
        socket.terminate()
      }
      await repeat(all.length, (at) => open(all[at]!))
      for (const { client } of all) client.close()
    },
    'file uploads': async () => {
      const all = await members()
      const body = JSON.stringify({
        fileName: 'x',
        base64Data: Buffer.alloc(FILE_BYTES).toString('base64'),
      })
      await repeat(AT_ONCE / 2, (at) =>
        rest(`/base64-upload?roomId=${meetingId}`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', authorization: all[at % all.length]!.token },
          body,
        }),
      )
      for (const { client } of all) client.close()
    },
    'init-config, bad tokens': () =>
      repeat(AT_ONCE, () =>
        rest('/infra/v1/meetings/init-config', {
          method: 'POST',
          headers: { 'content-type': 'application/json', authorization: BAD_TOKEN },
          body: JSON.stringify({ roomId: meetingId }),
        }),
      ),
  }
  await kinds[flood]()
  for (const one of held) one.destroy()
  return tally
}
