/** The meetings whose home is this process: restored at a start, opened for entries, and released. */
import assert from 'node:assert/strict'
import { after, afterEach, before, test } from 'node:test'
import type { Directory, Location } from './directory.ts'
import type { LiveMeetings } from './live-meetings.ts'
import { createFakeSfu } from '../media/fake/sfu.ts'
import { Refusal } from '../protocol/errors.ts'
import { FakeLink, grantOf, LiveMeetingBench } from '../../test/support/live-meetings.ts'

/** A directory that two processes share. */
class SharedDirectory {
  readonly #homes = new Map<string, string>()

  as(process: string): Directory {
    const location = (meetingId: string): Location | undefined => {
      const home = this.#homes.get(meetingId)
      return home === undefined ? undefined : home === process ? 'here' : { url: `http://${home}` }
    }
    return {
      locate: (meetingId) => Promise.resolve(location(meetingId)),
      claim: (meetingId) => {
        if (!this.#homes.has(meetingId)) this.#homes.set(meetingId, process)
        return Promise.resolve(location(meetingId)!)
      },
      release: (meetingId) => {
        if (location(meetingId) === 'here') this.#homes.delete(meetingId)
        return Promise.resolve()
      },
    }
  }
}

let bench: LiveMeetingBench
let started: LiveMeetings[] = []
before(async () => {
  bench = await LiveMeetingBench.open()
})
afterEach(async () => {
  for (const meetings of started) await meetings.suspend()
  started = []
  assert.deepEqual(bench.errors, [])
})
after(() => bench.close())

function start(directory: Directory, sessionGraceMs = 60_000): LiveMeetings {
  const meetings = bench.openMeetings(directory, createFakeSfu(), { sessionGraceMs })
  started.push(meetings)
  return meetings
}

async function comesTo(meetings: LiveMeetings, meeting: Parameters<LiveMeetings['requestEntry']>[0]) {
  const link = new FakeLink()
  const { live } = await meetings.requestEntry(meeting, {
    grant: grantOf('direct'),
    participantId: 'ann',
    name: 'Ann',
    link,
    admitted: () => undefined,
  })
  return { live, link }
}

test('a process refuses entry to a meeting whose home is elsewhere, in a way that makes clients come back', async () => {
  const directory = new SharedDirectory()
  const [first, second] = [start(directory.as('first')), start(directory.as('second'))]
  const meeting = await bench.createMeeting()
  await comesTo(first, meeting)
  await assert.rejects(
    comesTo(second, meeting),
    (error) => error instanceof Refusal && error.code === 'SERVER_STOPPING',
  )
  assert.equal(second.open.size, 0)
  assert.deepEqual(await directory.as('second').locate(meeting.meetingId), { url: 'http://first' })
})

test('a start resumes only the sessions of its own meetings', async () => {
  const directory = new SharedDirectory()
  const [mine, theirs] = [await bench.createMeeting(), await bench.createMeeting()]
  for (const meeting of [mine, theirs]) {
    const process = start(new SharedDirectory().as('stopped'))
    await comesTo(process, meeting)
    await process.suspend()
  }
  await directory.as('other').claim(theirs.meetingId)
  const meetings = start(directory.as('this one'))
  await meetings.resume()
  assert.equal(await meetings.endSession(theirs.meetingId, 'ROOM_CLOSE'), false)
  assert.equal(await directory.as('this one').locate(mine.meetingId), 'here')
  assert.equal(await meetings.endSession(mine.meetingId, 'ROOM_CLOSE'), true)
  assert.deepEqual(await directory.as('this one').locate(theirs.meetingId), { url: 'http://other' })
})

test('a home that is idle or stops releases its meetings to others', async () => {
  const directory = new SharedDirectory()
  const [first, second] = [start(directory.as('first'), 0), start(directory.as('second'))]
  const meeting = await bench.createMeeting()
  const { live } = await comesTo(first, meeting)
  await live.end('REMOVE_ALL')
  assert.equal(first.open.size, 0)
  await comesTo(second, meeting)
  await second.suspend()
  assert.equal(await directory.as('second').locate(meeting.meetingId), undefined)
})
