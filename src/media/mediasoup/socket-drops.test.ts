import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { platform } from 'node:os'
import { test } from 'node:test'
import { droppedByPort } from './socket-drops.ts'

test('counts packets dropped by a socket, by its port', { skip: platform() !== 'linux' }, async () => {
  const [from, to] = [createSocket('udp4'), createSocket('udp4')]
  try {
    to.bind(0, '127.0.0.1')
    await once(to, 'listening')
    to.setRecvBufferSize(4096)
    const { port } = to.address()
    assert.equal((await droppedByPort())?.get(port), 0)
    const SENT = 200
    let heard = 0
    to.on('message', () => heard++)
    for (let at = 0; at < SENT; at++) from.send(Buffer.alloc(1000), port, '127.0.0.1')
    const dropped = async (): Promise<number> => (await droppedByPort())!.get(port)!
    while ((await dropped()) + heard < SENT) await new Promise(setImmediate)
    assert.ok((await dropped()) > 0)
  } finally {
    from.close()
    to.close()
  }
})
