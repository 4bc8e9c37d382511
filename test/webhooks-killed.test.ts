/** A server that is killed repeatedly between events and their delivery. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Receiver } from './support/receiver.ts'
import { RealServer } from './support/real-server.ts'
import { signAnything, API_KEY } from './support/test-server.ts'
import { WireClient } from './support/wire-client.ts'

/** `npm run attack:webhooks` sets a hundred. */
const KILLS = Number(process.env.TEST_KILLS ?? 10)
const MEETINGS = 4
const PER_PAGE = 100

test(`killed ${KILLS} times, it loses no event and keeps their order in each meeting`, async (t) => {
  const server = await RealServer.start({
    WEBHOOK_ALLOW_PRIVATE: 'true',
    WEBHOOK_TIMEOUT_SECONDS: '1',
    SESSION_GRACE_SECONDS: '3600',
    MEDIA_WORKERS: '1',
  })
  let answered = 0
  const receiver = await Receiver.start((_hook, response) => {
    // Different delays, so that some deliveries are under way when the server dies.
    setTimeout(() => response.writeHead(204).end(), (++answered * 37) % 90)
  })
  const token = signAnything({ apikey: API_KEY, permissions: ['allow_join', 'allow_mod'] })
  const rest = async (path: string, body?: unknown): Promise<any> => {
    const answer = await fetch(server.url + path, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { authorization: token, 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    assert.equal(answer.status, 200)
    return answer.json()
  }
  const clients: WireClient[] = []
  const letGo = (): void => {
    for (const client of clients.splice(0)) client.socket.disconnect()
  }
  try {
    const meetings: string[] = []
    for (let i = 0; i < MEETINGS; i++)
      meetings.push((await rest('/v2/rooms', { webhook: { endPoint: receiver.url, events: ['*'] } })).roomId)
    const told = (): Set<string | undefined> =>
      new Set(receiver.hooks.map(({ body }) => body.data.participantId))
    const acknowledged: string[] = []
    let killedBefore = 0
    for (let kill = 0; kill < KILLS; kill++) {
      const joins = meetings.map(async (meetingId, i) => {
        const participantId = `p${kill}-${i}`
        const client = new WireClient({ url: server.url, token, meetingId, participantId })
        clients.push(client)
        await client.join()
        acknowledged.push(participantId)
      })
      // At the first join, at the last, or during the deliveries.
      const settled = Promise.allSettled(joins)
      if (kill % 3 === 0) await Promise.any(joins)
      else await settled
      if (kill % 3 === 2) await receiver.until(() => [...told()].some((id) => id?.startsWith(`p${kill}-`)))
      await server.end('SIGKILL')
      const known = told()
      if (acknowledged.some((id) => !known.has(id))) killedBefore++
      letGo()
      await settled
      await server.run()
    }
    assert.ok(acknowledged.length >= KILLS)

    let events = 0
    for (const meetingId of meetings) {
      const written = await delivered(rest, meetingId)
      const arrived = [
        ...new Set(
          receiver.hooks
            .filter(({ body }) => body.data.meetingId === meetingId)
            .map(({ body }) => body.deliveryId),
        ),
      ]
      assert.deepEqual(arrived, written)
      events += written.length
    }
    const known = told()
    assert.deepEqual(
      acknowledged.filter((id) => !known.has(id)),
      [],
    )
    t.diagnostic(
      `${KILLS} kills, ${killedBefore} of them with joins not told yet; ${acknowledged.length} joins acknowledged, ` +
        `${events} events, ${receiver.hooks.length - events} doubles, none lost, none out of order`,
    )
  } finally {
    letGo()
    await server.stop()
    receiver.stop()
  }
})

/** The ids of all deliveries of a meeting in the order in which they were written, once all have arrived. */
async function delivered(rest: (path: string) => Promise<any>, meetingId: string): Promise<string[]> {
  for (let tries = 0; tries < 600; tries++) {
    const all: any[] = []
    for (let page = 1, more = true; more; page++) {
      const { data } = await rest(
        `/v2/webhooks/deliveries?roomId=${meetingId}&page=${page}&perPage=${PER_PAGE}`,
      )
      all.push(...data)
      more = data.length === PER_PAGE
    }
    if (all.every(({ state }) => state === 'delivered'))
      return all.map(({ deliveryId }) => deliveryId).reverse()
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  assert.fail(`not all of ${meetingId} was delivered in time`)
}
