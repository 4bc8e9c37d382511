import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ServerMessage, Shape } from '../../protocol/whiteboard.ts'
import type { Participant } from '../roster/participant.ts'
import { Whiteboard, type BoardConnection, type BoardLink } from './whiteboard.ts'

const moderator = {
  joined: true,
  authority: { canAdmit: true, canModerate: true },
  link: { baseUrl: 'https://meet.example' },
} as unknown as Participant
const shape: Shape = { id: 'a', kind: 'pen', points: [1, 2], color: '#112233', width: 2 }

class Page implements BoardLink {
  readonly caller: string
  readonly heard: ServerMessage[] = []
  ended = false

  constructor(caller = 'here') {
    this.caller = caller
  }

  send(message: ServerMessage): void {
    this.heard.push(message)
  }

  end(): void {
    this.ended = true
  }
}

function opened(): Whiteboard {
  const whiteboard = new Whiteboard({
    meetingId: 'm',
    newSecretId: () => 'secret',
    tellAll: () => undefined,
  })
  whiteboard.start(moderator)
  return whiteboard
}
const enter = (whiteboard: Whiteboard, page: Page): BoardConnection => {
  const connected = whiteboard.connect('secret', page)
  assert.ok(typeof connected === 'object')
  return connected
}

test('one network may open half of the pages, and a page that leaves makes room', () => {
  const whiteboard = opened()
  const here = Array.from({ length: 500 }, () => enter(whiteboard, new Page('here')))
  const late = new Page('here')
  assert.equal(whiteboard.connect('secret', late), 'crowded')
  assert.deepEqual(late.heard, [])
  for (let page = 0; page < 500; page += 1) enter(whiteboard, new Page(`there ${page}`))
  assert.equal(whiteboard.connect('secret', new Page('elsewhere')), 'crowded')
  here[0]!.close()
  enter(whiteboard, late)
})

test('a page that comes later gets the current board', () => {
  const whiteboard = opened()
  const [one, other, third] = [new Page(), new Page(), new Page()]
  const drawing = enter(whiteboard, one)
  enter(whiteboard, other)
  drawing.handle({ do: 'put', shape })
  enter(whiteboard, third)
  assert.deepEqual(other.heard, [
    { do: 'scene', shapes: [] },
    { do: 'put', shape },
  ])
  assert.deepEqual(third.heard, [{ do: 'scene', shapes: [shape] }])
})

test('messages after the end of a board are ignored', () => {
  const whiteboard = opened()
  const [one, other] = [new Page(), new Page()]
  const drawing = enter(whiteboard, one)
  enter(whiteboard, other)
  whiteboard.end()
  assert.deepEqual([one.ended, other.ended], [true, true])
  assert.equal(whiteboard.connect('secret', new Page()), 'closed')
  whiteboard.start(moderator)
  drawing.handle({ do: 'put', shape })
  assert.equal(other.heard.length, 1)
  const next = new Page()
  enter(whiteboard, next)
  assert.deepEqual(next.heard, [{ do: 'scene', shapes: [] }])
})
