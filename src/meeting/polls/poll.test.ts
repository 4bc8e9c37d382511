import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Refusal, type ErrorName } from '../../protocol/errors.ts'
import type { PollRecord, VoteRecord } from '../../store/store.ts'
import { choicesOf, countsOf, questionOf, tellableOf } from './poll.ts'

const poll = (changes: Partial<PollRecord> = {}): PollRecord => ({
  pollId: 'p',
  question: 'Tea?',
  options: ['Yes', 'No', 'Later'],
  multiple: false,
  anonymous: false,
  askerId: 'host',
  askerName: 'Host',
  createdAt: 1,
  endedAt: null,
  ...changes,
})
const vote = (participantId: string, ...choices: number[]): VoteRecord => ({
  pollId: 'p',
  participantId,
  tokenId: 't',
  name: participantId.toUpperCase(),
  choices,
  at: 2,
})
const refused = (name: ErrorName) => (error: unknown) => error instanceof Refusal && error.code === name

test('a question has something to read, and options that differ', () => {
  for (const [question, options] of [
    ['\u200b', ['Yes', 'No']],
    ['Tea?', ['Yes', ' \n ']],
    ['Tea?', ['Yes', 'yes ']],
  ] as const)
    assert.throws(() => questionOf({ question, options: [...options] }), refused('INVALID_REQUEST'))
  assert.deepEqual(questionOf({ question: ' Tea\n?\u202e', options: ['Yes', 'No'] }), {
    question: 'Tea ?',
    options: ['Yes', 'No'],
    multiple: false,
    anonymous: false,
  })
})

test('what may be chosen', () => {
  const rows: [Partial<PollRecord>, number[], number[] | ErrorName][] = [
    [{ endedAt: 5 }, [0], 'INVALID_STATE'],
    [{}, [3], 'INVALID_REQUEST'],
    [{}, [0, 1], 'INVALID_REQUEST'],
    [{ multiple: true }, [0, 3], 'INVALID_REQUEST'],
    [{}, [1], [1]],
    [{}, [1, 1], [1]],
    [{ multiple: true }, [2, 0, 2], [0, 2]],
  ]
  for (const [changes, chosen, expected] of rows) {
    const row = JSON.stringify([changes, chosen])
    if (typeof expected === 'string')
      assert.throws(() => choicesOf(poll(changes), chosen), refused(expected), row)
    else assert.deepEqual(choicesOf(poll(changes), chosen), expected, row)
  }
})

test('the counts are of options, and an anonymous poll names nobody', () => {
  const votes = new Map([
    ['1', vote('ann', 0, 2)],
    ['2', vote('bob', 2)],
  ])
  assert.deepEqual(countsOf(poll(), votes.values()), [1, 0, 2])
  const named = tellableOf(poll(), votes, votes.get('2'))
  assert.deepEqual(named.votes, [
    { voterId: '1', name: 'ANN', choices: [0, 2] },
    { voterId: '2', name: 'BOB', choices: [2] },
  ])
  assert.deepEqual(named.own, [2])
  const anonymous = tellableOf(poll({ anonymous: true }), votes)
  assert.doesNotMatch(JSON.stringify(anonymous), /ann|bob/i)
  assert.deepEqual([anonymous.counts, anonymous.voters, anonymous.own], [[1, 0, 2], 2, undefined])
})
