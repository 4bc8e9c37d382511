import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MeetingError } from './errors.ts'
import { layerFor, sentSizesOf, Showing, type SentSizes } from './showing.ts'

const HD: SentSizes = { width: 1280, layers: 3 }

/** A server that answers when the test says so. */
class SlowServer {
  readonly asked: [method: string, layer?: unknown][] = []
  readonly #waiting: { done: () => void; failed: (error: unknown) => void }[] = []
  readonly delayed: (() => void)[] = []

  showing(sent = HD): Showing {
    return new Showing({
      consumerId: 'c1',
      sent,
      request: (method, data) => {
        const { spatialLayer } = data as { spatialLayer?: number }
        this.asked.push(spatialLayer === undefined ? [method] : [method, spatialLayer])
        return new Promise<void>((done, failed) => this.#waiting.push({ done, failed }))
      },
      later: (work) => void this.delayed.push(work),
    })
  }

  async answer(error?: unknown): Promise<void> {
    const next = this.#waiting.shift()
    if (error === undefined) next?.done()
    else next?.failed(error)
    await new Promise((done) => setImmediate(done))
  }
}

test('chooses the smallest layer that looks sharp at its size', () => {
  for (const [shown, sent, layer] of [
    [100, HD, 0],
    [320, HD, 0],
    [400, HD, 0],
    [401, HD, 1],
    [800, HD, 1],
    [801, HD, 2],
    [5000, HD, 2],
    [100, { width: 640, layers: 2 }, 0],
    [500, { width: 640, layers: 2 }, 1],
    [5, { width: 640, layers: 1 }, 0],
  ] as const)
    assert.equal(layerFor(shown, sent), layer, `${shown} of ${sent.width}`)
})

test('assumes usual sizes for layers that a sender does not describe', () => {
  assert.deepEqual(sentSizesOf({}), { width: 1280, layers: 1 })
  assert.deepEqual(sentSizesOf({ width: '9', encodings: 'many' }), { width: 1280, layers: 1 })
  assert.deepEqual(sentSizesOf({ width: 640, encodings: [{}, {}] }), { width: 640, layers: 2 })
})

test('sends one request at a time, and of many wishes only the last', async () => {
  const server = new SlowServer()
  const showing = server.showing()
  for (const width of [300, 900, 0, 500]) showing.show(width)
  assert.deepEqual(server.asked, [['setConsumerPreferredLayers', 0]])
  await server.answer()
  assert.deepEqual(server.asked.slice(1), [['setConsumerPreferredLayers', 1]])
  await server.answer()
  showing.show(450)
  assert.equal(server.asked.length, 2)
})

test('pauses what is not shown, and restores its size when it is shown again', async () => {
  const server = new SlowServer()
  const showing = server.showing()
  showing.show(0)
  showing.show(0)
  await server.answer()
  showing.show(1000)
  await server.answer()
  await server.answer()
  assert.deepEqual(server.asked, [['pauseConsumer'], ['setConsumerPreferredLayers', 2], ['resumeConsumer']])
})

test('only pauses a video that has a single size', async () => {
  const server = new SlowServer()
  const showing = server.showing({ width: 1280, layers: 1 })
  showing.show(100)
  showing.show(0)
  await server.answer()
  assert.deepEqual(server.asked, [['pauseConsumer']])
})

test('retries later if the server is asked too often, and stops if it refuses', async () => {
  const server = new SlowServer()
  const showing = server.showing()
  showing.show(0)
  await server.answer(new MeetingError(5000, 'RATE_LIMITED', 'too many'))
  assert.equal(server.delayed.length, 1)
  server.delayed[0]!()
  await server.answer(new MeetingError(404, 'NOT_FOUND', 'gone'))
  assert.equal(server.delayed.length, 1)
  assert.deepEqual(server.asked, [['pauseConsumer'], ['pauseConsumer']])
})

test('asks for nothing after it has ended', async () => {
  const server = new SlowServer()
  const showing = server.showing()
  showing.show(300)
  showing.end()
  await server.answer()
  showing.show(0)
  assert.deepEqual(server.asked, [['setConsumerPreferredLayers', 0]])
})
