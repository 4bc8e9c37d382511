import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Stream } from '../../client/client.ts'
import { FakeMeeting } from '../../../test/support/fake-meeting.ts'
import { ShownPictures } from './shown-pictures.ts'

function open() {
  const meeting = new FakeMeeting().join('ann', 'bob')
  const page = Object.assign(new EventTarget(), { hidden: false })
  const planned: (() => void)[] = []
  const shown = new ShownPictures({ page, later: (work) => void planned.push(work) })
  const stop = shown.listen(meeting.asMeeting)
  const said: [string, number][] = []
  return {
    meeting,
    page,
    shown,
    stop,
    send: (id: string, kind: Stream['kind']) =>
      Object.assign(meeting.send(id, kind), {
        show: (width: number) => void said.push([`${kind} of ${id}`, width]),
      }),
    /** What was said since the last time. */
    said: () => {
      for (const work of planned.splice(0)) work()
      return said.splice(0)
    },
  }
}

test('a video that is not shown is not sent, and sound is not affected', () => {
  const { send, said } = open()
  send('ann', 'video')
  send('ann', 'audio')
  send('bob', 'share')
  assert.deepEqual(said(), [
    ['video of ann', 0],
    ['share of bob', 0],
  ])
  assert.deepEqual(said(), [])
})

test('a video is requested in the size of its largest place, and only changes are sent', () => {
  const { send, said, shown } = open()
  const stream = send('ann', 'video')
  const [tile, front] = [{}, {}]
  shown.place(tile, stream, 200)
  assert.deepEqual(said(), [['video of ann', 200]])
  shown.place(front, stream, 900)
  shown.place(tile, stream, 100)
  assert.deepEqual(said(), [['video of ann', 900]])
  shown.place(tile, stream, 150)
  assert.deepEqual(said(), [])
  shown.place(front, stream, 0)
  assert.deepEqual(said(), [['video of ann', 150]])
})

test('a video that moves from one place to another is not paused in between', () => {
  const { send, said, shown } = open()
  const stream = send('ann', 'video')
  const [tile, front] = [{}, {}]
  shown.place(tile, stream, 300)
  said()
  shown.place(tile, stream, 0)
  shown.place(front, stream, 800)
  assert.deepEqual(said(), [['video of ann', 800]])
})

test('a hidden window receives no video, and all of it when it is visible again', () => {
  const { send, said, shown, page } = open()
  shown.place({}, send('ann', 'video'), 300)
  said()
  page.hidden = true
  page.dispatchEvent(new Event('visibilitychange'))
  assert.deepEqual(said(), [['video of ann', 0]])
  page.hidden = false
  page.dispatchEvent(new Event('visibilitychange'))
  assert.deepEqual(said(), [['video of ann', 300]])
})

test('sends nothing after its end', () => {
  const { send, said, shown, stop } = open()
  const stream = send('ann', 'video')
  said()
  stop()
  shown.place({}, stream, 300)
  assert.deepEqual(said(), [])
})

test('a small window above the page receives its video while the page is hidden', () => {
  const { send, said, shown, page } = open()
  const [ann, bob] = [send('ann', 'video'), send('bob', 'video')]
  shown.place({}, ann, 300)
  shown.place({}, bob, 300)
  shown.place({}, bob, 400, true)
  assert.deepEqual(said(), [
    ['video of ann', 300],
    ['video of bob', 300],
  ])
  shown.floats = true
  page.hidden = true
  page.dispatchEvent(new Event('visibilitychange'))
  assert.deepEqual(said(), [
    ['video of ann', 0],
    ['video of bob', 400],
  ])
  shown.floats = false
  assert.deepEqual(said(), [['video of bob', 0]])
})
