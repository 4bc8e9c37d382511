/** Files shared in a meeting, over HTTP. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { TestServer } from './support/test-server.ts'

const KIB = 1024
let server: TestServer
before(async () => {
  server = await TestServer.start({
    maxFileBytes: 64 * KIB,
    maxSessionFileBytes: 100 * KIB,
    sessionGraceSeconds: 1,
  })
})
after(() => server.stop())

const PNG = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex')

async function person(meetingId: string, participantId: string, permissions = ['allow_join']) {
  const token = server.token(permissions)
  const wire = server.connect({ token, meetingId, participantId })
  return {
    wire,
    upload: async (fileName: string, bytes: Buffer): Promise<{ status: number; url: string }> => {
      const { status, body } = await server.rest(
        'POST',
        `/base64-upload?roomId=${meetingId}`,
        { fileName, base64Data: bytes.toString('base64') },
        token,
      )
      return { status, url: body.url }
    },
    get: (url: string): Promise<Response> => fetch(url, { headers: { authorization: token } }),
  }
}

test('a file is served by the type of its bytes, whatever its name says, and never as something that runs', async () => {
  const meetingId = await server.createMeeting()
  const ann = await person(meetingId, 'ann')
  await ann.wire.join()
  for (const [name, bytes, type] of [
    ['picture.html', PNG, 'image/png'],
    ['page.png', Buffer.from('<!doctype html><script>alert(1)</script>'), 'application/octet-stream'],
    [
      'drawing.svg',
      Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'),
      'application/octet-stream',
    ],
    ['script.js', Buffer.from('alert(1)'), 'application/octet-stream'],
  ] as const) {
    const { status, url } = await ann.upload(name, bytes)
    assert.equal(status, 200)
    const given = await ann.get(url)
    assert.equal(given.headers.get('content-type'), type, name)
    assert.match(given.headers.get('content-disposition')!, /^attachment;/)
    assert.equal(given.headers.get('x-content-type-options'), 'nosniff')
    assert.deepEqual(Buffer.from(await given.arrayBuffer()), bytes)
  }
})

test('limits the size of one file and of all files of a session, however many come at once', async () => {
  const meetingId = await server.createMeeting()
  const ann = await person(meetingId, 'ann')
  await ann.wire.join()
  assert.equal((await ann.upload('large', Buffer.alloc(64 * KIB + 1))).status, 413)
  const answers = await Promise.all(
    Array.from({ length: 6 }, (_, at) => ann.upload(`part-${at}`, Buffer.alloc(40 * KIB))),
  )
  const taken = answers.filter(({ status }) => status === 200)
  assert.ok(taken.length <= 2)
  assert.ok(answers.every(({ status }) => status === 200 || status === 413))
  // A refused file uses no space.
  assert.equal((await ann.upload('small', Buffer.alloc(10 * KIB))).status, 200)
})

test('only participants inside can read a file, and it ends with the session', async () => {
  const [meetingId, other] = [await server.createMeeting(), await server.createMeeting()]
  const [ann, bob] = [await person(meetingId, 'ann'), await person(meetingId, 'bob')]
  const guest = await person(meetingId, 'guest', ['ask_join'])
  const stranger = await person(other, 'stranger')
  for (const { wire } of [ann, bob, stranger]) await wire.join()
  await guest.wire.enter()
  const { url } = await ann.upload('notes.txt', Buffer.from('hello'))
  assert.equal((await bob.get(url)).status, 200)
  for (const one of [guest, stranger]) {
    assert.equal((await one.get(url)).status, 403)
    assert.equal((await one.get(url.replace(meetingId, other))).status === 200, false)
  }
  assert.equal((await guest.upload('x', Buffer.from('x'))).status, 403)
  bob.wire.close()
  await ann.wire.hears('peerClosed', ({ peerId }) => peerId === 'bob')
  assert.equal((await bob.get(url)).status, 403)

  guest.wire.close()
  const ended = server.sessionEnded(meetingId)
  ann.wire.close()
  await ended
  const later = await person(meetingId, 'later')
  await later.wire.join()
  assert.equal((await later.get(url)).status, 404)
})

test('MAX_FILE_BYTES=0: nobody shares a file, and clients are told', async () => {
  const without = await TestServer.start({ maxFileBytes: 0 })
  try {
    const meetingId = await without.createMeeting()
    const token = without.token(['allow_join'])
    const ann = without.connect({ token, meetingId, participantId: 'ann' })
    await ann.join()
    const body = { fileName: 'a.png', base64Data: PNG.toString('base64') }
    const refused = await without.rest('POST', `/base64-upload?roomId=${meetingId}`, body, token)
    assert.deepEqual([refused.status, refused.body.code], [403, 'ADD_ON_SERVICES_DISABLED'])
    const config = await without.rest('POST', '/infra/v1/meetings/init-config', { roomId: meetingId }, token)
    assert.equal(config.body.data.maxFileBytes, 0)
  } finally {
    await without.stop()
  }
})
