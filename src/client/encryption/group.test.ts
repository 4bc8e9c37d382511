/** Who gets the key of those who are present: several members over a chat in memory, which a server could read and change. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Opener, Sealer } from './frames.ts'
import { Group } from './group.ts'
import { groupKey, type MeetingKey } from './keys.ts'

const MEETING = 'a-meeting'
const LINK = crypto.getRandomValues(new Uint8Array(16))
const vp8 = { codec: 'vp8', isKeyFrame: true } as const
const owner = { participantId: 'ann', kind: 'video' }

interface Member {
  group: Group
  keys: MeetingKey[]
}

/** Passes messages on, as the server does. */
class Chat {
  readonly members = new Map<string, Member>()
  /** Everything that was said. */
  readonly said: { from: string; text: string; to: string[] }[] = []
  /** Timers that were set, in order of their time. */
  readonly timers: { callback: () => void; at: number }[] = []
  now = 0
  /** Of whom nothing is passed on. */
  readonly silent = new Set<string>()

  async join(id: string, shared: Uint8Array<ArrayBuffer> = LINK): Promise<Member> {
    const keys: MeetingKey[] = []
    const meeting = {
      selfId: () => id,
      isPresent: (other: string) => this.members.has(other),
      publish: (_topic: string, text: string, to: string[]) => {
        this.said.push({ from: id, text, to })
        if (this.silent.has(id)) return Promise.resolve()
        for (const [other, { group }] of this.members)
          if (other !== id && (to.length === 0 || to.includes(other))) group.hear({ from: id, text })
        return Promise.resolve()
      },
    }
    const group = await Group.start(meeting, await groupKey(shared, MEETING), {
      onKey: (key) => keys.unshift(key),
      setTimer: (callback, ms) => this.timers.push({ callback, at: this.now + ms }),
    })
    const member = { group, keys }
    this.members.set(id, member)
    for (const [other, { group: of }] of this.members) if (other !== id) of.joined(id)
    group.ask()
    await settle()
    return member
  }

  async leave(id: string): Promise<void> {
    this.members.delete(id)
    for (const { group } of this.members.values()) group.left(id)
    await settle()
  }

  /** Lets the time go on. */
  async pass(ms: number): Promise<void> {
    this.now += ms
    this.timers.sort((one, other) => one.at - other.at)
    while (this.timers.length > 0 && this.timers[0]!.at <= this.now) {
      this.timers.shift()!.callback()
      await settle()
    }
  }
}

/** Until nobody has anything to do: each step of the groups is a few tasks of the platform's cryptography. */
async function settle(): Promise<void> {
  for (let tries = 0; tries < 60; tries++) await new Promise((next) => setTimeout(next, 1))
}

async function opens(from: Member, to: Pick<Member, 'keys'>): Promise<boolean> {
  const frame = crypto.getRandomValues(new Uint8Array(100))
  const sealed = (await new Sealer(owner).seal(frame, vp8, from.keys[0]!))!
  return (await new Opener(owner).open(sealed, vp8, to.keys.slice(0, 1))) !== undefined
}

test('nobody has a key alone; those who are there get one, and whoever comes gets the same', async () => {
  const chat = new Chat()
  const ann = await chat.join('ann')
  assert.equal(ann.keys.length, 0)
  const ben = await chat.join('ben')
  assert.ok(await opens(ann, ben))
  const carl = await chat.join('carl')
  assert.ok(await opens(carl, ann))
  assert.equal(ann.keys.length, 1, 'nobody else had to change the key')
})

test('who left has no key of what follows, and the key that everybody shares does not help', async () => {
  const chat = new Chat()
  const [ann, ben, carl] = [await chat.join('ann'), await chat.join('ben'), await chat.join('carl')]
  await chat.leave('carl')
  await chat.pass(300)
  assert.ok(await opens(ann, ben))
  assert.equal(await opens(ann, carl), false)
  // Everything that was said, heard again by somebody with the link who never was a member.
  const dora = await chat.join('dora', crypto.getRandomValues(new Uint8Array(16)))
  const eve = await Group.start(
    { selfId: () => 'carl', isPresent: () => true, publish: () => Promise.resolve() },
    await groupKey(LINK, MEETING),
    { onKey: (key) => dora.keys.unshift(key), setTimer: () => undefined },
  )
  for (const one of chat.said) eve.hear(one)
  await settle()
  assert.equal(dora.keys.length, 0)
})

