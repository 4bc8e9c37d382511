/** What sessions of WHEP viewers hold, and when they give it back, with a media server in memory. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { Transport, TransportLine } from '../../media/sfu.ts'
import type { ErrorName } from '../../protocol/errors.ts'
import type { Grant } from '../../token/token.ts'
import type { Onlooker } from '../../meeting/roster/member.ts'
import { createFakeSfu } from '../../media/fake/sfu.ts'
import { Refusal } from '../../protocol/errors.ts'
import { emptyView } from '../../meeting/view.ts'
import { audio, offerOf, video } from '../../../test/support/offers.ts'
import { grantOf, PROJECT } from '../../../test/support/live-meetings.ts'
import { meetingRecord } from '../../../test/support/records.ts'
import { readOffer } from './offer.ts'
import { StreamSessions, type StreamSessionOptions } from './sessions.ts'

const offer = readOffer(offerOf(audio('recvonly'), video('recvonly', ['96 VP8'])), 'receive')
const UNCONNECTED: TransportLine = { ice: 'new', dtls: 'new', selectedPair: null }

function setUp(t: TestContext, options: { maxViewers?: number; line?: TransportLine } = {}) {
  const { maxViewers = 4, line } = options
  const sfu = createFakeSfu()
  const watching = new Set<Onlooker>()
  const world = { sfu, watching, whileAttaching: (): void => undefined }
  let number = 0
  const sessions = new StreamSessions({
    meetings: {
      attach: async (_meetingId, onlooker) => {
        await Promise.resolve()
        watching.add(onlooker)
        world.whileAttaching()
        return { sessionId: 's', detach: () => watching.delete(onlooker) }
      },
      view: () => Promise.resolve(emptyView),
      refusalOfRemoved: () => Promise.resolve(undefined),
      requestEntry: () => Promise.reject(new Error('nobody enters here')),
    },
    openRouter: async (asked) => {
      const router = await sfu.openRouter(asked)
      const create = router.createTransport.bind(router)
      return Object.assign(router, {
        createTransport: async (...call: Parameters<typeof create>): Promise<Transport> => {
          const transport = await create(...call)
          return line ? Object.defineProperty(transport, 'line', { get: () => line }) : transport
        },
      })
    },
    mediaStatus: () => sfu.status,
    refusalSince: () => undefined,
    newSecretId: () => `secret-${++number}`,
    maxViewers,
    log: { info: () => undefined, error: () => undefined } as unknown as StreamSessionOptions['log'],
  })
  t.after(() => sessions.close())
  const meeting = meetingRecord({ id: 'm', meetingId: 'm', projectId: PROJECT })
  const watch = async (grant: Grant = grantOf('direct', 'own')) =>
    (await sessions.receive({ meeting, grant, participantId: 'eye', name: 'Eye', offer })).session
  const openRouters = (): number => sfu.routers.filter(({ closed }) => !closed).length
  return { sessions, watch, openRouters, world }
}

const refused =
  (code: ErrorName) =>
  (error: unknown): boolean =>
    error instanceof Refusal && error.code === code

test('a viewer that never connects is gone after 30 s, with its router and its place', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'setInterval'] })
  const { sessions, watch, openRouters, world } = setUp(t, { maxViewers: 1, line: UNCONNECTED })
  await watch()
  t.mock.timers.tick(29_999)
  await assert.rejects(watch(), refused('MEDIA_UNAVAILABLE'))
  assert.deepEqual([sessions.size, openRouters(), world.watching.size], [1, 1, 1])
  t.mock.timers.tick(1)
  assert.deepEqual([sessions.size, openRouters(), world.watching.size], [0, 0, 0])
  await watch()
})

test('a viewer that is connected stays', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'setInterval'] })
  const { sessions, watch } = setUp(t)
  await watch()
  t.mock.timers.tick(60_000)
  assert.equal(sessions.size, 1)
})

test('a viewer whose media dies while it comes in leaves nothing behind', async (t) => {
  const { sessions, watch, openRouters, world } = setUp(t, { maxViewers: 1 })
  world.whileAttaching = () => world.sfu.kill()
  await assert.rejects(watch(), refused('INVALID_STATE'))
  assert.deepEqual([sessions.size, openRouters(), world.watching.size], [0, 0, 0])
  world.whileAttaching = () => undefined
  await watch()
})

test('the holders of one token have half of the viewers at most', async (t) => {
  const { watch } = setUp(t, { maxViewers: 4 })
  const first = await watch()
  await watch()
  await assert.rejects(watch(), refused('RATE_LIMITED'))
  await watch(grantOf('direct', 'other'))
  first.end()
  await watch()
  await watch(grantOf('direct', 'other'))
  await assert.rejects(watch(grantOf('direct', 'third')), refused('MEDIA_UNAVAILABLE'))
})

test('of two restarts of ICE at once, the second is refused', async (t) => {
  const { sessions, watch } = setUp(t)
  const session = await watch()
  const { etag } = session
  const restart = (ufrag: string) =>
    sessions.patch(session, `a=ice-ufrag:${ufrag}\r\na=ice-pwd:${'p'.repeat(24)}\r\n`, etag)
  const [one, two] = await Promise.allSettled([restart('new1'), restart('new2')])
  assert.equal(one.status, 'fulfilled')
  assert.ok(two.status === 'rejected' && refused('PRECONDITION_FAILED')(two.reason))
})
