import assert from 'node:assert/strict'
import type { IncomingMessage } from 'node:http'
import { test } from 'node:test'
import { readConfig } from '../../config/read.ts'
import { Gate } from '../limits/gate.ts'
import { CARRIED, markCarried, originOf } from './carried.ts'

test('what a caller says of its origin is believed of nodes alone', () => {
  const gate = new Gate({ settings: readConfig({}), now: Date.now })
  const request = (): IncomingMessage =>
    ({
      socket: { remoteAddress: '203.0.113.9' },
      headers: { [CARRIED.caller]: '198.51.100.1', [CARRIED.scheme]: 'https', [CARRIED.node]: 'b' },
    }) as unknown as IncomingMessage
  const forged = request()
  assert.equal(gate.callerOf(forged), '203.0.113.9')
  assert.equal(originOf(forged), undefined)
  const carried = request()
  markCarried(carried)
  assert.equal(gate.callerOf(carried), '198.51.100.1')
  assert.deepEqual(originOf(carried), { caller: '198.51.100.1', encrypted: true, node: 'b' })
})
