/** The machine's clock is set forward or back by an hour while a server runs. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { failing, Receiver, taking } from '../support/receiver.ts'
import { API_KEY, signAnything, TestServer } from '../support/test-server.ts'

const HOUR_MS = 3_600_000

/** A token that is valid at all times in these tests. */
function timeless(...permissions: string[]): string {
  const nowSeconds = Math.floor(Date.now() / 1000)
  return signAnything({ apikey: API_KEY, permissions, iat: nowSeconds - 7200, exp: nowSeconds + 7200 })
}

for (const [way, jumpMs] of [
  ['forward', HOUR_MS],
  ['back', -HOUR_MS],
] as const) {
  test(`an hour ${way}: the lobby keeps waiting, and requests are answered in time`, async (t) => {
    const server = await TestServer.start({ lobbyTimeoutSeconds: 2 })
    t.after(() => server.stop())
    const meetingId = await server.createMeeting()
    const ann = server.connect({ token: timeless('allow_join'), meetingId, participantId: 'ann' })
    await ann.join()
    const ask = async (participantId: string) => {
      const guest = server.connect({ token: timeless('ask_join'), meetingId, participantId })
      await guest.enter()
      await ann.hears('entryRequested', ({ id }) => id === participantId)
      return guest
    }
    const waits = await ask('waits')
    server.aheadMs = jumpMs
    await ann.request('respondEntry', { id: 'waits', decision: 'allowed' })
    await waits.hears('entryResponded', ({ decision }) => decision === 'allowed')
    await waits.finishJoin()
    const forgotten = await ask('forgotten')
    await forgotten.hears('entryResponded', ({ decision }) => decision === 'denied')
  })

  test(`an hour ${way}: a session continues, ends when all have left, and its record never runs backwards`, async (t) => {
    const server = await TestServer.start({ sessionGraceSeconds: 1 })
    t.after(() => server.stop())
    const meetingId = await server.createMeeting()
    const token = timeless('allow_join')
    const [ann, bob] = ['ann', 'bob'].map((participantId) =>
      server.connect({ token, meetingId, participantId }),
    )
    const { self } = await ann!.join()
    await bob!.join()
    server.aheadMs = jumpMs
    await ann!.request('changeDisplayName', { displayName: 'Ann' })
    bob!.close()
    await ann!.hears('peerClosed')
    // The same token and the same session.
    const again = server.connect({ token, meetingId, participantId: 'bob' })
    assert.equal((await again.join()).self.sessionId, self.sessionId)
    const ended = server.sessionEnded(meetingId)
    ann!.close()
    again.close()
    await ended
    const { body: session } = await server.rest(
      'GET',
      `/v2/sessions/${self.sessionId}`,
      undefined,
      timeless('allow_join'),
    )
    const spans = [session, ...session.participants.flatMap(({ timelog }: any) => timelog)]
    assert.equal(spans.length, 4)
    for (const { start, end } of spans) assert.ok(Date.parse(end) >= Date.parse(start), `${start} to ${end}`)
    assert.ok(session.activeDuration >= 0)
  })

  test(`an hour ${way}: a rate limit neither opens nor blocks for long`, async (t) => {
    const server = await TestServer.start({ maxRequestsPerSecond: 2 })
    t.after(() => server.stop())
    const meetingId = await server.createMeeting()
    const ann = server.connect({ token: timeless('allow_join'), meetingId, participantId: 'ann' })
    await ann.join()
    const taken = async (): Promise<boolean> =>
      ann.request('changeDisplayName', { displayName: 'Ann' }).then(
        () => true,
        () => false,
      )
    const takenOf = async (tries: number): Promise<number> => {
      const all = await Promise.all(Array.from({ length: tries }, taken))
      return all.filter(Boolean).length
    }
    await takenOf(9)
    server.aheadMs = jumpMs
    // At most one more burst, and soon one by one again; requested slowly enough that nobody is disconnected.
    assert.ok((await takenOf(12)) <= 10)
    for (let tries = 0; !(await taken()); tries++) {
      if (tries > 20) assert.fail('it stayed locked')
      await new Promise((next) => setTimeout(next, 300))
    }
  })

  test(`an hour ${way}: webhooks continue, including retries`, async (t) => {
    const receiver = await Receiver.start(failing)
    t.after(() => receiver.stop())
    const server = await TestServer.start({ webhookAllowPrivate: true })
    t.after(() => server.stop())
    const webhook = { endPoint: receiver.url, events: ['*'] }
    const [first, second] = [await server.createMeeting({ webhook }), await server.createMeeting({ webhook })]
    const [token, moderator] = [timeless('allow_join'), timeless('allow_join', 'allow_mod')]
    await server.connect({ token, meetingId: first, participantId: 'ann' }).join()
    await receiver.until((hooks) => hooks.length > 0)
    // The delivery waits for its next attempt, at an instant of the earlier clock.
    for (let tries = 0; ; tries++) {
      const { body } = await server.rest(
        'GET',
        `/v2/webhooks/deliveries?roomId=${first}`,
        undefined,
        moderator,
      )
      if (body.data.some(({ attempts }: { attempts: number }) => attempts > 0)) break
      assert.ok(tries < 100, JSON.stringify(body))
      await new Promise((next) => setTimeout(next, 50))
    }
    server.aheadMs = jumpMs
    receiver.answer = taking
    await server.connect({ token, meetingId: second, participantId: 'ann' }).join()
    for (const meetingId of [first, second])
      await receiver.until((hooks) =>
        hooks.some(
          ({ body }) => body.webhookType === 'participant-joined' && body.data.meetingId === meetingId,
        ),
      )
  })
}

test('a token is judged by the current clock; who was inside comes back whatever it says', async (t) => {
  const server = await TestServer.start()
  t.after(() => server.stop())
  const meetingId = await server.createMeeting()
  const token = server.token(['allow_join'])
  const status = async (): Promise<number> => (await server.rest('GET', '/v2/rooms', undefined, token)).status
  const inside = () => server.connect({ token, meetingId, participantId: 'ann' }).join()
  assert.equal(await status(), 200)
  await inside()
  for (const aheadMs of [2 * HOUR_MS, -HOUR_MS]) {
    server.aheadMs = aheadMs
    assert.equal(await status(), 401)
    await inside()
    const stranger = server.connect({ token, meetingId, participantId: 'eve' })
    assert.equal((await stranger.hears('error')).code, 4002)
  }
})
