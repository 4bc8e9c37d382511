import { isolated } from '../../isolate.ts'
import { Confirm } from '../parts/confirm.tsx'
import { useNotice } from '../parts/notices.tsx'
import { useProject } from '../project.tsx'
import { shownName, type Who } from './who.ts'

export type Asking = { what: 'end' } | { what: 'deactivate' } | { what: 'remove'; who: Who }

/** Asks for confirmation of actions that cannot be undone. */
export function Confirms({
  asking,
  roomId,
  onChanged,
  onDeactivated,
  onClose,
}: {
  asking: Asking
  roomId: string
  onChanged: () => void
  onDeactivated: () => void
  onClose: () => void
}) {
  const { inProject } = useProject()
  const say = useNotice()
  switch (asking.what) {
    case 'end':
      return (
        <Confirm
          title="End the session for everybody?"
          action="End session"
          danger
          onConfirm={async () => {
            await inProject('POST', '/v2/sessions/end', { roomId, ignoreClosed: true })
            say('The session has ended.')
            onChanged()
          }}
          onClose={onClose}
        >
          <p>Everybody leaves. The meeting itself stays, and people can meet in it again.</p>
        </Confirm>
      )
    case 'deactivate':
      return (
        <Confirm
          title="Deactivate this meeting for good?"
          action="Deactivate"
          danger
          onConfirm={async () => {
            await inProject('POST', '/v2/rooms/deactivate', { roomId })
            say('The meeting is deactivated.')
            onDeactivated()
          }}
          onClose={onClose}
        >
          <p>A session that goes on is ended, and nobody can join again. This cannot be taken back.</p>
        </Confirm>
      )
    case 'remove': {
      const name = isolated(shownName(asking.who))
      return (
        <Confirm
          title={`Remove ${name}?`}
          action="Remove"
          danger
          onConfirm={async () => {
            const { participantId } = asking.who
            await inProject('POST', '/v2/sessions/participants/remove', { roomId, participantId })
            say(`${name} is removed.`)
            onChanged()
          }}
          onClose={onClose}
        >
          <p>They cannot come back to this session until you lift it.</p>
        </Confirm>
      )
    }
  }
}
