/** The rules of a poll. Pure functions: a poll never changes, a vote makes another one. */
import { Refusal } from '../../protocol/errors.ts'
import { cleanName } from '../../protocol/ids.ts'
import type { NewPoll, Poll, Vote } from '../../protocol/polls.ts'
import type { PollRecord, VoteRecord } from '../../store/store.ts'

/** Votes of one poll, at most: more than a meeting holds, and less than fills a disk. */
export const MAX_VOTERS = 5000

/** Knowing the id of a voter does not make one: a vote is bound to a token. */
export interface Voter {
  participantId: string
  tokenId: string
}

/** The question and the options as they are shown. @throws {Refusal} INVALID_REQUEST */
export function questionOf({ question, options, multiple = false, anonymous = false }: NewPoll): {
  question: string
  options: string[]
  multiple: boolean
  anonymous: boolean
} {
  const asked = cleanName(question)
  const offered = options.map(cleanName)
  if (asked === '' || offered.includes(''))
    throw new Refusal('INVALID_REQUEST', { message: 'A question and its options hold something to read.' })
  if (new Set(offered.map((option) => option.toLowerCase())).size < offered.length)
    throw new Refusal('INVALID_REQUEST', { message: 'Two options of a poll must not be the same.' })
  return { question: asked, options: offered, multiple, anonymous }
}

/** What a participant chose, ascending. @throws {Refusal} INVALID_STATE, INVALID_REQUEST */
export function choicesOf(poll: PollRecord, chosen: readonly number[]): number[] {
  if (poll.endedAt !== null) throw new Refusal('INVALID_STATE', { message: 'This poll has ended.' })
  const choices = [...new Set(chosen)].sort((a, b) => a - b)
  if (choices.some((choice) => choice >= poll.options.length))
    throw new Refusal('INVALID_REQUEST', { message: 'The poll has no such option.' })
  if (choices.length > 1 && !poll.multiple)
    throw new Refusal('INVALID_REQUEST', { message: 'One option can be chosen in this poll.' })
  return choices
}

/** The votes for each option. */
export function countsOf({ options }: PollRecord, votes: Iterable<VoteRecord>): number[] {
  const counts = options.map(() => 0)
  for (const { choices } of votes) for (const choice of choices) counts[choice]! += 1
  return counts
}

/** The poll, as everybody is told. */
export function tellableOf(
  poll: PollRecord,
  votes: ReadonlyMap<string, VoteRecord>,
  /** The vote of the one who is told. */
  own?: VoteRecord,
): Poll {
  const { pollId, question, options, multiple, anonymous, askerName, createdAt, endedAt } = poll
  return {
    pollId,
    question,
    options: [...options],
    multiple,
    anonymous,
    askerName,
    createdAt,
    endedAt,
    counts: countsOf(poll, votes.values()),
    voters: votes.size,
    ...(!anonymous && { votes: [...votes].map(([voterId, vote]) => voteOf(voterId, vote)) }),
    ...(own && { own: [...own.choices] }),
  }
}

export function voteOf(voterId: string, { name, choices }: VoteRecord): Vote {
  return { voterId, name, choices: [...choices] }
}
