/** What is written in one go leaves in one system call. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { test } from 'node:test'
import { GatheringSocket } from './gathering-socket.ts'

test('a socket sends in one piece what is written in one go, also after it has connected', async (t) => {
  const server = createServer().listen(0, '127.0.0.1')
  t.after(() => server.close())
  await once(server, 'listening')
  const accepted = once(server, 'connection') as Promise<[Socket]>
  const socket = new GatheringSocket()
  t.after(() => socket.destroy())
  socket.connect((server.address() as AddressInfo).port, '127.0.0.1')
  await once(socket, 'connect')
  const [other] = await accepted

  const sent: number[] = []
  const writev = socket._writev!.bind(socket)
  socket._writev = (chunks, done) => {
    sent.push(chunks.length)
    writev(chunks, done)
  }
  for (let round = 0; round < 2; round++) {
    const arrived = new Promise<void>((resolve) => {
      let text = ''
      other.on('data', (chunk) => {
        text += String(chunk)
        if (text.endsWith('three')) resolve()
      })
    })
    for (const word of ['one', 'two', 'three']) socket.write(word)
    await arrived
    other.removeAllListeners('data')
  }
  assert.deepEqual(sent, [3, 3])
})
