/** The dispatcher on a real store, with receivers that behave badly. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { hanging, Receiver, taking } from '../../test/support/receiver.ts'
import { openStore } from '../store/open.ts'
import type { Store } from '../store/store.ts'
import { createAnnouncer } from './announcer.ts'
import { defaultPolicy } from './schedule.ts'
import { Dispatcher } from './dispatcher.ts'
import { Sender } from './sender.ts'
import { Signer } from './signer.ts'
import { isPublicAddress } from './guard.ts'

let folder: string
let store: Store
let dispatcher: Dispatcher
const receivers: Receiver[] = []
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'anteroom-webhook-'))
  store = await openStore({ folder })
  await store.projects.create({ projectId: 'p', name: 'test', webhook: null, createdAt: 1 })
})
afterEach(async () => {
  for (const receiver of receivers.splice(0)) receiver.stop()
  await dispatcher.stop()
  await store.close()
  await rm(folder, { recursive: true, force: true })
})

async function aReceiver(answer = taking): Promise<Receiver> {
  const receiver = await Receiver.start(answer)
  receivers.push(receiver)
  return receiver
}

function start({ allowPrivate = true } = {}): void {
  dispatcher = new Dispatcher({
    outbox: store.outbox,
    signer: new Signer(store.secrets),
    sender: new Sender({ allowPrivate, timeoutMs: defaultPolicy.timeoutMs }),
    policy: defaultPolicy,
    now: Date.now,
    random: Math.random,
    onSettled: () => undefined,
    onError: (error) => assert.fail(error as Error),
  })
  dispatcher.start()
}

const announce = createAnnouncer({ defaultWebhook: () => null, newDeliveryId: randomUUID })

/** Starts a session, with its event in the same transaction. */
async function happens(endPoint: string, meetingId: string = randomUUID()): Promise<string> {
  const sessionId = randomUUID()
  const startedAt = Date.now()
  const meeting = { meetingId, projectId: 'p', settings: { webhook: { endPoint, events: ['*'] } } }
  const record = { ...meeting, id: meetingId, customId: null, disabledAt: null, createdAt: 1, updatedAt: 1 }
  if (!(await store.meetings.get(meetingId))) await store.meetings.create(record)
  const tell = announce(meeting, { event: 'session-started', sessionId, at: startedAt })
  const session = { sessionId, meetingId, projectId: 'p', startedAt, endedAt: null, endReason: null }
  await store.sessions.start(session, tell)
  return tell[0]!.deliveryId
}

test('a receiver that hangs delays no other meeting, however many wait for it', async () => {
  const dead = await aReceiver(hanging)
  const alive = await aReceiver()
  await Promise.all(Array.from({ length: 600 }, () => happens(dead.url)))
  start()
  await dead.until((hooks) => hooks.length === 8)
  const meetingId = randomUUID()
  const ids: string[] = []
  for (let i = 0; i < 5; i++) ids.push(await happens(alive.url, meetingId))
  const hooks = await alive.until((all) => all.length === 5)
  assert.deepEqual(
    hooks.map(({ body }) => body.deliveryId),
    ids,
  )
  assert.equal(dead.connections, 8)
  assert.equal((await store.outbox.backlog()).waiting >= 600, true)
})

test('many meetings of one healthy receiver are all delivered, a few at a time', async () => {
  const busy = { now: 0, most: 0 }
  const receiver = await aReceiver((_hook, response) => {
    busy.most = Math.max(busy.most, ++busy.now)
    setImmediate(() => {
      busy.now--
      response.writeHead(200).end()
    })
  })
  start()
  await Promise.all(Array.from({ length: 300 }, () => happens(receiver.url)))
  await receiver.until((hooks) => hooks.length === 300)
  assert.ok(busy.most <= 8, String(busy.most))
})

test('does not connect to an address that became private after the meeting was created', async () => {
  const receiver = await aReceiver()
  start({ allowPrivate: false })
  const deliveryId = await happens(receiver.url)
  for (let tries = 0; ; tries++) {
    const delivery = await store.outbox.get('p', deliveryId)
    if (delivery!.attempts > 0) {
      assert.match(delivery!.lastError!, /private address/)
      break
    }
    assert.ok(tries < 400)
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
  assert.equal(receiver.connections, 0)
})

test('only addresses of the public internet are public', () => {
  start()
  const inside = `0.0.0.0 0.1.2.3 10.1.2.3 100.64.0.1 100.100.100.200 127.0.0.1 127.255.255.255 168.63.129.16 169.254.169.254
    172.16.0.1 172.31.255.255 192.0.0.192 192.0.2.1 192.168.1.1 198.18.0.1 198.51.100.7 203.0.113.7 224.0.0.1 239.1.1.1 240.0.0.1
    255.255.255.255 :: ::1 ::ffff:127.0.0.1 ::ffff:8.8.8.8 ::127.0.0.1 64:ff9b::7f00:1 64:ff9b:1::1 100::1 2001::1 2001:db8::1
    2002:7f00:1::1 3fff::1 5f00::1 fc00::1 fd00:ec2::254 fe80::1 fe80::1%eth0 fec0::1 ff02::1 4000::1 192.31.196.1 192.52.193.1 localhost 1.2.3 nonsense`
  for (const address of inside.split(/\s+/)) assert.equal(isPublicAddress(address), false, address)
  const outside =
    '8.8.8.8 93.184.215.14 100.63.255.255 100.128.0.1 172.32.0.1 192.167.1.1 2606:4700::1111 2a00:1450::1'
  for (const address of outside.split(' ')) assert.equal(isPublicAddress(address), true, address)
})
