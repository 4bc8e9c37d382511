import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { test } from 'node:test'
import { classes, Message, parseMessage } from 'werift'
import { askMediaPort } from './ask.ts'

const credentials = { usernameFragment: 'server', password: 'a-password-of-the-media-port' }

test('an answer without an address is not taken for one, and does no harm', async (t) => {
  const server = createSocket('udp4')
  t.after(() => server.close())
  server.on('message', (bytes, { address, port }) => {
    const { messageMethod, transactionId } = parseMessage(bytes)!
    const answer = () => new Message(messageMethod, classes.RESPONSE, transactionId)
    const send = (message: Message) =>
      server.send(
        message.addMessageIntegrity(Buffer.from(credentials.password)).addFingerprint().bytes,
        port,
        address,
      )
    send(answer())
    send(answer().setAttribute('XOR-MAPPED-ADDRESS', [address, port]))
  })
  server.bind(0, '127.0.0.1')
  await once(server, 'listening')
  const { seen } = await askMediaPort(
    'udp',
    { address: '127.0.0.1', port: server.address().port },
    credentials,
  )
  assert.equal(seen.address, '127.0.0.1')
})
