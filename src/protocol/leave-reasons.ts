/** Reasons for leaving, numbered as the published clients expect (contract, rest-and-tokens §5.5). */
export const leaveReasons = {
  WEBSOCKET_DISCONNECTED: 1001,
  REMOVE_PEER: 1002,
  REMOVE_PEER_MEDIA_RELAY_STOP: 1004,
  SWITCH_ROOM: 1005,
  ROOM_CLOSE: 1006,
  UNKNOWN: 1007,
  REMOVE_ALL: 1008,
  MEETING_END_API: 1009,
  REMOVE_PEER_API: 1010,
  DUPLICATE_PARTICIPANT: 1011,
  MANUAL_LEAVE_CALLED: 1101,
} as const

export type LeaveReasonName = keyof typeof leaveReasons

/** On the wire: in `close.reason` and `peerClosed.reason`. */
export interface LeaveReason {
  code: number
  message: string
}

export function leaveReason(name: LeaveReasonName): LeaveReason {
  return { code: leaveReasons[name], message: name }
}
