import { useEffect, useState } from 'react'
import { allowKnocking, createInvite, mayBeKnockedAt } from '../../api.ts'
import { parseAddress, withKey } from '../../address.ts'
import { failureOf } from '../../failure.ts'
import { Dialog } from '../../parts/dialog.tsx'
import { useModel } from '../model.ts'
import { text } from '../../texts/texts.ts'

/** Makes a link for others; each way of entry that is chosen gets its own. */
export function InviteDialog({ token, onClose }: { token: string; onClose: () => void }) {
  const { meeting } = useModel()
  const [entry, setEntry] = useState<'direct' | 'ask'>('direct')
  const [link, setLink] = useState('')
  const [problem, setProblem] = useState('')
  const [copied, setCopied] = useState(false)
  useEffect(() => {
    let current = true
    setLink('')
    setCopied(false)
    createInvite(token, meeting.meetingId, entry).then(
      (made) => current && setLink(withKey(made.link, parseAddress('', location.hash).key)),
      (error: unknown) => current && setProblem(failureOf(error)),
    )
    return () => {
      current = false
    }
  }, [token, meeting, entry])
  return (
    <Dialog title={text('invite.title')} onClose={onClose}>
      <fieldset>
        <legend>{text('invite.whoever')}</legend>
        {(['direct', 'ask'] as const).map((value) => (
          <label key={value} className="radio">
            <input
              type="radio"
              name="entry"
              checked={entry === value}
              onChange={() => setEntry(value)}
              data-testid={`invite-${value}`}
            />
            {text(`invite.${value}`)}
          </label>
        ))}
      </fieldset>
      <div className="row">
        <input
          readOnly
          value={link}
          aria-label={text('invite.link')}
          data-testid="invite-link"
          onFocus={(event) => event.target.select()}
        />
        <button
          className="primary"
          disabled={link === ''}
          onClick={() => {
            void navigator.clipboard.writeText(link).then(
              () => setCopied(true),
              () => setProblem(text('invite.copyIt')),
            )
          }}
        >
          {text(copied ? 'copied' : 'copy')}
        </button>
      </div>
      <p className="quiet">{problem || text('invite.days')}</p>
      <Knocking token={token} />
      <button onClick={onClose}>{text('done')}</button>
    </Dialog>
  )
}

/** Whether the address in the address bar is of use to others; a moderator changes it. */
function Knocking({ token }: { token: string }) {
  const { meeting } = useModel()
  const [allowed, setAllowed] = useState<boolean>()
  const [problem, setProblem] = useState('')
  useEffect(() => {
    let current = true
    mayBeKnockedAt(token, meeting.meetingId).then(
      ({ knock }) => current && setAllowed(knock),
      () => undefined,
    )
    return () => {
      current = false
    }
  }, [token, meeting])
  if (allowed === undefined) return null
  const change = (wanted: boolean): void => {
    setAllowed(wanted)
    setProblem('')
    allowKnocking(token, meeting.meetingId, wanted).catch((error: unknown) => {
      setAllowed(!wanted)
      setProblem(failureOf(error))
    })
  }
  return (
    <>
      <label className="radio">
        <input
          type="checkbox"
          checked={allowed}
          disabled={!meeting.self.canModerate}
          onChange={({ target }) => change(target.checked)}
          data-testid="invite-knock"
        />
        {text('invite.knock')}
      </label>
      {problem && (
        <p className="problem" role="status">
          {problem}
        </p>
      )}
    </>
  )
}
