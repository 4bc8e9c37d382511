/** The media of one check: two transports, over which one receives one's own picture, and nobody else's. */
import type { Producer, Router, Transport } from '../../media/sfu.ts'
import type { CheckAnswers, CheckProtocol, CheckRequest, CheckTransport } from '../../protocol/check.ts'
import { Refusal } from '../../protocol/errors.ts'
import type { TurnCheck } from './turn.ts'

/** More than an honest check moves in each direction, and too little to be worth anything else. */
export const MAX_CHECK_BYTES = 6_000_000
/** The page checks UDP and TCP, and may try each twice. */
const MAX_OPENINGS = 4

interface Lines {
  router: Router
  send: Transport
  receive: Transport
  sends: boolean
  producer?: Producer
}

export class LineCheck {
  readonly #openRouter: () => Promise<Router>
  readonly #turn: Pick<TurnCheck, 'look'>
  #lines: Lines | undefined
  #openings = 0
  #isClosed = false
  /** Of the transports that were closed. */
  #bytesBefore = 0

  constructor(openRouter: () => Promise<Router>, turn: Pick<TurnCheck, 'look'>) {
    this.#openRouter = openRouter
    this.#turn = turn
  }

  /** @throws {Refusal} */
  async answer({ method, data }: CheckRequest): Promise<CheckAnswers[keyof CheckAnswers]> {
    switch (method) {
      case 'ping':
        return {}
      case 'turn':
        return { relays: await this.#turn.look() }
      case 'open':
        return this.#open(data.protocol)
      case 'connect': {
        const { send, receive } = this.#required()
        await (data.direction === 'send' ? send : receive).connect(data.dtlsParameters)
        return {}
      }
      case 'produce': {
        const lines = this.#required()
        if (lines.sends) throw new Refusal('INVALID_STATE', { message: 'A check sends one picture.' })
        lines.sends = true
        const producer = await lines.send.produce({ kind: 'video', rtpParameters: data.rtpParameters })
        lines.producer = producer
        return { id: producer.id }
      }
      case 'consume': {
        const { receive, producer } = this.#required()
        if (!producer) throw new Refusal('INVALID_STATE', { message: 'There is nothing to receive yet.' })
        const { rtpCapabilities } = data
        const consumer = await receive.consume({ producerId: producer.id, rtpCapabilities })
        await consumer.resume()
        return { id: consumer.id, producerId: producer.id, rtpParameters: consumer.rtpParameters }
      }
    }
  }

  /** What the transports moved so far, in the direction that moved more. */
  async bytes(): Promise<number> {
    const lines = this.#lines
    if (!lines) return this.#bytesBefore
    const [send, receive] = await Promise.all([lines.send.stats(), lines.receive.stats()])
    return this.#bytesBefore + Math.max(send.receiveBytes, receive.sendBytes)
  }

  close(): void {
    this.#isClosed = true
    release(this.#lines)
    this.#lines = undefined
  }

  async #open(protocol: CheckProtocol): Promise<CheckAnswers['open']> {
    const turn = ++this.#openings
    if (turn > MAX_OPENINGS)
      throw new Refusal('RATE_LIMITED', { message: 'This check has tried often enough.' })
    this.#bytesBefore = await this.bytes().catch(() => this.#bytesBefore)
    release(this.#lines)
    this.#lines = undefined
    const router = await this.#openRouter()
    try {
      // One member is on one worker, so that nothing crosses to another.
      const member = {}
      const [send, receive] = await Promise.all([
        router.createTransport({ direction: 'send', member }),
        router.createTransport({ direction: 'receive', member }),
      ])
      const lines: Lines = { router, send, receive, sends: false }
      if (this.#isSuperseded(turn)) {
        release(lines)
        throw new Refusal('INVALID_STATE', { message: 'The check is over.' })
      }
      this.#lines = lines
      const { rtpCapabilities } = router
      return { rtpCapabilities, send: shown(send, protocol), receive: shown(receive, protocol) }
    } catch (error) {
      router.close()
      throw error
    }
  }

  /** The check ended while a router was opened, or asked for other transports. */
  #isSuperseded(turn: number): boolean {
    return this.#isClosed || turn !== this.#openings
  }

  #required(): Lines {
    if (!this.#lines) throw new Refusal('INVALID_STATE', { message: 'Open the transports first.' })
    return this.#lines
  }
}

function release(lines: Lines | undefined): void {
  lines?.send.close()
  lines?.receive.close()
  lines?.router.close()
}

function shown(
  { id, iceParameters, iceCandidates, dtlsParameters }: Transport,
  protocol: CheckProtocol,
): CheckTransport {
  const ofProtocol = iceCandidates.filter((one) => one.protocol === protocol)
  return { id, iceParameters, iceCandidates: ofProtocol, dtlsParameters }
}
