/** Every interface interprets a text as the same id, or every interface refuses it. */
import assert from 'node:assert/strict'
import { Agent, request as httpRequest } from 'node:http'
import { connect as connectTcp } from 'node:net'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { WebSocket } from 'ws'
import { connect } from '../src/client/connect.ts'
import { MeetingError } from '../src/client/errors.ts'
import { cleanName } from '../src/protocol/ids.ts'
import { ServerClient } from '../src/server-client/server-client.ts'
import { mintToken } from '../src/token/token.ts'
import { API_KEY, SECRET, signAnything, TestServer } from './support/test-server.ts'
import type { Heard } from './support/wire-client.ts'
import { oddTexts } from './attack/odd-values.ts'

let server: TestServer
let projectId: string
const agent = new Agent({ keepAlive: true })

before(async () => {
  server = await TestServer.start()
  projectId = (await server.admin('GET', '/v2/admin/projects')).body.data[0].projectId
})
after(() => {
  agent.destroy()
  return server.stop()
})

interface Answer {
  status: number
  body: any
}

/** Sends an address and bytes unchanged; `fetch` would normalise both. */
function call(
  method: string,
  path: string,
  body: string | Buffer = '',
  type = 'application/json',
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest(
      new URL(server.url),
      {
        agent,
        method,
        path,
        headers: {
          ...(!path.startsWith('/get-token') && { authorization: server.token(['allow_join', 'allow_mod']) }),
          ...(body.length > 0 && { 'content-type': type, 'content-length': Buffer.byteLength(body) }),
        },
      },
      (answer) => {
        const chunks: Buffer[] = []
        answer.on('data', (chunk: Buffer) => chunks.push(chunk))
        answer.on('end', () =>
          resolve({ status: answer.statusCode!, body: JSON.parse(Buffer.concat(chunks).toString() || '{}') }),
        )
      },
    )
    sent.on('error', reject)
    sent.end(body)
  })
}

/** Escapes a text as in an address, including lone surrogates, which no encoder of the language writes. */
function escaped(text: string): string {
  return Array.from(text, (character) => {
    if (character.isWellFormed()) return encodeURIComponent(character)
    const unit = character.charCodeAt(0)
    return [0xe0 | (unit >> 12), 0x80 | ((unit >> 6) & 63), 0x80 | (unit & 63)]
      .map((byte) => `%${byte.toString(16)}`)
      .join('')
  }).join('')
}

const form = (name: string, value: string): [string, string] => [
  `${name}=${escaped(value)}`,
  'application/x-www-form-urlencoded',
]

const pieces = [
  ...[
    'a',
    'Z',
    '-',
    '_',
    '.',
    '..',
    '/',
    '\\',
    '%',
    '%2f',
    '%2e',
    '?',
    '#',
    '&',
    '+',
    '=',
    ';',
    ':',
    '@',
    '"',
    "'",
  ],
  ...[
    ' ',
    '\u00a0',
    '\u3000',
    '\n',
    '\0',
    '\u0085',
    '\u2028',
    '\u200b',
    '\u200d',
    '\ufeff',
    '\u00ad',
    '\u3164',
  ],
  ...[
    'é',
    'e\u0301',
    '\u0301',
    '\u212a',
    'ｓ',
    'ß',
    'İ',
    'ש',
    'م',
    '会',
    '😀',
    '❤️',
    '\u202e',
    '\u2069',
    '\ufffd',
  ],
  ...['\ud83d', '\ude00', '\ufffe', '\u{f0000}', 'server', 'validate', 'deactivate', 'null', '__proto__'],
]
const text = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .array(fc.constantFrom(...pieces), { minLength: 1, maxLength: 6 })
      .map((all) => all.join('')),
  },
  { weight: 2, arbitrary: fc.string({ unit: 'binary', minLength: 1, maxLength: 12 }) },
  { weight: 2, arbitrary: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }) },
  {
    weight: 1,
    arbitrary: fc
      .array(fc.integer({ min: 0, max: 0xffff }), { minLength: 1, maxLength: 4 })
      .map((units) => String.fromCharCode(...units)),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(
        fc.constantFrom('x', '😀', '/', '%', 'é', 'ﷺ', 'e\u0301'),
        fc.constantFrom(64, 65, 127, 128, 129, 256, 257),
      )
      .map(([one, times]) => one.repeat(times)),
  },
)
const odd = [...oddTexts, ...pieces].filter((id) => id !== '')
const examples = [...new Set(odd)].map((id): [string] => [id])

