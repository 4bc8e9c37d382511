/**
 * The polls of one session. A moderator asks and ends; a participant votes, and may change the vote until the end. Votes are
 * written before they count, and whose a vote is follows from the connection.
 */
import { createHash } from 'node:crypto'
import type { Notification } from '../../protocol/notifications.ts'
import type { NewPoll } from '../../protocol/polls.ts'
import type { PollRecord, Store, VoteRecord } from '../../store/store.ts'
import type { Participant } from '../roster/participant.ts'
import { Refusal } from '../../protocol/errors.ts'
import { assertMay } from '../roster/actor.ts'
import { choicesOf, countsOf, MAX_VOTERS, questionOf, tellableOf, voteOf, type Voter } from './poll.ts'

/** In one session; each stays until the session ends. */
const MAX_POLLS = 50

export interface PollsOptions {
  sessionId: string
  store: Store['polls']
  tellAll: (notification: Notification) => void
  now: () => number
  newSecretId: () => string
}

export interface KeptPolls {
  polls: readonly PollRecord[]
  votes: readonly VoteRecord[]
}

interface LivePoll {
  record: PollRecord
  /** By the id of the voter. */
  votes: Map<string, VoteRecord>
}

export class Polls {
  readonly #options: PollsOptions
  readonly #polls = new Map<string, LivePoll>()
  /** Settles when everything asked for so far is written. */
  #turn: Promise<unknown> = Promise.resolve()
  #closed = false

  /** `kept`: what was stored before a restart. */
  constructor(options: PollsOptions, kept: KeptPolls = { polls: [], votes: [] }) {
    this.#options = options
    for (const record of kept.polls) this.#polls.set(record.pollId, { record, votes: new Map() })
    for (const vote of kept.votes) this.#polls.get(vote.pollId)?.votes.set(voterId(vote.pollId, vote), vote)
  }

  /** Asks everybody. Returns the id of the poll. */
  async ask(by: Participant, asked: NewPoll): Promise<string> {
    assertMay(by, 'poll')
    const question = questionOf(asked)
    const { sessionId, store, now, newSecretId } = this.#options
    const record: PollRecord = {
      ...question,
      pollId: newSecretId(),
      askerId: by.id,
      askerName: by.name,
      createdAt: now(),
      endedAt: null,
    }
    await this.#inTurn(async () => {
      assertMay(by, 'poll')
      if (this.#polls.size >= MAX_POLLS)
        throw new Refusal('RATE_LIMITED', { message: `A session has at most ${MAX_POLLS} polls.` })
      await store.add(sessionId, record)
      this.#polls.set(record.pollId, { record, votes: new Map() })
      this.#tellOf(record.pollId)
    })
    return record.pollId
  }

  /** Ends a poll for all; what was chosen stays. */
  async end(by: Participant, pollId: string): Promise<void> {
    assertMay(by, 'poll')
    const { sessionId, store, now } = this.#options
    await this.#inTurn(async () => {
      assertMay(by, 'poll')
      const poll = this.#require(pollId)
      if (poll.record.endedAt !== null) return
      const endedAt = Math.max(poll.record.createdAt, now())
      await store.end(sessionId, pollId, endedAt)
      poll.record = { ...poll.record, endedAt }
      this.#tellOf(pollId)
    })
  }

  /** Votes, or changes the vote. Returns what was chosen. */
  async vote(by: Participant, pollId: string, chosen: readonly number[]): Promise<number[]> {
    const { sessionId, store, now, tellAll } = this.#options
    return this.#inTurn(async () => {
      // A page that records has a seat, but is nobody.
      if (!by.joined || !by.isVisible) throw new Refusal('INVALID_STATE')
      const { record, votes } = this.#require(pollId)
      const choices = choicesOf(record, chosen)
      const { id: participantId, tokenId, name } = by
      const vote: VoteRecord = { pollId, participantId, tokenId, name, choices, at: now() }
      const voter = voterId(pollId, vote)
      if (!votes.has(voter) && votes.size >= MAX_VOTERS)
        throw new Refusal('RATE_LIMITED', { message: `A poll has room for ${MAX_VOTERS} votes.` })
      await store.vote(sessionId, vote)
      votes.set(voter, vote)
      if (!this.#closed)
        tellAll({
          method: 'pollVoted',
          pollId,
          counts: countsOf(record, votes.values()),
          voters: votes.size,
          ...(!record.anonymous && { vote: voteOf(voter, vote) }),
        })
      return choices
    })
  }

  /** All polls, for somebody who joins. */
  notificationsFor(voter: Voter): Notification[] {
    return [...this.#polls.values()].map(({ record, votes }) => ({
      method: 'pollChanged',
      poll: tellableOf(record, votes, votes.get(voterId(record.pollId, voter))),
    }))
  }

  /** Tells nobody anything any more. */
  close(): void {
    this.#closed = true
  }

  #tellOf(pollId: string): void {
    const { record, votes } = this.#polls.get(pollId)!
    if (!this.#closed) this.#options.tellAll({ method: 'pollChanged', poll: tellableOf(record, votes) })
  }

  #require(pollId: string): LivePoll {
    const poll = this.#polls.get(pollId)
    if (!poll) throw new Refusal('NOT_FOUND', { message: 'There is no poll with this id.' })
    return poll
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work)
    this.#turn = done.catch(() => undefined)
    return done
  }
}

/** Tells votes apart, in a poll whose voters are named, without the ids of tokens. */
function voterId(pollId: string, { participantId, tokenId }: Voter): string {
  return createHash('sha256')
    .update(JSON.stringify([pollId, participantId, tokenId]))
    .digest('base64url')
    .slice(0, 22)
}
