import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { platform } from 'node:os'
import { test } from 'node:test'
import { droppedByPort, dropsIn } from './socket-drops.ts'

test('drops are summed over the sockets of a port', () => {
  const table = `   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
  123: 0100007F:4E20 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 1001 2 0000000000000000 7
  124: 0200007F:4E20 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 1002 2 0000000000000000 30
  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
 9125: 00000000000000000000000001000000:4E20 00000000000000000000000000000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 1003 2 0000000000000000 500
  126: 0100007F:4E21 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 1004 2 0000000000000000 0
`
  assert.deepEqual(
    [...dropsIn(table)],
    [
      [20_000, 537],
      [20_001, 0],
    ],
  )
})

test(
  'what a socket was too slow to read is counted at its port',
  { skip: platform() !== 'linux' },
  async () => {
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
  },
)