function same<T>(values: Record<string, T>, where: string): T {
  const [first] = Object.values(values)
  for (const [door, value] of Object.entries(values))
    assert.deepEqual(value, first, `${where}: ${door} differs: ${JSON.stringify(values)}`)
  return first!
}

const throws = (work: () => unknown): boolean => {
  try {
    work()
    return false
  } catch {
    return true
  }
}

/** Returns the participant id under which the holder of a token is admitted. */
async function isIn(
  token: string,
  meetingId: string,
  participantId?: string,
  { joins = false } = {},
): Promise<string | undefined> {
  const client = server.connect({
    token,
    meetingId,
    ...(participantId !== undefined && { participantId }),
  })
  try {
    const heard = await Promise.race([client.hears('connectionSuccess'), client.hears('close')])
    if (heard.method === 'close') return undefined
    await (joins ? client.join() : client.enter())
    return (await client.hears('entryResponded')).id as string
  } finally {
    client.close()
  }
}

test('every door creates and finds a custom id, or every door refuses it', async () => {
  await fc.assert(
    fc.asyncProperty(text, async (id) => {
      const where = JSON.stringify(id)
      const path = escaped(id)
      const made = {
        'v2 JSON': await call('POST', '/v2/rooms', JSON.stringify({ customRoomId: id })),
        'v1 JSON': await call('POST', '/v1/meetings', JSON.stringify({ userMeetingId: id })),
        form: await call('POST', '/create-room', ...form('customRoomId', id)),
        path: await call('POST', `/v1/prebuilt/meetings/${path}`, '{}'),
      }
      const accepted =
        same(
          mapped(made, ({ status }) => status),
          where,
        ) === 200
      const own = server.token(['allow_join', 'allow_mod'], { roomId: id })
      const asked = {
        room: await call('GET', `/v2/rooms/${path}`),
        validate: await call('GET', `/v2/rooms/validate/${path}`),
        'validate v1': await call('POST', `/v1/meetings/${path}`),
        'validate sample': await call('POST', `/validate-meeting/${path}`),
        live: await call('GET', `/v2/rooms/${path}/live`),
        'init-config': await call('POST', '/infra/v1/meetings/init-config', JSON.stringify({ roomId: id })),
        'init-config form': await call('POST', '/infra/v1/meetings/init-config', ...form('roomId', id)),
        'get-token query': await call('GET', `/get-token?roomId=${path}`),
        'get-token body': await call('GET', '/get-token', JSON.stringify({ roomId: id })),
        invite: await call('POST', '/v2/invites', JSON.stringify({ roomId: id, entry: 'ask' })),
        invites: await call('GET', `/v2/invites?roomId=${path}`),
        mint: throws(() => mintToken({ apiKey: API_KEY, secret: SECRET, now: Date.now(), roomId: id }))
          ? { status: 400 }
          : { status: 200 },
        'mint for the operator': await server.admin('POST', `/v2/admin/projects/${projectId}/token`, {
          roomId: id,
        }),
        'claim over REST': await server.rest(
          'GET',
          `/v2/rooms/${made['v2 JSON'].body.roomId ?? 'none'}`,
          undefined,
          own,
        ),
        'claim and query at the socket': {
          status: (await isIn(own, wellFormed(id), 'ann')) === 'ann' ? 200 : 400,
        },
      }
      same(
        mapped(asked, ({ status }) => status === 200),
        where,
      )
      assert.equal(asked.room.status === 200, accepted, where)
      const lists = {
        rooms: await call('GET', `/v2/rooms?query=${path}`),
        sessions: await call('GET', `/v2/sessions?customRoomId=${path}`),
        'sessions by query': await call('GET', `/v2/sessions?query=${path}`),
      }
      if (!accepted) {
        for (const { status, body } of Object.values(made)) {
          assert.equal(status, 400, where)
          assert.match(body.message, /^[A-Za-z].*\.$/, where)
        }
        for (const { body } of Object.values(lists)) assert.deepEqual(body.data ?? [], [], where)
        return
      }
      const ids = {
        ...mapped(made, ({ body }) => body.roomId),
        ...mapped(lists, ({ body }) => body.data[0]?.roomId),
      }
      const meetingId = same(ids, where)
      for (const { body } of [...Object.values(made), asked.room, asked.validate]) {
        assert.equal(body.customRoomId, id, where)
        assert.equal(body.roomId, meetingId, where)
      }
      const backend = new ServerClient({ url: server.url, apiKey: API_KEY, secret: SECRET })
      assert.equal((await backend.rooms.get(id)).customRoomId, id, where)
      // Also when only the database remembers it.
      assert.equal(lists.rooms.body.data[0].customRoomId, id, where)
    }),
    { numRuns: 30 + examples.length, examples },
  )
})

