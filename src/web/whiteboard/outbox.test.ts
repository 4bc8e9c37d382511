import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ClientMessage } from '../../protocol/whiteboard.ts'
import { Outbox } from './outbox.ts'

const remove = (id: string): ClientMessage => ({ do: 'remove', ids: [id] })

test('lets out what the server takes at once, and the rest in order and in its time', ({ mock }) => {
  mock.timers.enable({ apis: ['setTimeout', 'Date'] })
  const sent: string[] = []
  const outbox = new Outbox({ send: (text) => void sent.push(text), now: Date.now })
  const all = Array.from({ length: 1000 }, (_, index) => remove(String(index)))
  for (const message of all) outbox.push(message)
  assert.equal(sent.length, 500)
  for (let second = 1; second <= 10; second += 1) {
    mock.timers.tick(1000)
    assert.equal(sent.length, 500 + second * 50)
  }
  assert.deepEqual(
    sent.map((text) => JSON.parse(text) as ClientMessage),
    all,
  )
})

test('counts a long message for several, and sends nothing once it is closed', ({ mock }) => {
  mock.timers.enable({ apis: ['setTimeout', 'Date'] })
  let sent = 0
  const outbox = new Outbox({ send: () => (sent += 1), now: Date.now })
  for (let index = 0; index < 100; index += 1) outbox.push(remove('x'.repeat(150_000)))
  assert.equal(sent, 50)
  outbox.close()
  mock.timers.tick(60_000)
  assert.equal(sent, 50)
})
