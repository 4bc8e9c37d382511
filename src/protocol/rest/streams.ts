/** Shapes of WHIP and WHEP (contract, outputs §6). */
import { Type } from 'typebox'

const MeetingId = Type.String({ minLength: 1, maxLength: 256, description: 'Any id of the meeting.' })
const ParticipantId = Type.String({ maxLength: 256 })

const SenderFields = {
  participantId: Type.Optional(
    Type.String({
      maxLength: 256,
      description: 'Default: that of the token, or one of the server’s choice.',
    }),
  ),
  displayName: Type.Optional(Type.String({ maxLength: 1024, description: 'Default: the participant id.' })),
}

export const SendQuery = Type.Object({
  roomId: MeetingId,
  ...SenderFields,
  useExistingPeer: Type.Optional(
    Type.String({ description: 'Accepted, but a stream is never added to a participant who is inside.' }),
  ),
})
export const OwnSendQuery = Type.Object(SenderFields)

export const ReceiveQuery = Type.Object({
  roomId: MeetingId,
  participantId: Type.Optional(ParticipantId),
  remotePeerId: Type.Optional(
    Type.String({ maxLength: 256, description: 'Whom to watch. Default: whoever sends.' }),
  ),
})

export const MeetingParams = Type.Object({ meetingId: MeetingId })
export const WatchedParams = Type.Object({ meetingId: MeetingId, participantId: ParticipantId })
export const StreamSessionParams = Type.Object({ sessionId: Type.String({ maxLength: 256 }) })
export const StreamSessionQuery = Type.Object({
  participantId: Type.Optional(
    Type.String({
      maxLength: 256,
      description: 'Names the stream, if the address has the id of the meeting’s session.',
    }),
  ),
})

export const Sdp = Type.String({ description: 'An SDP offer, or its answer.' })
export const SdpFragment = Type.String({ description: 'ICE candidates, or new ICE credentials (RFC 8840).' })
export const Nothing = Type.String({ description: 'Empty.' })
