import { useEffect, useState } from 'react'
import { askAgain, letInAlways, type LetInAlways as Everybody } from '../../api.ts'
import { Foreign } from '../../parts/foreign.tsx'
import { text } from '../../texts/texts.ts'
import { useModel } from '../model.ts'

/** Who is let in without asking, for as long as a moderator does not lift it. */
export function LetInAlways({ token }: { token: string }) {
  const { meeting, actions } = useModel()
  const [people, setPeople] = useState<Everybody['data']>([])
  useEffect(() => {
    let isShown = true
    letInAlways(token, meeting.meetingId).then(
      ({ data }) => isShown && setPeople(data),
      (error: unknown) => console.error(error),
    )
    return () => {
      isShown = false
    }
  }, [token, meeting])
  const lift = async (id: string): Promise<void> => {
    await askAgain(token, meeting.meetingId, id)
    setPeople((now) => now.filter(({ participantId }) => participantId !== id))
  }
  // The same person may be here with several tokens.
  const each = [...new Map(people.map((one) => [one.participantId, one.name]))]
  if (each.length === 0) return null
  return (
    <fieldset data-testid="let-in-always">
      <legend>{text('host.always')}</legend>
      {each.map(([id, name]) => (
        <div key={id} className="row wrap" role="group" aria-label={name}>
          <Foreign text={name} />
          <button onClick={() => actions.attempt(() => lift(id))} data-testid="ask-again">
            {text('host.askAgain')}
          </button>
        </div>
      ))}
    </fieldset>
  )
}