test('every door takes a participantId as the same, or refuses it', async () => {
  const meetingId = await server.createMeeting()
  await fc.assert(
    fc.asyncProperty(text, async (id) => {
      const where = JSON.stringify(id)
      const path = escaped(id)
      const free = server.token(['allow_join'])
      const bound = server.token(['allow_join'], { participantId: id })
      const rest = (method: string, to: string, body?: unknown) => server.rest(method, to, body)
      const accepted = same(
        {
          socket: id.isWellFormed() && (await isIn(free, meetingId, id, { joins: true })) === id,
          'a claim': (await isIn(bound, meetingId)) === id,
          'a claim over REST': (await server.rest('GET', '/v2/rooms', undefined, bound)).status === 200,
          'get-token query': (await call('GET', `/get-token?participantId=${path}`)).status === 200,
          'get-token peerId': (await call('GET', `/get-token?peerId=${path}`)).status === 200,
          'get-token body':
            (await call('GET', '/get-token', JSON.stringify({ participantId: id }))).status === 200,
          'get-token form': (await call('GET', '/get-token', ...form('participantId', id))).status === 200,
          mint: !throws(() =>
            mintToken({ apiKey: API_KEY, secret: SECRET, now: Date.now(), participantId: id }),
          ),
          'mint for the operator':
            (await server.admin('POST', `/v2/admin/projects/${projectId}/token`, { participantId: id }))
              .status === 200,
          'the list of a room':
            (await rest('POST', '/v2/rooms', { allowedParticipantIds: [id] })).status === 200,
          client: await connect({
            url: 'http://127.0.0.1:1',
            token: free,
            meetingId,
            name: 'A',
            participantId: id,
          }).then(
            () => true,
            (error: unknown) => error instanceof MeetingError && error.reason === 'CONNECTION_FAILED',
          ),
        },
        where,
      )
      if (!accepted) return
      const sessionId = (await rest('GET', `/v2/sessions?roomId=${meetingId}&perPage=1`)).body.data[0].id
      const found = await call('GET', `/v2/sessions/${sessionId}/participants/${path}`)
      assert.deepEqual([found.status, found.body.participantId], [200, id], where)
    }),
    { numRuns: 30 + examples.length, examples },
  )
})

test('an id that is a word of an address is found by its address, or refused', async () => {
  const { body: document } = await call('GET', '/openapi.json')
  const words = new Set(Object.keys(document.paths).flatMap((path) => path.match(/[^/{}]+/g) ?? []))
  const token = server.token(['allow_join'])
  const meetingId = await server.createMeeting()
  for (const word of words) {
    const made = await server.rest('POST', '/v2/rooms', { customRoomId: word })
    for (const after of ['', '/live', '/removals', '/values/a']) {
      const { status, body } = await call('GET', `/v2/rooms/${word}${after}`)
      const found = status === 200 && !(after !== '' && 'customRoomId' in body)
      assert.equal(
        found || body.message === 'The meeting has no ongoing session.',
        made.status === 200,
        word + after,
      )
    }
    const client = server.connect({ meetingId, token, participantId: word })
    const heard = await Promise.race([client.hears('connectionSuccess'), client.hears('close')])
    if (heard.method === 'connectionSuccess') await client.join()
    const { body } = await server.rest('GET', `/v2/sessions?roomId=${meetingId}`)
    const one = await call('GET', `/v2/sessions/${body.data[0]?.id}/participants/${word}`)
    assert.equal(one.body.participantId === word, heard.method === 'connectionSuccess', word)
    client.close()
  }
})

