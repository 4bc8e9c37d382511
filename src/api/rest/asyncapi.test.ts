/** The document of the meeting's socket is valid AsyncAPI, complete, and contains every message of the protocol. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { after, before, test } from 'node:test'
import { Ajv } from 'ajv'
import { notifications, serverRequests } from '../../protocol/notifications.ts'
import { requests } from '../../protocol/requests.ts'
import { TestServer } from '../../../test/support/test-server.ts'

/** The JSON Schema of AsyncAPI itself. */
const definition = JSON.parse(
  readFileSync(fileURLToPath(import.meta.resolve('@asyncapi/specs/schemas/3.0.0-without-$id.json')), 'utf8'),
) as object

let server: TestServer
before(async () => {
  server = await TestServer.start({ publicUrl: 'https://meet.example.org' })
})
after(() => server.stop())

async function served(): Promise<any> {
  const answer = await fetch(`${server.url}/asyncapi.json`)
  assert.equal(answer.status, 200)
  return answer.json()
}

function at(document: unknown, pointer: string): unknown {
  return pointer
    .slice(2)
    .split('/')
    .reduce((value: any, name) => value?.[name], document)
}

test('the document is valid AsyncAPI 3.0 and has no dangling reference', async () => {
  const document = await served()
  const validate = new Ajv({ strict: false, validateFormats: false, logger: false }).compile<object>(
    definition,
  )
  assert.equal(validate(document), true, JSON.stringify(validate.errors?.slice(0, 5)))
  const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map(([, ref]) => ref!)
  assert.deepEqual(
    references.filter((ref) => at(document, ref) === undefined),
    [],
  )
  const wrong = { ...document, operations: { wrong: { action: 'shout' } } }
  assert.equal(validate(wrong), false, 'the definition refuses')
})

test('each message of the protocol has one operation, with its direction and schema', async () => {
  const document = await served()
  const inDirection = (action: string): string[] =>
    Object.entries<any>(document.operations)
      .filter(([, operation]) => operation.action === action)
      .map(([id]) => id)
      .sort()
  assert.deepEqual(
    inDirection('receive'),
    Object.keys(requests)
      .map((method) => `request.${method}`)
      .sort(),
  )
  assert.deepEqual(
    inDirection('send'),
    [
      'connectionSuccess',
      'close',
      ...Object.keys(notifications).map((method) => `notification.${method}`),
      ...Object.keys(serverRequests).map((event) => `event.${event}`),
    ].sort(),
  )
  const { payload } = document.components.messages['notification.peerModeChanged']
  assert.deepEqual(payload.required, ['method', 'peerId', 'mode'])
  assert.deepEqual(payload.properties.method, { type: 'string', const: 'peerModeChanged' })
  assert.deepEqual(document.servers.here, { host: 'meet.example.org', protocol: 'wss' })
})