test('the last one who is left changes the key too', async () => {
  const chat = new Chat()
  const [ann, ben] = [await chat.join('ann'), await chat.join('ben')]
  await chat.leave('ben')
  await chat.pass(300)
  const carl = await chat.join('carl')
  assert.ok(await opens(ann, carl))
  assert.equal(await opens(ann, ben), false)
})

test('if the one whose turn it is says nothing, the next makes the key', async () => {
  const chat = new Chat()
  const [, ben, carl, dan] = [
    await chat.join('ann'),
    await chat.join('ben'),
    await chat.join('carl'),
    await chat.join('dan'),
  ]
  chat.silent.add('ann')
  await chat.leave('dan')
  await chat.pass(300)
  assert.ok(await opens(ben, dan), 'not yet')
  await chat.pass(3000)
  assert.ok(await opens(ben, carl))
  assert.equal(await opens(ben, dan), false)
})

test('people who leave all the time do not put off the new key', async () => {
  const chat = new Chat()
  const [ann, ben] = [await chat.join('ann'), await chat.join('ben')]
  const gone = await chat.join('zed')
  for (const id of ['x1', 'x2', 'x3']) await chat.join(id)
  for (const id of ['zed', 'x1', 'x2', 'x3']) {
    await chat.leave(id)
    await chat.pass(150)
  }
  assert.ok(await opens(ann, ben))
  assert.equal(await opens(ann, gone), false)
  assert.ok(ann.keys.length <= 3, 'one key is for several of them')
})

test('two keys at once: everybody ends with the same', async () => {
  const chat = new Chat()
  const [zoe, ann] = await Promise.all([chat.join('zoe'), chat.join('ann'), chat.join('moe')])
  const late = await chat.join('abe')
  for (const { group } of chat.members.values()) group.ask()
  await settle()
  const all = [...chat.members.values()]
  assert.equal(all.length, 4)
  for (const member of all) {
    assert.ok(await opens(zoe, member))
    assert.ok(await opens(member, ann))
    assert.ok(await opens(late, member))
  }
})

test('somebody with another shared key gets nothing, until that is shared too', async () => {
  const chat = new Chat()
  const other = crypto.getRandomValues(new Uint8Array(16))
  const [ann, ben] = [await chat.join('ann'), await chat.join('ben')]
  const eve = await chat.join('eve', other)
  assert.equal(eve.keys.length, 0)
  ann.group.setShared(await groupKey(other, MEETING))
  await settle()
  assert.ok(await opens(ann, eve))
  assert.equal(await opens(ann, ben), false)
  ben.group.setShared(await groupKey(other, MEETING))
  await settle()
  assert.ok(await opens(ann, ben))
})

test('a member cannot be replaced by another with the link under the same name', async () => {
  const chat = new Chat()
  const [ann, ben] = [await chat.join('ann'), await chat.join('ben')]
  // The server lets somebody who has the link speak as ben, while ben is there.
  const spoken: string[] = []
  const got: MeetingKey[] = []
  const fake = await Group.start(
    {
      selfId: () => 'ben',
      isPresent: () => true,
      publish: (_topic, text) => Promise.resolve(void spoken.push(text)),
    },
    await groupKey(LINK, MEETING),
    { onKey: (key) => got.unshift(key), setTimer: () => undefined },
  )
  fake.ask()
  await settle()
  const before = chat.said.length
  for (const text of spoken) ann.group.hear({ from: 'ben', text })
  await settle()
  for (const one of chat.said.slice(before)) fake.hear(one)
  await settle()
  assert.equal(got.length, 0)
  assert.ok(await opens(ann, ben))
})

test('what is no message of ours is ignored', async () => {
  const chat = new Chat()
  const [ann, ben] = [await chat.join('ann'), await chat.join('ben')]
  const hello = JSON.parse(chat.said[0]!.text) as Record<string, unknown>
  for (const text of [
    '',
    'null',
    '[]',
    '{"type":"hello"}',
    JSON.stringify({ ...hello, proof: 'AAAA' }),
    JSON.stringify({ ...hello, publicKey: '???' }),
    JSON.stringify({ type: 'key', version: { number: 9, maker: 'ben' }, sealed: { ann: 'AAAA' } }),
    JSON.stringify({ type: 'key', version: { number: -1, maker: 'ben' }, sealed: {} }),
  ])
    ann.group.hear({ from: 'mallory', text })
  await settle()
  assert.equal(ann.keys.length, 1)
  assert.ok(await opens(ann, ben))
})
