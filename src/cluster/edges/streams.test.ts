import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { OfferEvent, StreamOffer, StreamSource } from '../../media/sfu.ts'
import { ServedSource } from './streams.ts'

const offered = (streamId: string): StreamOffer => ({
  streamId,
  lineId: 'line',
  end: { ip: '127.0.0.1', port: 1, srtpParameters: {} as never },
})

/** A source that answers when it is told to. */
function slowSource() {
  const answered = Promise.withResolvers<undefined>()
  const closed: string[] = []
  let hear: ((event: OfferEvent) => void) | undefined
  const source: StreamSource = {
    offer: async (producerId, _to, listener) => {
      hear = listener
      await answered.promise
      return offered(`of ${producerId}`)
    },
    connect: () => Promise.resolve(),
    flow: () => Promise.resolve(),
    close: (streamId) => closed.push(streamId),
  }
  return {
    source,
    closed,
    answer: () => answered.resolve(undefined),
    say: (event: OfferEvent) => hear?.(event),
  }
}

test('a stream that is offered to a node that is lost meanwhile is closed', async () => {
  const { source, closed, answer } = slowSource()
  const served = new ServedSource(source, { tell: () => undefined })
  const offer = served.answer('offer', ['p', 'router', 1])
  served.closeAll()
  answer()
  await assert.rejects(offer!, { code: 'INVALID_STATE' })
  assert.deepEqual(closed, ['of p'])
})

test('the other node hears of a stream, closes it once, and is not given one that has ended', async () => {
  const { source, closed, answer, say } = slowSource()
  const told: unknown[] = []
  const served = new ServedSource(source, { tell: (...message) => told.push(message) })
  answer()
  await served.answer('offer', ['p', 'router', 7])
  say('paused')
  assert.deepEqual(told, [['stream', 7, 'paused']])
  served.close('of p')
  served.close('of p')
  served.closeAll()
  assert.deepEqual(closed, ['of p'])

  const other = slowSource()
  const ended = new ServedSource(other.source, { tell: () => undefined })
  const offer = ended.answer('offer', ['p', 'router', 8])
  other.say('closed')
  other.answer()
  await assert.rejects(offer!, { code: 'INVALID_STATE' })
  ended.closeAll()
  assert.deepEqual(other.closed, [])
})
