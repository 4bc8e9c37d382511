import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'
import { inspect } from 'node:util'
import { Endpoint, type EndpointOptions } from './endpoint.ts'
import { RecogniserError } from './recogniser.ts'

const KEY = 'sk-a-key-that-nobody-may-see'
const speech = Int16Array.from([1, 2, 3])
const signal = new AbortController().signal

async function endpointAt(
  context: TestContext,
  listener: RequestListener,
  options: Partial<EndpointOptions> = {},
): Promise<Endpoint> {
  const server = createServer(listener)
  context.after(() => {
    server.closeAllConnections()
    server.close()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const url = `http://127.0.0.1:${port}/v1`
  return new Endpoint({ url, apiKey: KEY, model: 'whisper-1', random: () => 0.5, retryMs: 1, ...options })
}

/** Answers one after the other, then the last one again and again; says how often it was asked. */
function answering(...answers: [status: number, body?: string, headers?: Record<string, string>][]) {
  const asked = { times: 0 }
  const listener: RequestListener = (request, response) => {
    const [status, body = '{}', headers = {}] = answers[Math.min(asked.times, answers.length - 1)]!
    asked.times += 1
    request.resume().on('end', () => response.writeHead(status, headers).end(body))
  }
  return { asked, listener }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  return Buffer.concat(parts).toString('latin1')
}

async function refusal(endpoint: Endpoint): Promise<RecogniserError> {
  const error = await endpoint.recognise(speech, { signal }).then(
    (text) => assert.fail(`answered "${text}"`),
    (caught: unknown) => caught,
  )
  assert.ok(error instanceof RecogniserError, String(error))
  assert.ok(!inspect(error, { depth: 10 }).includes(KEY), 'the key is in the error')
  return error
}

for (const [name, answer, message, permanent, times] of [
  [
    'a wrong key',
    [401, `{"error":"wrong key ${KEY}"}`],
    'answered 401: TRANSCRIPTION_API_KEY is refused',
    true,
    1,
  ],
  ['a key without permission', [403], 'answered 403: TRANSCRIPTION_API_KEY is refused', true, 1],
  ['a wrong address', [404], 'answered 404: TRANSCRIPTION_URL or TRANSCRIPTION_MODEL is wrong', true, 1],
  [
    'a redirect',
    [307, '', { location: 'http://127.0.0.1:9/v1' }],
    'answered 307: redirects are not followed',
    true,
    1,
  ],
  ['speech that it does not take', [400], 'answered 400', false, 1],
  ['failures without end', [500, 'oops'], 'answered 500', false, 4],
  ['too many requests', [429], 'answered 429', false, 4],
  ['what is no JSON', [200, '<html>'], 'did not answer with a JSON object', false, 1],
  ['JSON without a text', [200, '{"texts":1}'], 'answered without a text', false, 1],
  ['a text that is none', [200, '{"text":{}}'], 'answered without a text', false, 1],
  ['null', [200, 'null'], 'did not answer with a JSON object', false, 1],
  ['an endless answer', [200, ' '.repeat(2_000_000)], 'answered with more than 1 MiB', false, 1],
] as [string, [number, string?, Record<string, string>?], string, boolean, number][]) {
  test(`refuses ${name}`, async (context) => {
    const { asked, listener } = answering(answer)
    const error = await refusal(await endpointAt(context, listener))
    assert.equal(error.message, `The transcription endpoint ${message}.`)
    assert.equal(error.permanent, permanent)
    assert.equal(asked.times, times)
  })
}

test('gives up on an endpoint that does not answer', async (context) => {
  let asked = 0
  const endpoint = await endpointAt(context, () => (asked += 1), { timeoutMs: 50 })
  assert.equal(
    (await refusal(endpoint)).message,
    'The transcription endpoint did not answer within 0.05 seconds.',
  )
  assert.equal(asked, 4)
})

test('gives up on an endpoint that stops in the middle of its answer', async (context) => {
  const endpoint = await endpointAt(
    context,
    (_request, response) => response.writeHead(200).write('{"text":'),
    {
      timeoutMs: 50,
    },
  )
  assert.equal(
    (await refusal(endpoint)).message,
    'The transcription endpoint did not answer within 0.05 seconds.',
  )
})

test('gives up on an endpoint that hangs up', async (context) => {
  const endpoint = await endpointAt(context, (request) => request.socket.destroy())
  assert.equal((await refusal(endpoint)).message, 'The transcription endpoint cannot be reached.')
})

test('stops at once when it is aborted, also between two attempts', async (context) => {
  const { asked, listener } = answering([503, '', { 'retry-after': '20' }])
  const endpoint = await endpointAt(context, listener)
  const abort = new AbortController()
  const recognising = endpoint.recognise(speech, { signal: abort.signal })
  while (asked.times === 0) await new Promise(setImmediate)
  abort.abort()
  await assert.rejects(recognising, { name: 'AbortError' })
})

test('tries again after a failure', async (context) => {
  const { asked, listener } = answering([503], [429, '', { 'retry-after': '0' }], [200, '{"text":" well "}'])
  const endpoint = await endpointAt(context, listener)
  assert.equal(await endpoint.recognise(speech, { signal }), 'well')
  assert.equal(asked.times, 3)
})

for (const [name, options, wanted, unwanted] of [
  [
    'with a language',
    { language: 'en-GB' },
    ['name="language"\r\n\r\nen\r\n', 'name="model"\r\n\r\nwhisper-1\r\n'],
    [],
  ],
  ['with a model', { modelId: 'large' }, ['name="model"\r\n\r\nlarge\r\n'], ['name="language"', 'whisper-1']],
] as [string, object, string[], string[]][]) {
  test(`sends the speech as a form ${name}`, async (context) => {
    let asked: { request: IncomingMessage; body: string } | undefined
    const endpoint = await endpointAt(context, (request, response) => {
      void bodyOf(request).then((body) => {
        asked = { request, body }
        response.end('{"text":"hello"}')
      })
    })
    assert.equal(await endpoint.recognise(speech, { signal, ...options }), 'hello')
    const { request, body } = asked!
    assert.equal(`${request.method} ${request.url}`, 'POST /v1/audio/transcriptions')
    assert.equal(request.headers.authorization, `Bearer ${KEY}`)
    assert.match(body, /name="file"; filename="speech.wav"\r\nContent-Type: audio\/wav\r\n\r\nRIFF/)
    for (const text of wanted) assert.ok(body.includes(text), text)
    for (const text of unwanted) assert.ok(!body.includes(text), text)
  })
}

test('sends no authorization without a key', async (context) => {
  let authorization: string | undefined = 'none came'
  const endpoint = await endpointAt(
    context,
    (request, response) => {
      authorization = request.headers.authorization
      response.end('{"text":""}')
    },
    { apiKey: undefined },
  )
  assert.equal(await endpoint.recognise(speech, { signal }), '')
  assert.equal(authorization, undefined)
})

test('sends the transcript to a language model', async (context) => {
  let asked: unknown
  const endpoint = await endpointAt(context, (request, response) => {
    void bodyOf(request).then((body) => {
      asked = [request.url, JSON.parse(body)]
      response.end('{"choices":[{"message":{"content":" They met. "}}]}')
    })
  })
  const messages = [{ role: 'user', content: 'Ann: hello' }]
  assert.equal(await endpoint.chat('small', messages, signal), 'They met.')
  assert.deepEqual(asked, ['/v1/chat/completions', { model: 'small', messages }])
})

test('refuses an empty answer of a language model', async (context) => {
  const endpoint = await endpointAt(context, (_request, response) => response.end('{"choices":[]}'))
  await assert.rejects(endpoint.chat('small', [], signal), {
    message: 'The transcription endpoint answered without a summary.',
  })
})
