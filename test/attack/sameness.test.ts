/** A refusal must not reveal whether a meeting exists in another project. For response times: npm run attack:tokens */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { TestServer } from '../support/test-server.ts'
import { OTHER, twoProjects } from './two-projects.ts'

let server: TestServer
before(async () => {
  server = await twoProjects()
})
after(() => server.stop())

const headersThatMatter = (headers: Headers): [string, string][] =>
  [...headers].filter(([name]) => !['date', 'x-request-id'].includes(name))

test("another project's meeting is refused exactly like one that does not exist, on every route", async () => {
  const token = server.token(['allow_join'], OTHER)
  const theirs = await server.createMeeting({ customRoomId: 'their-room' })
  const ids: [there: string, nowhere: string][] = [
    [theirs, 'zzzz-yyyy-xxxx'],
    ['their-room', 'none-room1'],
  ]
  const asks: [method: string, path: (id: string) => string, body?: (id: string) => unknown][] = [
    ['GET', (id) => `/v2/rooms/${id}`],
    ['GET', (id) => `/v2/rooms/validate/${id}`],
    ['POST', (id) => `/v2/rooms/validate/${id}`],
    ['POST', (id) => `/validate-meeting/${id}`],
    ['POST', (id) => `/api/meetings/${id}`],
    ['POST', () => '/v2/rooms/deactivate', (roomId) => ({ roomId })],
    ['POST', () => '/v2/sessions/end', (roomId) => ({ roomId })],
    ['GET', (id) => `/v2/sessions?roomId=${id}`],
    ['GET', (id) => `/v2/rooms?query=${id}`],
    ['POST', () => '/v2/invites', (roomId) => ({ roomId, entry: 'direct' })],
    ['GET', (id) => `/v2/invites?roomId=${id}`],
    ['POST', (id) => `/base64-upload?roomId=${id}`, () => ({ fileName: 'x', base64Data: 'eA==' })],
    ['GET', (id) => `/files/${id}/aaaaaaaaaaaaaaaa/x`],
    ['POST', () => '/infra/v1/meetings/init-config', (roomId) => ({ roomId })],
  ]
  for (const [there, nowhere] of ids) {
    for (const [method, path, body] of asks) {
      const answers = await Promise.all(
        [there, nowhere].map(async (id) => {
          const given = body?.(id)
          const answer = await fetch(server.url + path(id), {
            method,
            headers: { authorization: token, 'content-type': 'application/json' },
            ...(given !== undefined && { body: JSON.stringify(given) }),
          })
          const text = (await answer.text()).replaceAll(id, 'ID')
          return { status: answer.status, text, headers: headersThatMatter(answer.headers) }
        }),
      )
      assert.deepEqual(answers[0], answers[1], `${method} ${path(there)}`)
    }
    const told = await Promise.all(
      [there, nowhere].map(async (meetingId) => {
        const client = server.connect({ token, meetingId, participantId: 'p' })
        await client.gone()
        return client.heard
      }),
    )
    assert.deepEqual(told[0], told[1])
    assert.equal(told[0]![0]!.code, 4003)
  }
  // The meeting exists, and its own project sees it.
  assert.equal((await server.rest('GET', `/v2/rooms/${theirs}`)).status, 200)
})

test('an unknown key and a wrong signature differ only in their published code', async () => {
  const known = server.token(['allow_join'], { secret: 'not-the-secret-of-this-key' })
  const unknown = server.token(['allow_join'], { apiKey: 'nobody', secret: 'not-the-secret-of-this-key' })
  const [wrong, none] = await Promise.all(
    [known, unknown].map((token) => server.rest('GET', '/v2/rooms', undefined, token)),
  )
  assert.deepEqual([wrong!.status, wrong!.body.code], [401, 'INVALID_TOKEN'])
  // The published clients distinguish 4001 and 4002 (contract, rest-and-tokens §1.1 and §5.6).
  assert.deepEqual([none!.status, none!.body.code], [401, 'INVALID_API_KEY'])
  assert.deepEqual(Object.keys(wrong!.body), Object.keys(none!.body))
  for (const { body } of [wrong!, none!]) assert.ok(!JSON.stringify(body).includes('nobody'))
})
