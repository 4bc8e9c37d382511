/**
 * A participant takes as much as possible of what a session shares, alone and with others who have the same token:
 * something is left for everybody else. Each limit of a session has its rows here.
 */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { limitRows } from '../support/limit-rows.ts'
import { TestServer } from '../support/test-server.ts'
import { WireError, type WireClient } from '../support/wire-client.ts'

/** The limit of everything; a token may use half of it, a participant a quarter. */
const CAP = 8
/** Because a whole class may join at once with one token. */
const TOKEN_PART_OF_SEATS = 3 / 4
const KIB = 1024
/** The size of a message without its topic and its row. */
const TEXT_BYTES = KIB - 256 - 'CHAT'.length

let server: TestServer
before(async () => {
  server = await TestServer.start({
    maxParticipants: CAP,
    maxEntryRequests: CAP,
    maxInvites: CAP,
    maxStoreKeys: CAP,
    maxChatTopics: CAP,
    maxChatSubscriptions: 2,
    maxChatMessageBytes: TEXT_BYTES,
    maxSessionChatBytes: CAP * KIB,
    maxFileBytes: KIB,
    maxSessionFileBytes: CAP * KIB,
    maxSessionFileUploadsPerMinute: CAP * CAP,
    maxChatMessagesPerSecond: 1000,
    maxRequestsPerSecond: 1000,
  })
  // The clock stands still, so no rate limit recovers.
  server.stillAt = Date.now()
})
after(() => server.stop())

interface Taker {
  meetingId: string
  token: string
  participantId: string
  /** The client, if it is inside. */
  client?: WireClient
}

interface Row {
  setting: string
  what: string
  /** Takes one more; rejects with the refusal. */
  take: (taker: Taker, nth: number) => Promise<unknown>
  /** A participant can have only one. */
  single?: true
  /** The share of one token; default: half. */
  tokenPart?: number
  /** The taker has not joined the meeting. */
  outside?: true
  /** Counts by token only, unless the token is bound to a participant. */
  overRest?: true
  /** Is restored after a restart. */
  kept?: true
}

const overRest = async ({ token }: Taker, method: string, path: string, body: unknown): Promise<void> => {
  const answer = await server.rest(method, path, body, token)
  if (answer.status !== 200) throw new WireError(answer.status, answer.body.code, answer.body.message)
}
const base64 = (bytes: number): string => Buffer.alloc(bytes).toString('base64')
const enter = ({ meetingId, token, participantId }: Taker): Promise<unknown> =>
  server.connect({ meetingId, token, participantId }).enter()

const rows: Row[] = [
  {
    setting: 'MAX_STORE_KEYS',
    what: 'keys',
    take: ({ client, participantId }, n) =>
      client!.request('realtimeStoreSet', { key: `${participantId} ${n}`, value: 'x' }),
  },
  {
    setting: 'MAX_STORE_KEYS',
    what: 'keys that are observed',
    take: ({ client, participantId }, n) =>
      client!.request('realtimeStoreObserve', { key: `${participantId} ${n}` }),
  },
  {
    setting: 'MAX_STORE_KEYS',
    what: 'keys over REST',
    overRest: true,
    take: (taker, n) =>
      overRest(taker, 'PUT', `/v2/rooms/${taker.meetingId}/values/${taker.participantId}${n}`, {
        value: 'x',
      }),
  },
  {
    setting: 'MAX_INVITES',
    what: 'invites',
    overRest: true,
    kept: true,
    take: (taker) => overRest(taker, 'POST', '/v2/invites', { roomId: taker.meetingId, entry: 'ask' }),
  },
  {
    setting: 'MAX_CHAT_TOPICS',
    what: 'topics',
    take: ({ client, participantId }, n) =>
      client!.request('pubsubSubscribe', { topic: `${participantId} ${n}` }),
  },
  {
    setting: 'MAX_SESSION_CHAT_BYTES',
    what: 'chat that is kept',
    kept: true,
    take: ({ client }) =>
      client!.request('pubsubPublish', {
        topic: 'CHAT',
        message: 'x'.repeat(TEXT_BYTES),
        options: { persist: true },
      }),
  },
  {
    setting: 'MAX_SESSION_CHAT_BYTES',
    what: 'chat that is kept, over REST',
    overRest: true,
    kept: true,
    take: (taker) =>
      overRest(taker, 'POST', `/v2/rooms/${taker.meetingId}/messages`, {
        topic: 'CHAT',
        message: 'x'.repeat(TEXT_BYTES),
        persist: true,
      }),
  },
  {
    setting: 'MAX_SESSION_FILE_BYTES',
    what: 'room for files',
    kept: true,
    overRest: true,
    take: (taker) =>
      overRest(taker, 'POST', `/base64-upload?roomId=${taker.meetingId}`, {
        fileName: 'x',
        base64Data: base64(KIB),
      }),
  },
  {
    setting: 'MAX_SESSION_FILE_UPLOADS_PER_MINUTE',
    what: 'uploads',
    overRest: true,
    take: (taker) =>
      overRest(taker, 'POST', `/base64-upload?roomId=${taker.meetingId}`, {
        fileName: 'x',
        base64Data: base64(1),
      }),
  },
  {
    setting: 'MAX_ENTRY_REQUESTS',
    what: 'places in the lobby',
    outside: true,
    single: true,
    take: (taker) => enter({ ...taker, token: guestOf(taker.token) }),
  },
  {
    setting: 'MAX_ENTRY_REQUESTS',
    what: 'requests for a relay',
    outside: true,
    single: true,
    take: async ({ meetingId, token, participantId }) => {
      const source = server.connect({
        meetingId: await server.createMeeting(),
        token: server.token(['allow_join']),
        participantId,
      })
      try {
        await source.join()
        await source.request('mediaRelayRequestSent', { meetingId, secret: token })
      } catch (error) {
        source.close()
        throw error
      }
    },
  },
  {
    setting: 'MAX_PARTICIPANTS',
    what: 'seats that nobody has joined with',
    tokenPart: TOKEN_PART_OF_SEATS,
    outside: true,
    single: true,
    take: enter,
  },
]

