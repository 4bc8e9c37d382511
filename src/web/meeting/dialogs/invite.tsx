import { useEffect, useState } from 'react'
import { allowKnocking, createInvite, mayBeKnockedAt } from '../../api.ts'
import { Dialog } from '../../parts/dialog.tsx'
import { useModel } from '../model.ts'

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
      (made) => current && setLink(made.link),
      (error: unknown) =>
        current && setProblem(error instanceof Error ? error.message : 'No link could be made.'),
    )
    return () => {
      current = false
    }
  }, [token, meeting, entry])
  return (
    <Dialog title="Invite people" onClose={onClose}>
      <fieldset>
        <legend>Whoever has the link</legend>
        {(
          [
            ['direct', 'joins directly'],
            ['ask', 'waits until somebody lets them in'],
          ] as const
        ).map(([value, text]) => (
          <label key={value} className="radio">
            <input
              type="radio"
              name="entry"
              checked={entry === value}
              onChange={() => setEntry(value)}
              data-testid={`invite-${value}`}
            />
            {text}
          </label>
        ))}
      </fieldset>
      <div className="row">
        <input
          readOnly
          value={link}
          aria-label="Invite link"
          data-testid="invite-link"
          onFocus={(event) => event.target.select()}
        />
        <button
          className="primary"
          disabled={link === ''}
          onClick={() => {
            void navigator.clipboard.writeText(link).then(
              () => setCopied(true),
              () => setProblem('Copy the link from the field.'),
            )
          }}
        >
          {copied ? 'Copied' : 'Copy'}
        </button>
      </div>
      <p className="quiet">{problem || 'The link works for 7 days.'}</p>
      <Knocking token={token} />
      <button onClick={onClose}>Done</button>
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
      setProblem(error instanceof Error ? error.message : 'That did not work.')
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
        People with the address of this page may ask to join
      </label>
      {problem && (
        <p className="problem" role="status">
          {problem}
        </p>
      )}
    </>
  )
}
