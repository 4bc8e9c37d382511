import { useId, useMemo, useState } from 'react'
import type { Poll } from '../../../client/client.ts'
import { Foreign } from '../../parts/foreign.tsx'
import { rich, text } from '../../texts/texts.ts'
import { hostingView } from '../host-model.ts'
import { useModel } from '../model.ts'
import { useView } from '../use-view.ts'
import { PollForm } from './poll-form.tsx'
import { pollsView, resultsOf, showsResults, type Result } from './polls-model.ts'

/** The polls of the session: to vote, to read the results, and for moderators to ask and to end. */
export function Polls() {
  const { meeting } = useModel()
  const polls = useView(useMemo(() => pollsView(meeting), [meeting]))
  const { canModerate } = useView(useMemo(() => hostingView(meeting), [meeting]))
  const [isAsking, setAsking] = useState(false)
  return (
    <section>
      <h2>{text('polls')}</h2>
      {canModerate && !isAsking && (
        <button className="control" onClick={() => setAsking(true)} data-testid="new-poll">
          {text('polls.new')}
        </button>
      )}
      {canModerate && isAsking && <PollForm onDone={() => setAsking(false)} />}
      {polls.length === 0 && !isAsking && <p className="quiet">{text('polls.none')}</p>}
      {polls.map((poll) => (
        <PollCard key={poll.pollId} poll={poll} canModerate={canModerate} />
      ))}
    </section>
  )
}

function PollCard({ poll, canModerate }: { poll: Poll; canModerate: boolean }) {
  const { meeting, actions } = useModel()
  const id = useId()
  const { pollId, question, options, multiple, anonymous, askerName, endedAt, voters, own } = poll
  const [chosen, setChosen] = useState<readonly number[]>()
  const [isSending, setSending] = useState(false)
  const choices = chosen ?? own ?? []
  const isChanged = choices.length > 0 && choices.join() !== own?.join()
  const results = showsResults(poll, canModerate) ? resultsOf(poll) : undefined
  const isOpen = endedAt === null
  const toggle = (at: number, on: boolean): void => {
    const others = multiple ? choices.filter((one) => one !== at) : []
    setChosen((on ? [...others, at] : others).toSorted((a, b) => a - b))
  }
  const vote = (): void => {
    setSending(true)
    actions.attempt(() =>
      meeting.polls
        .vote(pollId, choices)
        .then(() => setChosen(undefined))
        .finally(() => setSending(false)),
    )
  }
  return (
    <article className="poll" aria-labelledby={`${id}-question`} data-testid="poll">
      <h3 id={`${id}-question`}>
        <Foreign text={question} />
      </h3>
      <p className="quiet">
        {rich('polls.by', { name: <Foreign text={askerName} /> })}
        {anonymous && ` · ${text('polls.isAnonymous')}`}
        {multiple && isOpen && ` · ${text('polls.multiple')}`}
      </p>
      <ul>
        {options.map((option, at) => (
          <li key={at}>
            {isOpen ? (
              <label>
                <input
                  type={multiple ? 'checkbox' : 'radio'}
                  name={id}
                  checked={choices.includes(at)}
                  disabled={isSending}
                  onChange={({ target }) => toggle(at, target.checked)}
                />
                <Foreign text={option} />
              </label>
            ) : (
              <Foreign text={option} />
            )}
            {results && <Standing result={results[at]!} />}
          </li>
        ))}
      </ul>
      <p className="quiet" role="status">
        {text('polls.voters', { count: voters })}
        {!isOpen && ` · ${text('polls.ended')}`}
      </p>
      {isOpen && (
        <div className="row wrap">
          <button
            className="primary"
            disabled={!isChanged || isSending}
            aria-busy={isSending}
            onClick={vote}
            data-testid="vote"
          >
            {text(own ? 'polls.change' : 'polls.vote')}
          </button>
          {canModerate && (
            <button onClick={() => actions.attempt(() => meeting.polls.end(pollId))} data-testid="end-poll">
              {text('polls.end')}
            </button>
          )}
        </div>
      )}
    </article>
  )
}

/** The votes for one answer: a bar, the number and the share, and who voted so if that is no secret. */
function Standing({ result: { count, share, isOwn, names } }: { result: Result }) {
  return (
    <div className="standing">
      <div className="bar-of-votes" aria-hidden="true">
        <span style={{ width: `${share * 100}%` }} />
      </div>
      <p className="quiet" data-testid="standing">
        {text('polls.standing', { count, share })}
        {isOwn && ` · ${text('polls.yours')}`}
      </p>
      {names.length > 0 && (
        <p className="quiet names">
          {names.map((name, at) => (
            <span key={at}>
              {at > 0 && ', '}
              <Foreign text={name} />
            </span>
          ))}
        </p>
      )}
    </div>
  )
}
