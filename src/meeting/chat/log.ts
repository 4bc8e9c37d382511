import type { ChatFilter, KeptMessage, Newest, Stretch } from '../../store/store.ts'
import type { NewMessage } from './message.ts'

/** What a session keeps; memory holds none of it. */
export interface ChatLog {
  /** Resolves with its number when the message has reached the disk. */
  append(message: NewMessage): Promise<number>
  newest(most: Newest, to: number, filter: ChatFilter): Promise<Stretch>
  read(stretch: Stretch, filter: ChatFilter): Promise<{ messages: KeptMessage[]; rest: Stretch | undefined }>
}
