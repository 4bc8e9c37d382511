/** A node that is drained: when its meetings move, in which order, and when it is empty. The clock moves when the drain waits. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Drain } from './drain.ts'

const NOTICE_MS = 3000

/** The meetings with their people; `endsAt` of those that end by themselves. */
class Stage {
  at = 0
  successor = true
  readonly moved: { meetingId: string; at: number }[] = []
  readonly announced: boolean[] = []
  readonly errors: unknown[] = []
  onWait: () => void = () => undefined
  readonly drain: Drain

  readonly meetings: Map<string, { people: number; endsAt?: number }>

  constructor(meetings: Map<string, { people: number; endsAt?: number }>) {
    this.meetings = meetings
    this.drain = new Drain({
      open: () => this.#open(),
      sizeOf: (meetingId) => Promise.resolve(this.meetings.get(meetingId)?.people ?? 0),
      hasSuccessor: () => this.successor,
      handOver: (meetingId) => {
        this.moved.push({ meetingId, at: this.at })
        this.meetings.delete(meetingId)
        return Promise.resolve()
      },
      announce: () => {
        this.announced.push(this.drain.isOn)
        return Promise.resolve()
      },
      onError: (error) => this.errors.push(error),
      now: () => this.at,
      wait: (ms) => {
        this.at += ms
        this.onWait()
        return new Promise((next) => setImmediate(next))
      },
    })
  }

  #open(): string[] {
    for (const [meetingId, { endsAt = Infinity }] of this.meetings)
      if (this.at >= endsAt) this.meetings.delete(meetingId)
    return [...this.meetings.keys()]
  }
}

const people = (...sizes: number[]) =>
  new Map(
    sizes.map((size) => [`of ${size}`, { people: size }] as [string, { people: number; endsAt?: number }]),
  )

test('the smallest meeting moves first, at the pace that others can take', async () => {
  const stage = new Stage(people(40, 2, 10))
  stage.drain.begin(0)
  assert.equal(stage.drain.isOn, true)
  await stage.drain.ended
  assert.deepEqual(stage.announced, [true])
  assert.deepEqual(
    stage.moved.map(({ meetingId }) => meetingId),
    ['of 2', 'of 10', 'of 40'],
  )
  const [first, second, third] = stage.moved.map(({ at }) => at) as [number, number, number]
  assert.equal(first, NOTICE_MS, 'balancers have noticed first')
  assert.deepEqual([second - first, third - second], [100, 500])
  assert.deepEqual(stage.errors, [])
})

test('meetings may end by themselves until moving the others takes the rest of the time', async () => {
  const stage = new Stage(people(20, 4))
  stage.meetings.get('of 4')!.endsAt = 30_000
  stage.drain.begin(60_000)
  await stage.drain.ended
  assert.deepEqual(stage.moved, [{ meetingId: 'of 20', at: 59_000 }])
})

test('a second call changes the time', async () => {
  const stage = new Stage(people(2))
  stage.onWait = () => {
    if (stage.at === 10_000) stage.drain.begin(0)
  }
  stage.drain.begin(600_000)
  await stage.drain.ended
  assert.deepEqual(stage.moved, [{ meetingId: 'of 2', at: 10_000 }])
})

test('without another node, meetings stay until they end', async () => {
  const stage = new Stage(people(2))
  stage.successor = false
  stage.meetings.get('of 2')!.endsAt = 20_000
  stage.drain.begin(0)
  await stage.drain.ended
  assert.deepEqual(stage.moved, [])
  assert.equal(stage.at, 20_000)
})

test('a cancelled drain moves nothing, and says that this node takes meetings again', async () => {
  const stage = new Stage(people(2))
  const cancelled = Promise.withResolvers<undefined>()
  stage.onWait = () => {
    if (stage.at === 1000) void stage.drain.cancel().then(() => cancelled.resolve(undefined))
  }
  let hasEnded = false
  stage.drain.begin(0)
  void stage.drain.ended.then(() => (hasEnded = true))
  await cancelled.promise
  await new Promise((next) => setImmediate(next))
  assert.deepEqual(
    [stage.drain.isOn, stage.moved, hasEnded, stage.announced],
    [false, [], false, [true, false]],
  )
  // Drained again, it is emptied.
  stage.drain.begin(0)
  await stage.drain.ended
  assert.equal(stage.moved.length, 1)
})
