import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readyMessage, type ReadyFacts } from './welcome.ts'

const local: ReadyFacts = {
  config: {
    allowTokensWithoutExpiry: false,
    announcedAddresses: undefined,
    domain: undefined,
    moderation: 'grant',
    openGetToken: false,
    outputsAllowPrivate: false,
    publicUrl: undefined,
    turnUrls: [],
    webhookAllowPrivate: false,
  },
  command: 'npm run anteroom --',
  urls: ['http://localhost:9000', 'https://localhost:9443'],
  elsewhere: undefined,
  pageIsBuilt: true,
  dataFolder: '/srv/data',
  apiKey: 'a-key',
  secretIn: '/srv/data/api-key.env',
  adminKeyIn: '/srv/data/admin.key',
  firstLink: '/dashboard#sign-in=first-code',
  media: { available: true, workers: 1, ports: [40000], tried: true },
  recordingsOff: undefined,
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

test('tells a person where to go, how to invite, where the data is, and what is off with its cure', () => {
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

test('tells the operator of a reachable server what others can open, and that starting a meeting needs a sign-in', () => {
  assert.match(readyMessage(local).text, /^ +Start a meeting there, and/m)
  assert.doesNotMatch(readyMessage(local).text, /other machines\)/)
  const facts = { ...local, onlyFromHere: false, elsewhere: 'https://192.0.2.2:9443' }
  const { text, fields } = readyMessage(facts)
  assert.match(text, /^ +Sign in to the dashboard, start a meeting there, and give others the link/m)
  assert.match(text, /^ {2}elsewhere {5}https:\/\/192\.0\.2\.2:9443\/ {2}\(from other machines\)$/m)
  assert.equal(fields.elsewhere, 'https://192.0.2.2:9443/')
})

test('does not report an enabled part as off', () => {
  const { text, fields } = readyMessage(open)
  assert.doesNotMatch(text, /Off now|^ {2}[-!]/m)
  assert.deepEqual([fields.off, fields.warnings, fields.page], [[], [], 'https://meet.example.org/'])
})

test('says what is missing for recordings, and what to do about it', () => {
  const recordingsOff = 'Recordings, HLS and livestreams need Chromium: install it, or set CHROMIUM_BIN.'
  const { text, fields } = readyMessage({ ...open, recordingsOff })
  assert.match(
    text,
    /Off now, and how to switch it on:\n {2}- Recordings, HLS and livestreams need Chromium: install it/,
  )
  assert.deepEqual(fields.off, [recordingsOff])
})

test('warns of outputs that reach the private network', () => {
  const { fields } = readyMessage({ ...open, config: { ...open.config, outputsAllowPrivate: true } })
  assert.match(String(fields.warnings), /^OUTPUTS_ALLOW_PRIVATE=true: /)
})

test('a log contains everything except credentials, and says in its own line how to sign in', () => {
  const { fields, hints } = readyMessage(local)
  const line = JSON.stringify(fields)
  assert.doesNotMatch(line + JSON.stringify(hints), /first-code|sign-in=|a-key/)
  const [hint] = hints
  assert.equal(hint?.msg, 'the dashboard has no password yet')
  assert.match(hint.cure, /^run "npm run anteroom -- admin reset": it prints a link that signs in once/)
  const [inContainer] = readyMessage({ ...local, command: 'anteroom' }).hints
  assert.match(inContainer!.cure, /^run "anteroom admin reset" \(in a container: docker exec <container> /)
  assert.deepEqual(readyMessage(open).hints, [])
  assert.match(line, /"media":"on, 1 worker, ports 40000 \(UDP and TCP\)"/)
  assert.match(line, /TURN_URLS/)
})

test('reports missing media and a missing page with the cure', () => {
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
