/** Which key seals when keys change: what the page tells its worker. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { Keys, ToWorker } from './messages.ts'
import { Encryption } from './encryption.ts'
import { Group } from './group.ts'
import { groupKey } from './keys.ts'

const MEETING = 'a-meeting'
const LINK = crypto.getRandomValues(new Uint8Array(16))
const realTimeout = globalThis.setTimeout

/** Until nobody has anything to do; see `group.test.ts`. */
async function settle(): Promise<void> {
  for (let tries = 0; tries < 40; tries++) await new Promise((next) => realTimeout(next, 1))
}

/** Ben, in a meeting with Abe, who makes a new key whenever somebody leaves. */
async function withAbe(t: TestContext) {
  const told: Keys[] = []
  const fakes = {
    RTCRtpScriptTransform: class {
      readonly isFake = true
    },
    Worker: class {
      postMessage(message: ToWorker): void {
        if ('keys' in message) told.push(message.keys)
      }
      terminate(): void {
        // There is none.
      }
    },
  }
  Object.assign(globalThis, fakes)
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const encryption = await Encryption.start(MEETING, LINK)
  t.after(() => {
    encryption.close()
    for (const name of Object.keys(fakes)) Reflect.deleteProperty(globalThis, name)
  })
  const shared = await groupKey(LINK, MEETING)
  const timers: (() => void)[] = []
  const groups: { abe?: Group; ben?: Group } = {}
  const say = (from: string, to: () => Group | undefined) => (_topic: string, text: string) =>
    Promise.resolve(to()?.hear({ from, text }))
  const isPresent = (): boolean => true
  const quiet = { onKey: () => undefined, setTimer: (callback: () => void) => timers.push(callback) }
  const abe = await Group.start(
    { selfId: () => 'abe', isPresent, publish: say('abe', () => groups.ben) },
    shared,
    quiet,
  )
  groups.abe = abe
  groups.ben = (await encryption.attach({
    selfId: () => 'ben',
    isPresent,
    publish: say('ben', () => groups.abe),
  }))!
  groups.ben.ask()
  await settle()
  let guests = 0
  return {
    encryption,
    keys: () => told.at(-1)!,
    /** Somebody comes and leaves. */
    rekey: async () => {
      const id = `guest${++guests}`
      const guest = await Group.start(
        { selfId: () => id, isPresent, publish: say(id, () => abe) },
        shared,
        quiet,
      )
      guest.ask()
      await settle()
      abe.left(id)
      for (const callback of timers.splice(0)) callback()
      await settle()
    },
    pass: (ms: number) => t.mock.timers.tick(ms),
  }
}

test('keys that follow each other faster than they begin to seal do not keep the former one in use, and are not kept for ever', async (t) => {
  const { keys, rekey, pass } = await withAbe(t)
  const first = keys().seal
  assert.ok(first && keys().open[0] === first)
  for (let times = 0; times < 5; times++) {
    await rekey()
    pass(400)
  }
  assert.equal(keys().open.length, 6)
  const sealing = keys().seal
  assert.notEqual(sealing, first)
  pass(1000)
  assert.equal(keys().seal, keys().open[0])
  pass(30_000)
  assert.equal(keys().open.length, 1)
})

test('a key that was about to seal does not, once the shared key is another', async (t) => {
  const { encryption, keys, rekey, pass } = await withAbe(t)
  await rekey()
  assert.notEqual(keys().seal, keys().open[0])
  await encryption.setKey(crypto.getRandomValues(new Uint8Array(16)))
  assert.equal(keys().seal, undefined)
  pass(2000)
  await settle()
  assert.equal(keys().seal, undefined)
  // Nobody has that key: what is sent opens for nobody.
  pass(1000)
  await settle()
  assert.ok(keys().seal && !keys().open.includes(keys().seal!))
})
