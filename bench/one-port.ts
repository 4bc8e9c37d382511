/**
 * What it costs to pass media through the HTTPS port (`MEDIA_TCP_ON_HTTPS`): processor time of the passing program per participant, and how
 * late packets become, beside connections that go straight to the media port, which cost that program nothing. Participants and media worker
 * are one other program, which sends as much as six people in a meeting do: 1.2 Mbit/s from each participant, 2.4 Mbit/s to each.
 * Run: node bench/one-port.ts [participants…]
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { createServer as createHttps } from 'node:https'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { loadavg } from 'node:os'
import { passMediaOn } from '../src/server/media-on-https.ts'
import { classes, encodeTcpFrame, Message, methods } from 'werift'
import { printTable } from './table.ts'

const SIZES = [1, 10, 50, 100]
const [SETTLE_MS, MEASURED_MS] = [1000, 8000]
const PACKET_BYTES = 1200
/** One packet up and two down in each tick. */
const TICK_MS = 8
const FRAGMENT = 'onlyone'
const MOST_CPU_PERCENT = 100

interface Delays {
  packets: number
  p50: number
  p99: number
}

interface Order {
  port: number
  participants: number
}

/** Its time of sending, in the bytes after its length (RFC 4571). */
function packet(): Buffer {
  const bytes = Buffer.alloc(2 + PACKET_BYTES)
  bytes.writeUInt16BE(PACKET_BYTES, 0)
  bytes.writeDoubleBE(performance.now(), 2)
  return bytes
}

/** Calls the listener with each message. */
function read(socket: Socket, hear: (bytes: Buffer) => void): void {
  let rest: Buffer = Buffer.alloc(0)
  socket.on('data', (chunk: Buffer) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    while (rest.length >= 2 && rest.length >= 2 + rest.readUInt16BE(0)) {
      const end = 2 + rest.readUInt16BE(0)
      hear(rest.subarray(2, end))
      rest = rest.subarray(end)
    }
  })
  socket.on('error', () => undefined)
}

/** The participants, and the media worker. */
async function playBoth(): Promise<void> {
  const delays: number[] = []
  let isMeasured = false
  const hear = (bytes: Buffer): void => {
    if (isMeasured && bytes.length === PACKET_BYTES) delays.push(performance.now() - bytes.readDoubleBE(0))
  }
  const sendEvery = (socket: Socket, packets: number): void => {
    const timer = setInterval(() => {
      for (let at = 0; at < packets; at++) socket.write(packet())
    }, TICK_MS)
    socket.once('close', () => clearInterval(timer))
  }
  const worker = createServer({ noDelay: true }, (socket) => {
    read(socket, hear)
    sendEvery(socket, 2)
  }).listen(0, '127.0.0.1')
  await once(worker, 'listening')
  process.send!({ worker: (worker.address() as AddressInfo).port })
  for await (const [order] of ordersTo(process)) {
    const { port, participants } = order
    const sockets = await Promise.all(
      Array.from({ length: participants }, async () => {
        const socket = connect({ port, host: '127.0.0.1', noDelay: true })
        await once(socket, 'connect')
        const request = new Message(methods.BINDING, classes.REQUEST)
        request.setAttribute('USERNAME', `${FRAGMENT}:participant`)
        socket.write(encodeTcpFrame(request.bytes))
        read(socket, hear)
        sendEvery(socket, 1)
        return socket
      }),
    )
    await delay(SETTLE_MS)
    isMeasured = true
    process.send!('measuring')
    await delay(MEASURED_MS)
    isMeasured = false
    for (const socket of sockets) socket.destroy()
    const sorted = delays.splice(0).sort((a, b) => a - b)
    const at = (share: number): number => sorted[Math.floor(share * (sorted.length - 1))] ?? NaN
    process.send!({ packets: sorted.length, p50: at(0.5), p99: at(0.99) } satisfies Delays)
  }
}

async function* ordersTo(self: NodeJS.Process): AsyncGenerator<[Order]> {
  for (;;) yield (await once(self, 'message')) as [Order]
}

if (process.argv[2] === '--both') await playBoth()
else {
  const sizes = process.argv.slice(2).map(Number)
  const both = fork(import.meta.filename, ['--both'])
  const next = async <T>(): Promise<T> => ((await once(both, 'message')) as [T])[0]
  const { worker } = await next<{ worker: number }>()
  const server = createHttps()
  passMediaOn(server, {
    targetOf: (fragment) => (fragment === FRAGMENT ? { host: '127.0.0.1', port: worker } : undefined),
    firstBytesMs: 10_000,
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const shared = (server.address() as AddressInfo).port
  const rows: string[][] = []
  for (const participants of sizes.length > 0 ? sizes : SIZES) {
    for (const [way, port] of [
      ['straight', worker],
      ['HTTPS port', shared],
    ] as const) {
      both.send({ port, participants } satisfies Order)
      await next<'measuring'>()
      const [before, began] = [process.cpuUsage(), performance.now()]
      const { packets, p50, p99 } = await next<Delays>()
      const { user, system } = process.cpuUsage(before)
      const cpu = (user + system) / 10 / (performance.now() - began)
      rows.push([
        `${participants} · ${way}`,
        `${((packets * PACKET_BYTES * 8) / MEASURED_MS / 1000).toFixed(0)} Mbit/s`,
        `${cpu.toFixed(1)} %`,
        `${(cpu / participants).toFixed(2)} %`,
        `${p50.toFixed(1)} ms`,
        `${p99.toFixed(1)} ms`,
      ])
      if (cpu > 0.9 * MOST_CPU_PERCENT) break
    }
  }
  printTable(['participants', 'media', 'of a core', 'each', 'delay p50', 'delay p99'], rows)
  console.log(
    `Load of the machine: ${loadavg()
      .map((one) => one.toFixed(1))
      .join(', ')}`,
  )
  both.kill()
  process.exit(0)
}
