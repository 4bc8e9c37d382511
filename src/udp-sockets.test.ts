import assert from 'node:assert/strict'
import { test } from 'node:test'
import { udpSocketsIn } from './udp-sockets.ts'

test('reads the tables of both address families alike', () => {
  const table = `   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
  123: 0100007F:4E20 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 1001 2 0000000000000000 7
  124: 0200007F:4E21 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 1002 2 0000000000000000 0
`
  const table6 = `  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
 9125: 00000000000000000000000001000000:4E20 00000000000000000000000000000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 1003 2 0000000000000000 500
`
  assert.deepEqual(udpSocketsIn(table), [
    { port: 20_000, inode: '1001', dropped: 7 },
    { port: 20_001, inode: '1002', dropped: 0 },
  ])
  assert.deepEqual(udpSocketsIn(table6), [{ port: 20_000, inode: '1003', dropped: 500 }])
  assert.deepEqual(udpSocketsIn(''), [])
})
