import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { platform } from 'node:os'
import { test } from 'node:test'
import { ownDrops } from './own-drops.ts'

test(
  'counts the packets that this process was too slow to read',
  { skip: platform() !== 'linux' },
  async () => {
    const [from, to] = [createSocket('udp4'), createSocket('udp4')]
    to.bind(0, '127.0.0.1')
    await once(to, 'listening')
    to.setRecvBufferSize(4096)
    const before = await ownDrops()
    const { port } = to.address()
    const SENT = 200
    let heard = 0
    to.on('message', () => heard++)
    await new Promise<void>((resolve) => {
      let left = SENT
      for (let at = 0; at < SENT; at++)
        from.send(Buffer.alloc(1000), port, '127.0.0.1', () => --left || resolve())
    })
    while ((await ownDrops())! - before! + heard < SENT) await new Promise(setImmediate)
    assert.ok((await ownDrops())! > before!)
    from.close()
    to.close()
  },
)
