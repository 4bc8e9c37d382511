/** `anteroom token-server` in front of our own meeting server, and of services that misbehave. */
import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { API_KEY, SECRET, TestServer } from './support/test-server.ts'

const cli = join(import.meta.dirname, '../src/cli.ts')
const running: (() => unknown)[] = []
after(async () => {
  for (const stop of running) await stop()
})

async function tokenServer(endpoint: string): Promise<{ url: string; said: () => string }> {
  const child: ChildProcess = spawn(process.execPath, [cli, 'token-server'], {
    env: {
      ...process.env,
      PORT: '0',
      VIDEOSDK_API_ENDPOINT: endpoint,
      VIDEOSDK_API_KEY: API_KEY,
      VIDEOSDK_SECRET_KEY: SECRET,
      LOG_LEVEL: 'trace',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  running.push(() => void child.kill('SIGKILL'))
  let said = ''
  const url = await new Promise<string>((resolve, reject) => {
    const hear = (chunk: Buffer): void => {
      said += String(chunk)
      const found = /http:\/\/localhost:\d+/.exec(said)
      if (found) resolve(found[0])
    }
    child.stdout!.on('data', hear)
    child.stderr!.on('data', hear)
    child.on('exit', (code) => reject(new Error(`it ended with ${code}: ${said}`)))
  })
  return { url, said: () => said }
}

async function upstream(listener: RequestListener): Promise<string> {
  const server: Server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  running.push(() => {
    server.close()
    server.closeAllConnections()
  })
  return `http://127.0.0.1:${(server.address() as { port: number }).port}`
}

async function call(url: string, method = 'POST', body?: unknown) {
  const answer = await fetch(url, {
    method,
    redirect: 'manual',
    headers: { 'content-type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  return { status: answer.status, body: await answer.json() }
}

for (const suffix of ['', '/', '/v2']) {
  test(`token, create, validate in front of our own meeting server, named with "${suffix}"`, async () => {
    const server = await TestServer.start()
    running.push(() => server.stop())
    const { url } = await tokenServer(server.url + suffix)
    const { token } = (await call(`${url}/get-token`, 'GET')).body
    const made = await call(`${url}/create-meeting`, 'POST', { token })
    assert.equal(made.status, 200)
    assert.equal(made.body.meetingId, made.body.roomId)
    const valid = await call(`${url}/validate-meeting/${made.body.meetingId}`, 'POST', { token })
    assert.deepEqual([valid.status, valid.body.roomId], [200, made.body.roomId])
    const unknown = await call(`${url}/validate-meeting/aaaa-bbbb-cccc`, 'POST', { token })
    assert.equal(unknown.status, 400)
    assert.equal('meetingId' in unknown.body || 'roomId' in unknown.body, false)
    assert.equal((await call(`${url}/create-meeting`, 'POST', { token: 'junk' })).status, 401)
    assert.equal((await call(`${url}/create-meeting`, 'POST', {})).status, 401)
  })
}

test('answers of the service are passed on; anything else is 502 with a sentence', async () => {
  const seen: string[] = []
  const answers: Record<string, RequestListener> = {
    '401': (_, response) => response.writeHead(401).end('{"error":"no"}'),
    '404': (_, response) => response.writeHead(404).end('{"error":"none"}'),
    '500': (_, response) => response.writeHead(500).end('{"error":"broken"}'),
    text: (_, response) => response.writeHead(200).end('<h1>hello</h1>'),
    redirect: (_, response) => response.writeHead(302, { location: '/v2/rooms/validate/stolen' }).end('{}'),
    cut: (_, response) => {
      response.writeHead(200, { 'content-length': 100 })
      response.write('{"roomId":')
      setImmediate(() => response.destroy())
    },
    large: (_, response) => response.writeHead(200).end(`"${'x'.repeat(2 * 1024 * 1024)}"`),
  }
  const endpoint = await upstream((request, response) => {
    const id = request.url!.split('/').at(-1)!
    seen.push(id)
    answers[id]!(request, response)
  })
  const { url, said } = await tokenServer(endpoint)
  const { token } = (await call(`${url}/get-token`, 'GET')).body
  for (const [id, status] of [
    ['401', 401],
    ['404', 404],
    ['500', 500],
    ['text', 502],
    ['redirect', 502],
    ['cut', 502],
    ['large', 502],
  ] as const) {
    const answer = await call(`${url}/validate-meeting/${id}`, 'POST', { token })
    assert.equal(answer.status, status, id)
    assert.equal(typeof answer.body.error, 'string')
    if (status === 502) assert.equal(answer.body.code, 'UPSTREAM_UNAVAILABLE')
  }
  assert.equal(seen.includes('stolen'), false)
  const gone = await tokenServer('http://127.0.0.1:9')
  assert.equal((await call(`${gone.url}/create-meeting`, 'POST', { token })).status, 502)
  for (const text of [said(), gone.said()]) {
    assert.equal(text.includes(SECRET), false)
    assert.equal(text.includes(token), false)
  }
})

test('a silent service is given up after ten seconds', { timeout: 90_000 }, async () => {
  const { url } = await tokenServer(await upstream(() => undefined))
  const { token } = (await call(`${url}/get-token`, 'GET')).body
  const answer = await call(`${url}/create-meeting`, 'POST', { token })
  assert.equal(answer.status, 502)
  assert.equal(answer.body.code, 'UPSTREAM_UNAVAILABLE')
})
