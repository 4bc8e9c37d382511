import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readyMessage, type ReadyFacts } from './welcome.ts'

const local: ReadyFacts = {
  config: {
    allowTokensWithoutExpiry: false,
    announcedAddress: undefined,
    moderation: 'grant',
    openGetToken: false,
    publicUrl: undefined,
    turnUrls: [],
    webhookAllowPrivate: false,
  },
  urls: ['http://localhost:9000', 'https://localhost:9443'],
  pageIsBuilt: true,
  dataFolder: '/srv/data',
  apiKey: 'a-key',
  secretIn: '/srv/data/api-key.env',
  adminKeyIn: '/srv/data/admin.key',
  firstLink: '/dashboard#sign-in=first-code',
  media: { available: true, workers: 1, ports: [40000], tried: true },
  certificate: 'self-signed',
  onlyFromHere: true,
  mediaOnlyHere: undefined,
}
const open: ReadyFacts = {
  ...local,
  config: { ...local.config, publicUrl: 'https://meet.example.org', turnUrls: ['turn:turn.example.org'] },
  certificate: 'given',
  onlyFromHere: false,
  firstLink: undefined,
}

test('a person reads where to go, how to invite, where the data is, and what is off with the cure', () => {
  const { text } = readyMessage(local)
  assert.match(text, /^Anteroom is ready\n\n {2}meeting page {2}http:\/\/localhost:9000\/\n.*"Invite"/)
  assert.match(text, /^ {2}dashboard {5}http:\/\/localhost:9000\/dashboard#sign-in=first-code$/m)
  assert.match(text, /^ {2}data {10}in \/srv\/data$/m)
  for (const [off, cure] of [
    ['other machines', 'HOST=0.0.0.0'],
    ['HTTPS', 'TLS_CERT'],
    ['TURN', 'TURN_URLS'],
  ])
    assert.match(text, new RegExp(`^ {2}- ${off}.*: set .*${cure}`, 'm'))
})

test('what is on is not told as off', () => {
  const { text, fields } = readyMessage(open)
  assert.doesNotMatch(text, /Off now|^ {2}[-!]/m)
  assert.deepEqual([fields.off, fields.warnings, fields.page], [[], [], 'https://meet.example.org/'])
})

test('a log holds all of it but what lets somebody in', () => {
  const { fields } = readyMessage(local)
  const line = JSON.stringify(fields)
  assert.doesNotMatch(line, /first-code|sign-in=|a-key/)
  assert.match(line, /admin reset/)
  assert.match(line, /"media":"on, 1 worker, ports 40000 \(UDP and TCP\)"/)
  assert.match(line, /TURN_URLS/)
})

test('media that is off, and a page that is not built, are told with the cure', () => {
  const reason = 'Media is off: there is no worker. Run: npm rebuild'
  const { text, fields } = readyMessage({
    ...local,
    pageIsBuilt: false,
    media: { available: false, reason },
  })
  assert.match(text, /^ {2}media {9}off: there is no worker\. Run: npm rebuild$/m)
  assert.match(text, /not built yet: npm run page/)
  assert.equal(fields.pageMissing, 'npm run page builds it')
})
