import { memo, useMemo, useState } from 'react'
import { Foreign } from '../../parts/foreign.tsx'
import { rich, text } from '../../texts/texts.ts'
import { useModel } from '../model.ts'
import { useView } from '../use-view.ts'
import { pollsView, unanswered } from './polls-model.ts'

/** Shows the newest question that waits for our vote, until we answer it or put it off. */
export const PollToast = memo(function PollToast({ onAnswer }: { onAnswer: () => void }) {
  const { meeting } = useModel()
  const polls = useView(useMemo(() => pollsView(meeting), [meeting]))
  const [putOff, setPutOff] = useState<ReadonlySet<string>>(new Set())
  const poll = unanswered(polls).find(({ pollId }) => !putOff.has(pollId))
  if (!poll) return null
  const later = (): void => setPutOff((now) => new Set([...now, poll.pollId]))
  return (
    <section className="toast" role="status" data-testid="poll-toast">
      <p className="quiet">{rich('polls.asks', { name: <Foreign text={poll.askerName} /> })}</p>
      <p className="said">
        <strong>
          <Foreign text={poll.question} />
        </strong>
      </p>
      <div className="row">
        <button onClick={later}>{text('polls.later')}</button>
        <button
          className="primary"
          onClick={() => {
            later()
            onAnswer()
          }}
          data-testid="answer-poll"
        >
          {text('polls.answer')}
        </button>
      </div>
    </section>
  )
})