test('a name is one line, shown the same everywhere, and keeps nobody out', async () => {
  const meetingId = await server.createMeeting()
  const token = server.token(['allow_join', 'allow_mod'])
  const watcher = server.connect({ meetingId, token, participantId: 'watcher', name: 'W' })
  await watcher.join()
  let count = 0
  await fc.assert(
    fc.asyncProperty(text, async (name) => {
      const where = JSON.stringify(name)
      const participantId = `p${++count}`
      const client = server.connect({ meetingId, token, participantId, name })
      if (!name.isWellFormed() || Array.from(name).length > 256) {
        await assert.rejects(client.enter(), where)
        client.close()
        return
      }
      await client.join()
      const shown = cleanName(name) || participantId
      const isMe = ({ id }: Heard): boolean => id === participantId
      assert.equal((await watcher.hears('newPeer', isMe)).displayName, shown, where)
      const live = await server.rest('GET', `/v2/rooms/${meetingId}/live`)
      assert.equal(
        live.body.participants.find((one: any) => one.participantId === participantId).name,
        shown,
        where,
      )
      await client.request('changeDisplayName', { displayName: 'other' })
      await client.request('changeDisplayName', { displayName: name })
      const renamed = await watcher.hears(
        'peerDisplayNameChanged',
        ({ peerId, oldDisplayName }) => peerId === participantId && oldDisplayName === 'other',
      )
      assert.equal(renamed.displayName, shown, where)
      client.close()
    }),
    { numRuns: 30 + examples.length, examples },
  )
})

test('text that is not UTF-8 is refused with a sentence, and never read as something else', async () => {
  const before = (await call('GET', '/v2/rooms?perPage=1')).body.pageInfo.total
  const latin1 = Buffer.from('{"customRoomId":"b\xfcro"}', 'latin1')
  const bodies: [body: Buffer | string, type: string][] = [
    [latin1, 'application/json'],
    [latin1, 'application/json; charset=iso-8859-1'],
    [latin1, 'text/plain'],
    [Buffer.from('{"customRoomId":"büro"}'), 'application/json; charset=iso-8859-1'],
    ['{"customRoomId":"b\\ud83dro"}', 'application/json'],
    ['customRoomId=b%FCro', 'application/x-www-form-urlencoded'],
    [Buffer.from('customRoomId=b\xfcro', 'latin1'), 'application/x-www-form-urlencoded'],
  ]
  for (const [body, type] of bodies) {
    for (const path of ['/v2/rooms', '/v1/meetings', '/create-meeting', '/v1/prebuilt/meetings/new']) {
      const answer = await call('POST', path, body, type)
      assert.deepEqual([answer.status, answer.body.code], [400, 'INVALID_REQUEST'], `${path} ${type}`)
      assert.match(answer.body.message, /^The (body|text in the body) must be .*\.$/)
    }
  }
  for (const path of [
    '/v2/rooms/b%FCro',
    '/v2/rooms/validate/b%FCro',
    '/v1/prebuilt/meetings/b%ED%A0%BD',
    '/v2/rooms?query=b%FCro',
    '/get-token?roomId=b%FCro',
    '/v2/sessions?customRoomId=%ED%A0%BD',
  ]) {
    const answer = await call(path.includes('prebuilt') ? 'POST' : 'GET', path)
    assert.deepEqual([answer.status, answer.body.code], [400, 'INVALID_REQUEST'], path)
  }
  assert.equal((await call('GET', '/v2/rooms?perPage=1')).body.pageInfo.total, before)
})

