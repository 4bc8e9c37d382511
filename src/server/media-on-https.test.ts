/** What the first bytes of a connection to the HTTPS port tell. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { stunBinding } from '../../scripts/media-worker/stun.mjs'
import { firstRequest } from './media-on-https.ts'

const ice = { usernameFragment: 'fragment-of-the-server', password: 'a-password-of-ice' }
const framed = (message: Buffer): Buffer => {
  const length = Buffer.alloc(2)
  length.writeUInt16BE(message.length)
  return Buffer.concat([length, message])
}

test('reads the username fragment of the server from the first ICE request', () => {
  const request = framed(stunBinding(ice))
  assert.deepEqual(firstRequest(request), { usernameFragment: ice.usernameFragment })
  assert.deepEqual(firstRequest(Buffer.concat([request, Buffer.from('more')])), firstRequest(request))
})

test('waits for the rest of a request, and takes nothing else for one', () => {
  const request = framed(stunBinding(ice))
  for (let length = 0; length < request.length; length++)
    assert.equal(firstRequest(request.subarray(0, length)), 'incomplete')
  for (const other of [
    Buffer.from('GET / HTTP/1.1\r\n\r\n'),
    Buffer.from([0, 19]),
    Buffer.from([0xff, 0xff]),
    framed(Buffer.alloc(20)),
    framed(Buffer.from(stunBinding(ice)).fill(0, 20)),
    framed(Buffer.from(stunBinding(ice)).fill(0xff, 20)),
  ])
    assert.equal(firstRequest(other), undefined)
})
