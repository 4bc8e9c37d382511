import type { ChatFilter, KeptMessage, Newest, Stretch } from '../../store/store.ts'
import type { NewMessage } from './message.ts'

/** The stored chat of a session; none of it is in memory. */
export interface ChatLog {
  /** Resolves with the number of the message when it has reached the disk. */
  append(message: NewMessage): Promise<number>
  newest(most: Newest, to: number, filter: ChatFilter): Promise<Stretch>
  read(stretch: Stretch, filter: ChatFilter): Promise<{ messages: KeptMessage[]; rest: Stretch | undefined }>
}
