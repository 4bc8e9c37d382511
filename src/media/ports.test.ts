import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { test } from 'node:test'
import { unusablePort } from './ports.ts'

const at = (...ips: string[]) => ips.map((ip) => ({ ip, announced: ip, isOwn: true }))

test('free ports can be listened on, in each address family', async () => {
  const free = createServer().listen(0, '127.0.0.1')
  await once(free, 'listening')
  const { port } = free.address() as AddressInfo
  free.close()
  await once(free, 'close')
  for (const addresses of [at('127.0.0.1'), at('0.0.0.0'), at('0.0.0.0', '::'), at('127.0.0.1', '::1')])
    assert.equal(await unusablePort(addresses, { firstPort: port, workers: 1 }), undefined)
})

test('names a port that is taken over UDP or TCP', async () => {
  const listener = createServer().listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const { port } = listener.address() as AddressInfo
  const taken = await unusablePort(at('127.0.0.1'), { firstPort: port, workers: 1 })
  assert.deepEqual([taken?.port, taken?.protocol, taken?.problem], [port, 'TCP', 'EADDRINUSE'])
  listener.close()
  await once(listener, 'close')

  const socket = createSocket('udp4').bind(port, '127.0.0.1')
  await once(socket, 'listening')
  const other = await unusablePort(at('127.0.0.1'), { firstPort: port, workers: 1 })
  assert.deepEqual([other?.port, other?.protocol, other?.problem], [port, 'UDP', 'EADDRINUSE'])
  socket.close()
})

test('names an address that is not of this machine', async () => {
  const found = await unusablePort(at('192.0.2.77'), { firstPort: 20_000, workers: 1 })
  assert.equal(found?.problem, 'EADDRNOTAVAIL')
})
