/** What breakout rooms need beside the meeting that they belong to, wherever their homes are. Types only. */
import type { BreakoutSwitch } from '../../protocol/breakouts.ts'
import type { MeetingRecord } from '../../store/store.ts'
import type { ChatSender } from '../chat/chat.ts'
import type { Grant } from '../../token/token.ts'
import type { Person } from './plan.ts'

/** What a room is told by the meeting that it belongs to. */
export type RoomEvent =
  | {
      type: 'switch'
      /** Who is to switch, as in the parent meeting; absent: everybody. */
      who?: Person
      roomId: string
      /** Null: the one that the participant came to the parent meeting with. */
      token: string | null
      payload: BreakoutSwitch
    }
  /** Who must leave, as in the parent meeting. */
  | { type: 'remove'; out: readonly Person[] }
  | { type: 'announce'; from: Pick<ChatSender, 'id' | 'name' | 'holder'>; text: string }

export interface BreakoutRooms {
  /** Makes a meeting that is a room of this session. Returns its id. */
  create(parent: MeetingRecord, sessionId: string, name: string): Promise<string>
  /**
   * Makes a token with which the holder of `grant` enters a room.
   * @throws {Refusal} if the key of the grant mints no more
   */
  mint(
    grant: Pick<Grant, 'apiKey' | 'entry' | 'tokenId'>,
    room: { roomId: string; participantId: string },
  ): string
  /** Who is in a room, or about to be. */
  people(roomId: string): Promise<{ id: string; name: string }[]>
  /** Reaches nobody if nobody is in the room. */
  tell(roomId: string, event: RoomEvent): Promise<void>
  /** Ends rooms for ever. */
  close(projectId: string, roomIds: readonly string[]): Promise<void>
}
