import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { test } from 'node:test'
import type { types as mediasoup } from 'mediasoup'
import { SharedPort } from './shared-port.ts'

const target = { host: '127.0.0.1', port: 1 }

function transport(usernameFragment: string) {
  const made = {
    iceParameters: { usernameFragment },
    closed: false,
    observer: new EventEmitter(),
    restart: (fragment: string) => (made.iceParameters = { usernameFragment: fragment }),
    close: () => {
      made.closed = true
      made.observer.emit('close')
    },
  }
  return made
}
const asReal = (made: ReturnType<typeof transport>): mediasoup.WebRtcTransport => made as never

test('a transport is found by its current credentials, until it closes', () => {
  const shared = new SharedPort(443)
  const way = shared.wayTo(target)
  const one = transport('first')
  way.lead(asReal(one))
  assert.equal(shared.targetOf('first'), target)
  one.restart('second')
  way.renewed(asReal(one))
  assert.deepEqual([shared.targetOf('first'), shared.targetOf('second')], [undefined, target])
  one.close()
  assert.equal(shared.targetOf('second'), undefined)
})

test('a transport that closes while ICE is restarted is not found again', () => {
  const shared = new SharedPort(443)
  const way = shared.wayTo(target)
  const one = transport('first')
  way.lead(asReal(one))
  one.restart('second')
  one.close()
  way.renewed(asReal(one))
  assert.deepEqual([shared.targetOf('first'), shared.targetOf('second')], [undefined, undefined])
})
