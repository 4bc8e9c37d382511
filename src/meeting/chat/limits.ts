/** Limits of a session's chat and of one reader. */

export interface ChatLimits {
  /** Text and payload together. */
  maxChatMessageBytes: number
  /** Topics of one session that have subscribers. */
  maxChatTopics: number
  /** Topics that one participant subscribes to. */
  maxChatSubscriptions: number
  /** Stored chat of one session. */
  maxSessionChatBytes: number
}

export const MAX_RECEIVERS = 1000
export const MAX_REQUEST_ID_LENGTH = 128
/** A reader that is further behind is disconnected; it reconnects and asks for what it missed. */
export const MAX_BACKLOG_BYTES = 1024 * 1024
/** Answers and replays may exceed that limit up to this one, so that a slow reader with large requests is not disconnected. */
export const MAX_ANSWER_BACKLOG_BYTES = 4 * MAX_BACKLOG_BYTES
/** Concurrent replays of one socket; each holds messages that were read but not sent. */
export const MAX_REPLAYS = 4
export const TOO_SLOW = 4408
/** Overhead of a stored message: its row, and one row per recipient if it is private. */
export const RECORD_BYTES = 256
export const HEARER_BYTES = 64
/** A burst of this size is sent without waiting for its end. */
export const FLUSH_BYTES = 64 * 1024
export const LIMIT_WINDOW_MS = 500
export const DEFAULT_QUEUE_SIZE = 70
export const MAX_QUEUE_SIZE = 200
