/**
 * Every interface that checks a secret answers only a limited number of wrong ones per address, and counts them all
 * together.
 */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { ADMIN_KEY, API_KEY, SECRET, signAnything, TestServer } from '../support/test-server.ts'

const MOST = 6
/** The password and codes have their own rate limit. */
const MOST_OF_ANY = 40
const METRICS_TOKEN = 'a-token-for-scrapers-0001'

let server: TestServer
let meetingId: string
before(async () => {
  server = await TestServer.start({ maxFailedTokensPerMinute: MOST, metricsToken: METRICS_TOKEN })
  meetingId = await server.createMeeting()
})
after(() => server.stop())

type Headers = Record<string, string>
interface Door {
  method?: 'GET' | 'POST'
  path: string
  body?: (guess: string) => unknown
  headers?: (guess: string) => Headers
  /**
   * Headers with the right secret, for secrets that a person may have chosen: after too many guesses, they are not
   * checked any more.
   */
  right?: Headers
}

const bearer = (secret: string): Headers => ({ authorization: `Bearer ${secret}` })
const basic = (secret: string): Headers => ({
  authorization: `Basic ${Buffer.from(`${API_KEY}:${secret}`).toString('base64')}`,
})
const cookie = (secret: string): Headers => ({ cookie: `anteroom_sign_in=${secret}` })
const forged = (secret: string): Headers => ({
  authorization: signAnything({ apikey: API_KEY, permissions: ['allow_join'] }, secret.padEnd(32, '.')),
})
const admin = { headers: bearer, right: bearer(ADMIN_KEY) }

/** So that the caller does not count as the owner at this machine. */
const PROXIED = { 'x-forwarded-for': '127.0.0.1' }

const doors: Record<string, Door> = {
  'the API secret, for a token': { path: '/get-token', headers: basic, right: basic(SECRET) },
  'the token for metrics': { path: '/metrics', headers: bearer, right: bearer(METRICS_TOKEN) },
  'the admin key': { path: '/v2/admin/status', ...admin },
  'the admin key, where it is only asked whether one is signed in': { path: '/v2/admin/sign-in', ...admin },
  'the admin key, to start a meeting': {
    method: 'POST',
    path: '/page/start',
    headers: (guess) => ({ ...bearer(guess), ...PROXIED }),
    right: { ...bearer(ADMIN_KEY), ...PROXIED },
  },
  'the cookie': { path: '/v2/admin/status', headers: cookie },
  'the cookie, where it is only asked whether one is signed in': {
    path: '/v2/admin/sign-in',
    headers: cookie,
  },
  'the cookie, to start a meeting': {
    method: 'POST',
    path: '/page/start',
    headers: (guess) => ({ ...cookie(guess), ...PROXIED }),
  },
  'the password': {
    method: 'POST',
    path: '/v2/admin/sign-in',
    body: (guess) => ({ password: `a long password ${guess}` }),
  },
  'the code of the first link': {
    method: 'POST',
    path: '/v2/admin/sign-in',
    body: (guess) => ({ code: guess.padEnd(24, 'A') }),
  },
  'the code of an invite': {
    method: 'POST',
    path: '/invites/exchange',
    body: (guess) => ({ code: guess.padEnd(24, 'A') }),
  },
  'the address of a meeting that may be knocked at': {
    method: 'POST',
    path: '/page/knock',
    body: (guess) => ({ meetingId: guess }),
  },
  'a token over REST': { path: '/v2/rooms', headers: forged },
  'a token, to join': {
    method: 'POST',
    path: '/infra/v1/meetings/init-config',
    headers: forged,
    body: () => ({ roomId: meetingId }),
  },
}

async function statusOf(
  { method = 'GET', path, body }: Door,
  guess: string,
  headers: Headers,
): Promise<number> {
  const answer = await fetch(server.url + path, {
    method,
    headers: { ...headers, ...(body && { 'content-type': 'application/json' }) },
    ...(body && { body: JSON.stringify(body(guess)) }),
  })
  await answer.body?.cancel()
  return answer.status
}

for (const [what, door] of Object.entries(doors)) {
  test(`${what}: an address that guesses is refused with 429 after some attempts`, async () => {
    // The limits have recovered a minute later; until then the clock stands still.
    server.stillAt ??= Date.now()
    server.aheadMs += 3600_000
    const most = door.headers ? MOST : MOST_OF_ANY
    const statuses: number[] = []
    while (statuses.length <= most && !statuses.includes(429)) {
      const guess = `guess${statuses.length}`
      statuses.push(await statusOf(door, guess, door.headers?.(guess) ?? {}))
    }
    assert.equal(statuses.at(-1), 429, statuses.join(' '))
    assert.ok(!statuses.slice(1, -1).includes(500), statuses.join(' '))
    if (door.right) assert.equal(await statusOf(door, '', door.right), 429, 'not even the right one')
    server.aheadMs += 3600_000
    if (door.right) assert.equal(await statusOf(door, '', door.right), 200, 'an hour later')
  })
}

test('a token sent on an open socket, to switch or relay to another meeting, counts like one at the door', async () => {
  server.aheadMs += 3600_000
  const client = server.connect({ token: server.token(['allow_mod']), meetingId, participantId: 'host' })
  await client.join()
  const refusals: string[] = []
  for (let at = 0; at <= MOST; at++) {
    const token = forged(`guess${at}`).authorization
    refusals.push(
      await client.request('switchToMeeting', { meetingId, secret: token }).then(
        () => 'done',
        (error: unknown) => JSON.stringify(error) + String(error),
      ),
    )
  }
  assert.ok(!refusals[0]!.includes('Too many wrong tokens'), refusals[0])
  assert.match(refusals.at(-1)!, /Too many wrong tokens/)
  client.close()
})
