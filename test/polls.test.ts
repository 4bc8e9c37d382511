/** Polls over a raw socket: what is refused, who is told what, and what outlives a restart. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { HeldStore } from './support/held-store.ts'
import { TestServer } from './support/test-server.ts'
import type { Poll, Vote } from '../src/protocol/polls.ts'
import { WireError, type WireClient } from './support/wire-client.ts'

const store = new HeldStore()
let server: TestServer
before(async () => {
  server = await TestServer.start({}, { through: store.through })
})
after(() => server.stop())

const refused = (name: string) => (error: unknown) => error instanceof WireError && error.errorName === name
const QUESTION = { question: 'Tea?', options: ['Yes', 'No', 'Later'] }

async function enter(
  meetingId: string,
  participantId: string,
  token = server.token(['allow_join']),
): Promise<WireClient> {
  const client = server.connect({ token, meetingId, participantId })
  await client.join()
  return client
}

/** The next poll that this client is told, of those that match. */
async function poll(client: WireClient, matches: (poll: Poll) => boolean = () => true): Promise<Poll> {
  const { poll: told } = await client.hears('pollChanged', ({ poll: one }) => matches(one as Poll))
  return told as Poll
}

interface Voted {
  counts: number[]
  voters: number
  vote?: Vote
}
async function voted(client: WireClient, matches: (voted: Voted) => boolean = () => true): Promise<Voted> {
  return (await client.hears('pollVoted', (one) => matches(one as unknown as Voted))) as unknown as Voted
}

async function ask(host: WireClient, asked: object = QUESTION): Promise<string> {
  const { pollId } = (await host.request('createPoll', asked)) as { pollId: string }
  return pollId
}

test('polls: only a moderator asks and ends, and what is malformed changes nothing', async () => {
  const meetingId = await server.createMeeting()
  const host = await enter(meetingId, 'host', server.token(['allow_mod']))
  const ann = await enter(meetingId, 'ann')
  await assert.rejects(ann.request('createPoll', QUESTION), refused('INVALID_PERMISSIONS'))
  for (const [what, asked] of Object.entries({
    'no question': { ...QUESTION, question: '' },
    'a question that cannot be read': { ...QUESTION, question: '\u200b' },
    'a long question': { ...QUESTION, question: 'x'.repeat(301) },
    'one option': { ...QUESTION, options: ['Yes'] },
    'many options': { ...QUESTION, options: Array.from({ length: 13 }, (_, at) => `${at}`) },
    'a long option': { ...QUESTION, options: ['Yes', 'x'.repeat(121)] },
    'the same option twice': { ...QUESTION, options: ['Yes', 'YES'] },
    'half of a character': { ...QUESTION, question: '\ud83d' },
    'options that are no texts': { ...QUESTION, options: [1, 2] },
  }))
    await assert.rejects(host.request('createPoll', asked), refused('INVALID_REQUEST'), what)
  const pollId = await ask(host)
  await assert.rejects(ann.request('endPoll', { pollId }), refused('INVALID_PERMISSIONS'))
  for (const choices of [[], [3], [-1], [0.5], [0, 1], ['0']])
    await assert.rejects(
      ann.request('votePoll', { pollId, choices }),
      refused('INVALID_REQUEST'),
      JSON.stringify(choices),
    )
  await assert.rejects(ann.request('votePoll', { pollId: 'no', choices: [0] }), refused('NOT_FOUND'))
  await assert.rejects(host.request('endPoll', { pollId: 'no' }), refused('NOT_FOUND'))
  await host.request('endPoll', { pollId })
  await assert.rejects(ann.request('votePoll', { pollId, choices: [0] }), refused('INVALID_STATE'))
  await poll(host, ({ endedAt }) => endedAt !== null)
  assert.ok(!host.heard.some(({ method }) => method === 'pollVoted'))
  assert.equal(host.heard.filter(({ method }) => method === 'pollChanged').length, 2)
  for (const client of [host, ann]) client.close()
})

