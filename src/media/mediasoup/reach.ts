/** Tests whether packets to an announced address arrive at a worker, by sending a request as a client does. */
import { createSocket } from 'node:dgram'
import { connect, isIP } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { types as mediasoup } from 'mediasoup'
import { stunBinding } from '../../../scripts/media-worker/stun.mjs'

const BINDING_SUCCESS = 0x0101
const TRIES = 7
const FIRST_WAIT_MS = 50
const LONGEST_WAIT_MS = 1000

export interface Place {
  address: string
  port: number
}

/** Returns the protocols on which nothing answers at this address. Takes milliseconds if all answer. */
export async function silentProtocols(
  place: Place,
  ice: mediasoup.IceParameters,
): Promise<('UDP' | 'TCP')[]> {
  const [udp, tcp] = await Promise.all([answersUdp(place, ice), answersTcp(place, ice)])
  return [...(udp ? [] : ['UDP' as const]), ...(tcp ? [] : ['TCP' as const])]
}

/** Each attempt waits longer than the previous one, because the machine may be busy. */
async function within<T>(answered: Promise<T>, attempt: () => void): Promise<T | undefined> {
  const over = new AbortController()
  try {
    for (let tries = 0, wait = FIRST_WAIT_MS; tries < TRIES; tries++) {
      attempt()
      const answer = await Promise.race([answered, delay(wait, undefined, { signal: over.signal })])
      if (answer !== undefined) return answer
      wait = Math.min(wait * 2, LONGEST_WAIT_MS)
    }
    return undefined
  } finally {
    over.abort()
  }
}

async function answersUdp({ address, port }: Place, ice: mediasoup.IceParameters): Promise<boolean> {
  const socket = createSocket(isIP(address) === 6 ? 'udp6' : 'udp4')
  try {
    const answered = new Promise<boolean>((resolve) => {
      socket.on('message', (message) => isSuccess(message) && resolve(true))
      socket.on('error', () => resolve(false))
    })
    return (await within(answered, () => socket.send(stunBinding(ice), port, address))) === true
  } finally {
    socket.close()
  }
}

async function answersTcp({ address, port }: Place, ice: mediasoup.IceParameters): Promise<boolean> {
  const socket = connect(port, address)
  try {
    const answered = new Promise<boolean>((resolve) => {
      // RFC 4571: a length precedes each message.
      socket.on('data', (data) => data.length > 4 && isSuccess(data.subarray(2)) && resolve(true))
      socket.on('error', () => resolve(false))
      socket.on('close', () => resolve(false))
    })
    socket.on('connect', () => {
      const message = stunBinding(ice)
      const length = Buffer.alloc(2)
      length.writeUInt16BE(message.length)
      socket.write(Buffer.concat([length, message]))
    })
    return (await within(answered, () => undefined)) === true
  } finally {
    socket.destroy()
  }
}

function isSuccess(message: Buffer): boolean {
  return message.length >= 20 && message.readUInt16BE(0) === BINDING_SUCCESS
}
