import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ServerMessage, Shape } from '../../protocol/whiteboard.ts'
import type { Participant } from '../roster/participant.ts'
import { Refusal } from '../../protocol/errors.ts'
import { Whiteboard, type BoardConnection, type BoardLink, type WhiteboardOptions } from './whiteboard.ts'

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

function closed(options: Partial<WhiteboardOptions> = {}): Whiteboard {
  return new Whiteboard({
    meetingId: 'm',
    newSecretId: () => 'secret',
    tellAll: () => undefined,
    whyNot: () => undefined,
    ...options,
  })
}
function opened(): Whiteboard {
  const whiteboard = closed()
  whiteboard.start(moderator)()
  return whiteboard
}
const refusal = (code: string) => (error: unknown) => error instanceof Refusal && error.code === code
const enter = (whiteboard: Whiteboard, page: Page): BoardConnection => {
  const connected = whiteboard.connect('secret', page)
  assert.ok(typeof connected === 'object')
  return connected
}

test('none is opened without a session, and the sentence says why', () => {
  const whiteboard = closed({ whyNot: () => 'The meeting has no ongoing session.' })
  assert.throws(
    () => whiteboard.start(moderator),
    (error) =>
      refusal('START_WHITEBOARD_FAILED')(error) && (error as Error).message.includes('no ongoing session'),
  )
  assert.throws(() => whiteboard.stop(moderator), refusal('STOP_WHITEBOARD_FAILED'))
})

test('a stop while everybody is being told of the start, and the other way round, are refused', () => {
  const told: string[] = []
  const whiteboard = closed({ tellAll: ({ method }) => void told.push(method) })
  const tellStarted = whiteboard.start(moderator)
  assert.throws(() => whiteboard.stop(moderator), refusal('WHITEBOARD_OPERATION_IN_PROGRESS'))
  tellStarted()
  const tellStopped = whiteboard.stop(moderator)
  assert.throws(() => whiteboard.start(moderator), refusal('WHITEBOARD_OPERATION_IN_PROGRESS'))
  assert.throws(() => whiteboard.stop(moderator), refusal('WHITEBOARD_OPERATION_IN_PROGRESS'))
  tellStopped()
  whiteboard.start(moderator)()
  assert.deepEqual(told, ['whiteboardStarted', 'whiteboardStopped', 'whiteboardStarted'])
})

test('two who open it at the same time have one board', () => {
  const heard: unknown[] = []
  const second = {
    joined: true,
    authority: moderator.authority,
    link: {
      baseUrl: 'https://meet.example',
      notify: (notification: unknown) => void heard.push(notification),
    },
  } as unknown as Participant
  const whiteboard = closed()
  const tellAll = whiteboard.start(moderator)
  whiteboard.start(second)()
  tellAll()
  assert.deepEqual(heard, whiteboard.notifications())
  assert.equal(heard.length, 1)
})

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