test('polls: a vote can be changed until the end, and nobody votes for another', async () => {
  const meetingId = await server.createMeeting()
  const host = await enter(meetingId, 'host', server.token(['allow_mod']))
  const token = server.token(['allow_join'])
  const ann = await enter(meetingId, 'ann', token)
  const bob = await enter(meetingId, 'bob')
  const pollId = await ask(host)
  // Fields that name another voter are not read.
  await ann.request('votePoll', { pollId, choices: [0], participantId: 'bob', voterId: 'bob' })
  const first = await voted(bob)
  assert.deepEqual([first.counts, first.voters, first.vote?.name], [[1, 0, 0], 1, 'ann'])
  await ann.request('votePoll', { pollId, choices: [2] })
  const changed = await voted(bob, ({ counts }) => counts[2] === 1)
  assert.deepEqual([changed.counts, changed.voters], [[0, 0, 1], 1])
  assert.equal(changed.vote?.voterId, first.vote!.voterId)
  ann.close()
  await host.hears('peerClosed', ({ peerId }) => peerId === 'ann')
  // The id alone does not reach the vote of its former holder.
  const impostor = await enter(meetingId, 'ann')
  assert.equal((await poll(impostor)).own, undefined)
  await impostor.request('votePoll', { pollId, choices: [1] })
  assert.deepEqual((await voted(bob, ({ voters }) => voters === 2)).counts, [0, 1, 1])
  impostor.close()
  await impostor.gone()
  const back = await enter(meetingId, 'ann', token)
  assert.deepEqual((await poll(back)).own, [2])
  await host.request('endPoll', { pollId })
  const { counts } = await poll(bob, ({ endedAt }) => endedAt !== null)
  assert.deepEqual(counts, [0, 1, 1])
  for (const client of [host, back, bob]) client.close()
})

test('polls: an anonymous one tells no names, also to its asker and to latecomers', async () => {
  const meetingId = await server.createMeeting()
  const host = await enter(meetingId, 'host', server.token(['allow_mod']))
  const ann = await enter(meetingId, 'ann')
  const pollId = await ask(host, { ...QUESTION, anonymous: true, multiple: true })
  await ann.request('votePoll', { pollId, choices: [2, 0, 2] })
  const heard = await voted(host)
  assert.deepEqual([heard.counts, heard.vote], [[1, 0, 1], undefined])
  const late = await enter(meetingId, 'late')
  const told = await poll(late)
  assert.deepEqual([told.counts, told.voters, told.votes, told.own], [[1, 0, 1], 1, undefined, undefined])
  for (const client of [host, ann, late]) client.close()
})

test('polls: what was asked and voted outlives a restart, and ends with the session', async () => {
  const meetingId = await server.createMeeting()
  const tokens = { host: server.token(['allow_mod']), ann: server.token(['allow_join']) }
  const before = await Promise.all([
    enter(meetingId, 'host', tokens.host),
    enter(meetingId, 'ann', tokens.ann),
  ])
  const [host, ann] = before
  const ended = await ask(host, { ...QUESTION, question: 'First?' })
  await host.request('endPoll', { pollId: ended })
  const pollId = await ask(host)
  await ann.request('votePoll', { pollId, choices: [1] })
  for (const client of before) client.close()
  await server.restart()
  const back = await enter(meetingId, 'ann', tokens.ann)
  assert.notEqual((await poll(back, (one) => one.pollId === ended)).endedAt, null)
  const told = await poll(back, (one) => one.pollId === pollId)
  assert.deepEqual(
    [told.own, told.counts, told.votes?.[0]?.name, told.endedAt],
    [[1], [0, 1, 0], 'ann', null],
  )
  await back.request('votePoll', { pollId, choices: [0] })
  assert.deepEqual((await voted(back)).counts, [1, 0, 0])
  const hostAgain = await enter(meetingId, 'host', tokens.host)
  await hostAgain.request('closeRoom', {})
  await Promise.all([back, hostAgain].map((client) => client.gone()))
  const next = await enter(meetingId, 'host', tokens.host)
  await ask(next, { ...QUESTION, question: 'Another session?' })
  await poll(next, ({ question }) => question === 'Another session?')
  assert.equal(next.heard.filter(({ method }) => method === 'pollChanged').length, 1)
  next.close()
})

test('polls: a vote that cannot be written does not count', async () => {
  const meetingId = await server.createMeeting()
  const host = await enter(meetingId, 'host', server.token(['allow_mod']))
  const pollId = await ask(host)
  store.failNext('polls', 'vote')
  await assert.rejects(host.request('votePoll', { pollId, choices: [0] }), refused('STORE_UNAVAILABLE'))
  await host.request('votePoll', { pollId, choices: [1] })
  assert.deepEqual((await voted(host)).counts, [0, 1, 0])
  store.failNext('polls', 'add')
  await assert.rejects(host.request('createPoll', QUESTION), refused('STORE_UNAVAILABLE'))
  assert.equal(host.heard.filter(({ method }) => method === 'pollChanged').length, 1)
  host.close()
})

test('polls: a session has room for fifty', async () => {
  const meetingId = await server.createMeeting()
  const host = await enter(meetingId, 'host', server.token(['allow_mod']))
  for (let at = 0; at < 50; at++) await ask(host)
  await assert.rejects(host.request('createPoll', QUESTION), refused('RATE_LIMITED'))
  host.close()
})
