import type { RoomWithOwner } from '../../../protocol/rest/rooms.ts'
import { Foreign } from '../../parts/foreign.tsx'
import { To } from '../router.tsx'
import { count, sayInstant, saySpan } from '../say.ts'

/** What was settled about the meeting when it was made. */
export function Facts({ room }: { room: RoomWithOwner }) {
  const { autoCloseConfig, webhook, allowedParticipantIds } = room
  return (
    <dl className="facts box">
      <div>
        <dt>Meeting id</dt>
        <dd className="code">{room.roomId}</dd>
      </div>
      {room.customRoomId !== undefined && (
        <div>
          <dt>Custom id</dt>
          <dd className="code">
            <Foreign text={room.customRoomId} />
          </dd>
        </div>
      )}
      <div>
        <dt>Created</dt>
        <dd>{sayInstant(room.createdAt)}</dd>
      </div>
      {autoCloseConfig && (
        <div>
          <dt>Closes after</dt>
          <dd>
            {saySpan(autoCloseConfig.duration * 60_000)}
            {autoCloseConfig.type === 'session-end-and-deactivate' && ', for good'}
          </dd>
        </div>
      )}
      {allowedParticipantIds && (
        <div>
          <dt>Only for</dt>
          <dd>{count(allowedParticipantIds.length, 'participant id')}</dd>
        </div>
      )}
      {webhook && (
        <div>
          <dt>Webhook</dt>
          <dd className="code">
            <Foreign text={webhook.endPoint} />
          </dd>
        </div>
      )}
      <div>
        <dt>Held before</dt>
        <dd>
          <To path={['sessions']} query={{ meeting: room.roomId }}>
            Its sessions
          </To>
        </dd>
      </div>
    </dl>
  )
}
