/** What the page shows of polls. Pure functions, and views of them. */
import type { Meeting, NewPoll, Poll } from '../../../client/client.ts'
import { text } from '../../texts/texts.ts'
import { onEvents, viewOf, type View } from '../view.ts'

export const MAX_OPTIONS = 12

/** The question that a moderator is writing. */
export interface PollDraft {
  question: string
  options: readonly string[]
  multiple: boolean
  anonymous: boolean
}

export const emptyDraft: PollDraft = { question: '', options: ['', ''], multiple: false, anonymous: false }

/** What would be asked; undefined as long as something is missing. Answers that are left empty are left out. */
export function askedBy(draft: PollDraft): NewPoll | undefined {
  const question = draft.question.trim()
  const options = draft.options.map((option) => option.trim()).filter((option) => option !== '')
  const differ = new Set(options.map((option) => option.toLowerCase())).size === options.length
  if (question === '' || options.length < 2 || !differ) return undefined
  return { ...draft, question, options }
}

export interface Result {
  option: string
  count: number
  /** Of those who voted, 0 to 1. */
  share: number
  isOwn: boolean
  /** Empty if the poll is anonymous. */
  names: string[]
}

export function resultsOf({ options, counts, voters, own, votes }: Poll): Result[] {
  return options.map((option, at) => ({
    option,
    count: counts[at] ?? 0,
    share: voters === 0 ? 0 : (counts[at] ?? 0) / voters,
    isOwn: own?.includes(at) ?? false,
    names: votes?.filter(({ choices }) => choices.includes(at)).map(({ name }) => name) ?? [],
  }))
}

/** Results do not sway those who have not voted; whoever asks follows the vote. */
export function showsResults({ endedAt, own }: Poll, canModerate: boolean): boolean {
  return endedAt !== null || own !== undefined || canModerate
}

/** The polls that wait for our vote, oldest first. */
export function unanswered(polls: Iterable<Poll>): Poll[] {
  return [...polls].filter(({ endedAt, own }) => endedAt === null && own === undefined)
}

/** All polls, newest first. */
export function pollsView(meeting: Meeting): View<Poll[]> {
  return viewOf(
    () => [...meeting.polls.all.values()].reverse(),
    onEvents(meeting, 'stateChanged', 'pollChanged'),
  )
}

/** The polls as text, for the file of the chat. */
export function pollsAsText(polls: Iterable<Poll>): string {
  return [...polls]
    .map((poll) => {
      const { createdAt, askerName, question, endedAt, voters } = poll
      const lines = resultsOf(poll).map(
        ({ option, count, names }) =>
          `    ${count} ${option}${names.length > 0 ? ` (${names.join(', ')})` : ''}\n`,
      )
      const ended = endedAt === null ? '' : `, ${text('polls.ended')} ${new Date(endedAt).toISOString()}`
      const head = `${new Date(createdAt).toISOString()} ${askerName}: ${question}\n`
      return `${head}${lines.join('')}    (${text('polls.voters', { count: voters })}${ended})\n`
    })
    .join('')
}
