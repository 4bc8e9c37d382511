import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeMeeting } from '../../../test/support/fake-meeting.ts'
import { TileSeats } from './tile-seats.ts'

function seated(...ids: string[]) {
  const meeting = new FakeMeeting().join(...ids)
  const seats = new TileSeats()
  seats.listen(meeting.asMeeting)
  return {
    meeting,
    arrange: (perPage: number) => seats.arrange(['me', ...meeting.participants.keys()], perPage),
  }
}

test('nobody moves while everybody fits on one page', () => {
  const { meeting, arrange } = seated('a', 'b', 'c')
  meeting.speak('c')
  assert.deepEqual(arrange(4), ['me', 'a', 'b', 'c'])
})

test('a speaker from another page takes the place of whoever was silent longest, and stays', () => {
  const { meeting, arrange } = seated('a', 'b', 'c', 'd', 'e')
  assert.deepEqual(arrange(3), ['me', 'a', 'b', 'c', 'd', 'e'])
  meeting.speak('a')
  meeting.speak('d')
  assert.deepEqual(arrange(3), ['me', 'a', 'd', 'b', 'c', 'e'])
  assert.deepEqual(arrange(3), ['me', 'a', 'd', 'b', 'c', 'e'], 'and again')
  meeting.speak('b')
  assert.deepEqual(arrange(3), ['me', 'b', 'd', 'a', 'c', 'e'])
  meeting.speak(null)
  meeting.speak('d')
  assert.deepEqual(arrange(3), ['me', 'b', 'd', 'a', 'c', 'e'], 'who is there already stays in place')
})

test('the place of somebody who leaves is taken, and the others stay', () => {
  const { meeting, arrange } = seated('a', 'b', 'c', 'd')
  arrange(3)
  meeting.speak('d')
  assert.deepEqual(arrange(3), ['me', 'd', 'b', 'a', 'c'])
  meeting.leave('d')
  assert.deepEqual(arrange(3), ['me', 'b', 'a', 'c'])
  assert.deepEqual(arrange(1), ['me', 'a', 'b', 'c'], 'our own picture is never displaced')
})
