/** The polls of the session: everybody votes; asking and ending needs `allow_mod`. */
import type { NewPoll, Poll as PollOnWire, Vote } from '../protocol/polls.ts'

export type { NewPoll, Vote }

export interface Poll extends PollOnWire {
  /** What we chose; undefined until we vote. */
  own?: number[]
}

type Request = (method: string, data?: object) => Promise<unknown>

export class Polls {
  readonly #request: Request
  readonly #onChange: (poll: Poll) => void
  readonly #all = new Map<string, Poll>()

  constructor(request: Request, onChange: (poll: Poll) => void) {
    this.#request = request
    this.#onChange = onChange
  }

  /** By id, oldest first. A poll that changes becomes a new object. */
  get all(): ReadonlyMap<string, Poll> {
    return this.#all
  }

  /** Asks everybody. Returns the id of the poll. @throws {MeetingError} */
  async ask(poll: NewPoll): Promise<string> {
    const { pollId } = (await this.#request('createPoll', poll)) as { pollId: string }
    return pollId
  }

  /** Votes, or changes the vote. `choices` are indexes into the options. @throws {MeetingError} */
  async vote(pollId: string, choices: readonly number[]): Promise<void> {
    const { choices: own } = (await this.#request('votePoll', { pollId, choices })) as { choices: number[] }
    const poll = this.#all.get(pollId)
    if (poll) this.#set({ ...poll, own })
  }

  /** Ends a poll for all; its results stay. @throws {MeetingError} */
  async end(pollId: string): Promise<void> {
    await this.#request('endPoll', { pollId })
  }

  /** The server tells a poll: a new one, one that has ended, or, as we join, each. */
  heard(poll: PollOnWire): void {
    const own = poll.own ?? this.#all.get(poll.pollId)?.own
    this.#set({ ...poll, ...(own && { own }) })
  }

  heardVote({
    pollId,
    counts,
    voters,
    vote,
  }: Pick<Poll, 'pollId' | 'counts' | 'voters'> & { vote?: Vote }): void {
    const poll = this.#all.get(pollId)
    if (!poll) return
    const others = poll.votes?.filter(({ voterId }) => voterId !== vote?.voterId)
    this.#set({ ...poll, counts, voters, ...(others && { votes: vote ? [...others, vote] : others }) })
  }

  /** After each join, the server tells all polls again. */
  reset(): void {
    this.#all.clear()
  }

  #set(poll: Poll): void {
    this.#all.set(poll.pollId, poll)
    this.#onChange(poll)
  }
}
