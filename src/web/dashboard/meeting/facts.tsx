import type { RoomWithOwner } from '../../../protocol/rest/rooms.ts'
import { Foreign } from '../../parts/foreign.tsx'
import { Link } from '../router.tsx'
import { count, formatInstant, formatSpan } from '../format.ts'

/** The settings with which the meeting was created. */
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
        <dd>{formatInstant(room.createdAt)}</dd>
      </div>
      {autoCloseConfig && (
        <div>
          <dt>Closes after</dt>
          <dd>
            {formatSpan(autoCloseConfig.duration * 60_000)}
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
          <Link path={['sessions']} query={{ meeting: room.roomId }}>
            Its sessions
          </Link>
        </dd>
      </div>
    </dl>
  )
}
