import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PictureSchedule, SoundSchedule, type Sent } from './schedule.ts'

const sound = { data: new Uint8Array([0xf8, 1, 2, 3]), durationMs: 20, level: 30 }

function sentBy(schedule: SoundSchedule | PictureSchedule, now: number): Sent[] {
  const sent: Sent[] = []
  schedule.tick(now, (packet) => sent.push(packet))
  return sent
}

test('sound begins when 40 ms are there, and goes on packet by packet', () => {
  const schedule = new SoundSchedule()
  schedule.add(sound)
  assert.deepEqual(sentBy(schedule, 0), [])
  for (let more = 0; more < 4; more++) schedule.add(sound)
  const sent = [0, 5, 20, 40, 60, 80].map((now) => sentBy(schedule, now))
  assert.deepEqual(
    sent.map(({ length }) => length),
    [1, 0, 1, 1, 1, 1],
  )
  assert.deepEqual(
    sent.flat().map(({ timestamp, marker }) => [timestamp, marker]),
    [
      [0, true],
      [960, false],
      [1920, false],
      [2880, false],
      [3840, false],
    ],
  )
})

test('at most 200 ms of a source are taken in advance', () => {
  const schedule = new SoundSchedule()
  for (let at = 0; at < 9; at++) schedule.add(sound)
  assert.equal(schedule.isFull(), false)
  schedule.add(sound)
  assert.equal(schedule.isFull(), true)
})

test('after a pause of the source the time has passed, and a new talk begins', () => {
  const schedule = new SoundSchedule()
  for (let at = 0; at < 2; at++) schedule.add(sound)
  for (const now of [0, 20, 40]) sentBy(schedule, now)
  for (let at = 0; at < 2; at++) schedule.add(sound)
  const [packet] = sentBy(schedule, 1040)
  assert.deepEqual([packet!.timestamp, packet!.marker], [50_000 * 0.96 + 1920, true])
})

test('a process that was busy sends what is late by 200 ms at most, and counts the rest', () => {
  const schedule = new SoundSchedule()
  for (let at = 0; at < 10; at++) schedule.add(sound)
  sentBy(schedule, 0)
  for (let at = 0; at < 40; at++) schedule.add(sound)
  const late = sentBy(schedule, 620)
  assert.equal(late.length, 11)
  assert.equal(schedule.dropped(), 20)
  assert.equal(late[0]!.timestamp, 21 * 960, 'what was not sent is a gap')
})

test('the rest is sent even if it is less than the cushion', () => {
  const schedule = new SoundSchedule()
  schedule.add(sound)
  schedule.end()
  assert.equal(schedule.isEmpty(), false)
  assert.equal(sentBy(schedule, 0).length, 1)
  assert.equal(schedule.isEmpty(), true)
})

test('a frame of video is sent when it is due, in packets of which the last is marked', () => {
  const schedule = new PictureSchedule('vp8')
  schedule.add({ data: new Uint8Array(3000), atMs: 1000 })
  schedule.add({ data: new Uint8Array(10), atMs: 1040 })
  const first = sentBy(schedule, 500)
  assert.deepEqual(
    first.map(({ marker }) => marker),
    [false, false, true],
  )
  assert.deepEqual(sentBy(schedule, 539), [])
  const [second] = sentBy(schedule, 540)
  assert.equal(second!.timestamp - first[0]!.timestamp, 3600)
})