/** For participants who must ask, each with its own token. */
const guests = new Map<string, string>()
function guestOf(token: string): string {
  const guest = guests.get(token) ?? server.token(['ask_join'])
  guests.set(token, guest)
  return guest
}

const REFUSED = new Set(['RATE_LIMITED', 'PAYLOAD_TOO_LARGE', 'STORE_SET_FAILED', 'STORE_OBSERVE_FAILED'])

/** Returns how many of this number of attempts succeeded. */
async function takeAll({ take, single }: Row, taker: Taker, tries: number): Promise<number> {
  let taken = 0
  for (let nth = 0; nth < (single ? 1 : tries); nth++) {
    try {
      await take(taker, nth)
      taken++
    } catch (error) {
      if (!(error instanceof WireError && REFUSED.has(error.errorName))) throw error
    }
  }
  return taken
}

async function taker(row: Row, meetingId: string, token: string, participantId: string): Promise<Taker> {
  if (row.outside) return { meetingId, token, participantId }
  const client = server.connect({ meetingId, token, participantId })
  await client.join()
  return { meetingId, token, participantId, client }
}

/** A meeting with a session. */
async function meetingOf(row: Row): Promise<string> {
  const meetingId = await server.createMeeting()
  if (row.outside) {
    const host = server.connect({ meetingId, token: server.token(['allow_join']), participantId: 'host' })
    await host.join()
  }
  return meetingId
}

test('every limit of a session or a meeting has a row', () => {
  const shared = limitRows
    .filter(({ of }) => of === 'session' || of === 'meeting')
    .map(({ setting }) => setting)
  assert.deepEqual([...new Set(rows.map(({ setting }) => setting))].sort(), shared.sort())
})

for (const row of rows) {
  const { setting, what, single, overRest: byToken } = row
  const cap = setting === 'MAX_SESSION_FILE_UPLOADS_PER_MINUTE' ? CAP * CAP : CAP

  if (!single)
    test(`${what}: one participant takes a part, and others have theirs`, async () => {
      const meetingId = await meetingOf(row)
      const greedy = await taker(row, meetingId, server.token(['allow_join']), 'greedy')
      assert.equal(await takeAll(row, greedy, cap + 1), byToken ? cap / 2 : cap / 4)
      const other = await taker(row, meetingId, server.token(['allow_join']), 'other')
      assert.equal(await takeAll(row, other, cap / 4), cap / 4)
    })

  if (byToken)
    test(`${what}: a token that is bound to a participant takes no more than that`, async () => {
      const meetingId = await meetingOf(row)
      const token = server.token(['allow_join'], { participantId: 'greedy' })
      const greedy = await taker(row, meetingId, token, 'greedy')
      assert.equal(await takeAll(row, greedy, cap), cap / 4)
    })

  if (row.kept)
    test(`${what}: a restart gives nobody another part`, async () => {
      const meetingId = await meetingOf(row)
      const token = server.token(['allow_join'], { participantId: 'greedy' })
      assert.equal(await takeAll(row, await taker(row, meetingId, token, 'greedy'), cap), cap / 4)
      await server.restart()
      const back = await taker(row, meetingId, token, 'greedy')
      assert.equal(await takeAll(row, back, 1), 0)
      const other = await taker(row, meetingId, server.token(['allow_join']), 'other')
      assert.equal(await takeAll(row, other, cap / 4), cap / 4)
    })

  test(`${what}: all holders of one token together take their part, and others have theirs`, async () => {
    const meetingId = await meetingOf(row)
    const token = server.token(['allow_join'])
    let taken = 0
    for (let at = 0; at < (single ? cap : 4); at++)
      taken += await takeAll(row, await taker(row, meetingId, token, `greedy${at}`), cap)
    assert.equal(taken, cap * (row.tokenPart ?? 1 / 2))
    const other = await taker(row, meetingId, server.token(['allow_join']), 'other')
    assert.equal(await takeAll(row, other, 1), 1)
  })
}
