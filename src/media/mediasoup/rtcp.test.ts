import assert from 'node:assert/strict'
import { test } from 'node:test'
import { asksForKeyFrame } from './rtcp.ts'

const report = Buffer.from('80c90001000004d2', 'hex')
const pictureLoss = Buffer.from('81ce0002000004d2000004d3', 'hex')
const intraRequest = Buffer.from('84ce0004000004d200000000000004d301000000', 'hex')
const otherFeedback = Buffer.from('8fce0004000004d20000000052454d4200000000', 'hex')
const lostPackets = Buffer.from('81cd0003000004d2000004d300010000', 'hex')

const rows: [what: string, packet: Buffer, asks: boolean][] = [
  ['picture loss', pictureLoss, true],
  ['a full intra request', intraRequest, true],
  ['a report before it', Buffer.concat([report, pictureLoss]), true],
  ['a report', report, false],
  ['an estimate of bandwidth', otherFeedback, false],
  ['lost packets', lostPackets, false],
  ['nothing', Buffer.alloc(0), false],
  ['less than a header', Buffer.from('81ce', 'hex'), false],
]

for (const [what, packet, asks] of rows) {
  test(`${what} ${asks ? 'asks' : 'does not ask'} for a key frame`, () => {
    assert.equal(asksForKeyFrame(packet), asks)
  })
}
