import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { platform } from 'node:os'
import { test } from 'node:test'
import { dropsOf, ownDrops } from './own-drops.ts'

test('drops are those of the sockets named', () => {
  const table = `   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
  123: 0100007F:4E20 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 1001 2 0000000000000000 7
  124: 0100007F:4E21 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 1002 2 0000000000000000 30
  125: 0100007F:4E22 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 1003 2 0000000000000000 500
`
  assert.equal(dropsOf(table, new Set(['1001', '1003'])), 507)
  assert.equal(dropsOf(table, new Set()), 0)
})

test('what this process was too slow to read is counted', { skip: platform() !== 'linux' }, async () => {
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
})
