import { useState, type SyntheticEvent } from 'react'
import { text } from '../../texts/texts.ts'
import { useModel } from '../model.ts'
import { askedBy, emptyDraft, MAX_OPTIONS } from './polls-model.ts'

/** Lengths as the server limits them, in `protocol/polls.ts`. */
const MAX_QUESTION_LENGTH = 300
const MAX_OPTION_LENGTH = 120

/** A moderator writes a question and its answers. */
export function PollForm({ onDone }: { onDone: () => void }) {
  const { meeting, actions } = useModel()
  const [draft, setDraft] = useState(emptyDraft)
  const [isSending, setSending] = useState(false)
  const asked = askedBy(draft)
  const { question, options } = draft
  const change = (changed: Partial<typeof draft>): void => setDraft((now) => ({ ...now, ...changed }))
  const submit = (event: SyntheticEvent): void => {
    event.preventDefault()
    if (!asked || isSending) return
    setSending(true)
    actions.attempt(() =>
      meeting.polls
        .ask(asked)
        .then(onDone)
        .finally(() => setSending(false)),
    )
  }
  return (
    <form className="poll" onSubmit={submit} data-testid="poll-form">
      <label>
        {text('polls.question')}
        <input
          value={question}
          maxLength={MAX_QUESTION_LENGTH}
          dir="auto"
          autoFocus
          onChange={({ target: { value } }) => change({ question: value })}
          data-testid="poll-question"
        />
      </label>
      {options.map((option, at) => (
        <label key={at}>
          {text('polls.option', { number: at + 1 })}
          <input
            value={option}
            maxLength={MAX_OPTION_LENGTH}
            dir="auto"
            onChange={({ target: { value } }) =>
              change({ options: options.map((one, other) => (other === at ? value : one)) })
            }
            data-testid="poll-option"
          />
        </label>
      ))}
      {options.length < MAX_OPTIONS && (
        <button type="button" onClick={() => change({ options: [...options, ''] })} data-testid="add-option">
          {text('polls.addOption')}
        </button>
      )}
      <label className="radio">
        <input
          type="checkbox"
          checked={draft.multiple}
          onChange={({ target: { checked } }) => change({ multiple: checked })}
          data-testid="poll-multiple"
        />
        {text('polls.multiple')}
      </label>
      <label className="radio">
        <input
          type="checkbox"
          checked={draft.anonymous}
          onChange={({ target: { checked } }) => change({ anonymous: checked })}
          data-testid="poll-anonymous"
        />
        {text('polls.anonymous')}
      </label>
      <div className="row wrap">
        <button
          className="primary"
          disabled={!asked || isSending}
          aria-busy={isSending}
          data-testid="ask-poll"
        >
          {text('polls.ask')}
        </button>
        <button type="button" onClick={onDone}>
          {text('cancel')}
        </button>
      </div>
    </form>
  )
}
