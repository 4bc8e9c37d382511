import assert from 'node:assert/strict'
import { test } from 'node:test'
import { domainFinding } from './doctor-certificate.ts'
import { mediaBuffer } from './doctor-checks.ts'
import { kept } from './doctor-kept.ts'
import { readConfig } from '../config/read.ts'

test('warns about a small receive buffer and names the cure; says nothing if the size is unknown', () => {
  const ordinary = mediaBuffer(212_992)
  assert.equal(ordinary[0]!.verdict, 'note')
  assert.match(ordinary[0]!.says, /^only 208 kB .*sysctl -w net\.core\.rmem_max=4194304/)
  assert.equal(mediaBuffer(4_194_303)[0]!.verdict, 'note')
  assert.equal(mediaBuffer(4_194_304)[0]!.verdict, 'good')
  assert.deepEqual(mediaBuffer(undefined), [])
})

test('the name of the server must have an address, and says whether it is of this machine', () => {
  const own = ['10.0.0.5', '203.0.113.5', '2001:db8:1::5']
  const rows: [found: string[], verdict: string, says: RegExp][] = [
    [[], 'bad', /has no address in DNS; set its A record/],
    [['203.0.113.5'], 'good', /is 203\.0\.113\.5, which is this machine/],
    [
      ['203.0.113.5', '198.51.100.1'],
      'note',
      /198\.51\.100\.1 is not of this machine; fine if TCP 80 and 443 are forwarded/,
    ],
    [['127.0.1.1'], 'note', /is 127\.0\.1\.1 here, which is not a public address/],
  ]
  for (const [found, verdict, says] of rows) {
    const finding = domainFinding('meet.example.org', found, own)
    assert.equal(finding.verdict, verdict)
    assert.match(finding.says, says)
  }
})

test('says what is kept for how long, kinds with the same time together', () => {
  const says = (env: Record<string, string>) => kept(readConfig(env)).says
  assert.equal(
    says({}),
    'sessions, chat, webhooks: 90 days; measurements: 7 days; recordings, transcripts, usage: for ever; audit log: 365 days',
  )
  assert.match(
    says({ RETENTION_DAYS: '30', CHAT_RETENTION_DAYS: '1', OUTPUT_RETENTION_DAYS: '14' }),
    /^sessions, webhooks: 30 days; chat: 1 day; measurements: 7 days; recordings, transcripts: 14 days; /,
  )
})