test('unescaped bytes in an address are refused', async () => {
  for (const path of ['/v2/rooms/b\xfcro', '/v2/rooms/b\xc3\xbcro', '/v2/rooms?query=b\xfcro']) {
    const socket = connectTcp(Number(new URL(server.url).port), '127.0.0.1')
    socket.end(Buffer.from(`GET ${path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n`, 'latin1'))
    let answer = ''
    for await (const chunk of socket.setEncoding('utf8')) answer += chunk as string
    assert.match(answer, /^HTTP\/1\.1 400 [^]*"code":"INVALID_REQUEST"/, path)
  }
})

test('a socket whose address is not UTF-8 is told so', async () => {
  const meetingId = await server.createMeeting()
  const address = `${server.url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket&roomId=${meetingId}`
  const secret = server.token(['allow_join'])
  for (const peerId of ['b%FCro', '%ED%A0%BD']) {
    const socket = new WebSocket(`${address}&peerId=${peerId}&secret=${secret}`)
    const said = await new Promise<string>((resolve, reject) => {
      let all = ''
      socket.on('open', () => socket.send('40'))
      socket.on('message', (data: Buffer) => {
        all += data.toString()
        if (all.includes('"close"')) resolve(all)
      })
      socket.on('error', reject)
    })
    socket.close()
    assert.match(said, /"name":"INVALID_REQUEST","message":"The address is not well formed\."/)
  }
})

test('an id names one meeting of a project', async () => {
  const { body: first } = await server.rest('POST', '/v2/rooms')
  for (const customRoomId of [first.roomId, first.id]) {
    for (const made of [
      await server.rest('POST', '/v2/rooms', { customRoomId }),
      await server.rest('POST', '/v1/meetings', { userMeetingId: customRoomId }),
    ]) {
      assert.deepEqual([made.status, made.body.code], [400, 'INVALID_REQUEST'], customRoomId)
      assert.equal(made.body.message, 'The custom id is the id of another meeting.')
    }
    assert.equal((await server.rest('GET', `/v2/rooms/${customRoomId}`)).body.roomId, first.roomId)
    const got = await server.rest('POST', `/v1/prebuilt/meetings/${customRoomId}`, {})
    assert.equal(got.body.roomId, first.roomId)
  }
  const both = await server.rest('POST', '/v2/rooms', { customRoomId: 'one', userMeetingId: 'other' })
  assert.deepEqual([both.status, both.body.code], [400, 'INVALID_REQUEST'])
  // Nobody learns about another project's meetings by trying ids.
  const { body: other } = await server.admin('POST', '/v2/admin/projects', { name: 'other' })
  const { body: key } = await server.admin('POST', '/v2/admin/keys', { projectId: other.projectId })
  const theirs = server.token(['allow_join'], { apiKey: key.apiKey, secret: key.secret })
  const { status, body } = await server.rest('POST', '/v2/rooms', { customRoomId: first.roomId }, theirs)
  assert.deepEqual([status, body.customRoomId], [200, first.roomId])
  assert.equal(
    (await server.rest('GET', `/v2/rooms/${first.roomId}`, undefined, theirs)).body.roomId,
    body.roomId,
  )
  assert.equal((await server.rest('GET', `/v2/rooms/${first.roomId}`)).body.roomId, first.roomId)
})

test('nobody joins under the name of the server, or one that looks like a participant inside', async () => {
  const meetingId = await server.createMeeting()
  const token = server.token(['allow_join'])
  await server.connect({ meetingId, token, participantId: 'host', name: 'Host' }).join()
  for (const participantId of [
    'server',
    'SERVER',
    'ｓｅｒｖｅｒ',
    'host\u200b',
    '\u200dhost',
    'ho\u00adst',
    'host\ufe0f',
  ]) {
    const client = server.connect({ meetingId, token, participantId, name: 'Host' })
    const { code } = await client.hears('error')
    assert.equal(code, 4004, participantId)
  }
  assert.equal(
    await isIn(
      signAnything({ apikey: API_KEY, permissions: ['allow_join'], participantId: 'server' }),
      meetingId,
    ),
    undefined,
  )
})

function mapped<In, Out>(values: Record<string, In>, to: (value: In) => Out): Record<string, Out> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, to(value)]))
}

/** The test's own socket cannot send lone surrogates; another test below covers them. */
function wellFormed(id: string): string {
  return id.isWellFormed() ? id : 'none'
}
