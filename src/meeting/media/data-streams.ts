/** Data that participants send to all others over their transports. */
import type { Transport } from '../../media/sfu.ts'
import type { RequestData } from '../../protocol/requests.ts'
import type { Participant } from '../roster/participant.ts'
import type { LiveDataConsumer } from './participant-media.ts'
import { Refusal } from '../../protocol/errors.ts'
import { assertSmall } from '../app-json.ts'
import { beginDelivery, giveUp, isDue } from './delivery.ts'

export interface DataStreamsOptions {
  /** For one participant. */
  maxProducers: number
  participants: () => Iterable<Participant>
  onError: (error: unknown, doing: string) => void
}

export class DataStreams {
  readonly #options: DataStreamsOptions

  constructor(options: DataStreamsOptions) {
    this.#options = options
  }

  async produce(participant: Participant, data: RequestData<'produceData'>): Promise<{ id: string }> {
    const { media } = participant
    if (!participant.sends) {
      throw new Refusal('INVALID_STATE', { message: 'A participant that only receives cannot send data.' })
    }
    const { transportId, sctpStreamParameters, label = '', protocol = '', appData = {} } = data
    assertSmall('appData', appData)
    const transport = media.requireTransport(transportId, 'send')
    if (media.dataProducers.size + media.pendingDataProducers >= this.#options.maxProducers)
      throw new Refusal('MAX_SPEAKER_REACHED')
    media.pendingDataProducers += 1
    const producer = await transport
      .produceData({ sctpStreamParameters, label, protocol })
      .finally(() => (media.pendingDataProducers -= 1))
    if (!participant.maySend || !media.transports.has(transportId)) {
      producer.close()
      throw new Refusal('INVALID_STATE')
    }
    media.dataProducers.set(producer.id, { producer, appData })
    this.announce(participant, producer.id)
    return { id: producer.id }
  }

  /** Brings a stream to all others. */
  announce(owner: Participant, dataProducerId: string): void {
    for (const other of this.#options.participants())
      if (other !== owner) this.consume(other, owner, dataProducerId)
  }

  /** Brings a stream to a participant, if it receives data and does not have it already. */
  consume(participant: Participant, owner: Participant, dataProducerId: string): void {
    const { media } = participant
    const transport = media.transport('receive')
    const isThere = owner.media.dataProducers.has(dataProducerId)
    if (!participant.joined || !participant.receives || !transport?.sctpParameters || !isThere) return
    if (!beginDelivery(media, dataProducerId, transport)) return
    this.#deliver(participant, owner, dataProducerId, transport).catch((error: unknown) => {
      if (!giveUp(media, dataProducerId, transport)) return
      if (owner.media.dataProducers.has(dataProducerId) && participant.joined)
        this.#options.onError(error, 'failed to deliver data')
    })
  }

  /** Statistics of a data stream that the participant sends or receives. @throws {Refusal} NOT_FOUND */
  stats({ media }: Participant, id: string): Promise<unknown[]> {
    const found = media.dataProducers.get(id)?.producer ?? media.dataConsumers.get(id)?.consumer
    if (!found) throw new Refusal('NOT_FOUND', { message: 'There is no such data stream.' })
    return found.stats()
  }

  async #deliver(
    participant: Participant,
    owner: Participant,
    dataProducerId: string,
    transport: Transport,
  ): Promise<void> {
    const { media, link } = participant
    const consumer = await transport.consumeData({ dataProducerId })
    const data = owner.media.dataProducers.get(dataProducerId)
    if (!participant.joined || !data || !isDue(media, dataProducerId, transport)) {
      consumer.close()
      giveUp(media, dataProducerId, transport)
      return
    }
    const { id, sctpStreamParameters, label, protocol } = consumer
    const receiving: LiveDataConsumer = { consumer, offered: true }
    media.dataConsumers.set(id, receiving)
    consumer.on('producerClosed', () => media.forgetDataConsumer(receiving))
    const taken = await link.request('newDataConsumer', {
      peerId: owner.id,
      dataProducerId,
      id,
      sctpStreamParameters,
      label,
      protocol,
      appData: data.appData,
    })
    receiving.offered = false
    if (media.dataConsumers.get(id) !== receiving) {
      link.notify({ method: 'dataConsumerClosed', dataConsumerId: id })
    } else if (!taken) {
      consumer.close()
      media.forgetDataConsumer(receiving)
    }
  }
}
