/** What the chat of a session, and one reader of it, may take. */

export interface ChatLimits {
  /** Of text and payload together. */
  maxChatMessageBytes: number
  /** Of one session, that somebody listens to. */
  maxChatTopics: number
  /** Topics that one participant listens to. */
  maxChatSubscriptions: number
  /** Kept of one session. */
  maxSessionChatBytes: number
}

export const MAX_RECEIVERS = 1000
export const MAX_REQUEST_ID_LENGTH = 128
/** A reader further behind than this is cut off; it comes back and asks for what it missed. */
export const MAX_BACKLOG_BYTES = 1024 * 1024
/** Answers and replays go out beyond that, so that who asks for much and reads slowly is not cut off; up to this. */
export const MAX_ANSWER_BACKLOG_BYTES = 4 * MAX_BACKLOG_BYTES
/** Replays of one socket that go on at once; each holds what was read and not sent. */
export const MAX_REPLAYS = 4
export const TOO_SLOW = 4408
/** Of a kept message, beside its text: its row, and a row for each who hears it when it is private. */
export const RECORD_BYTES = 256
export const HEARER_BYTES = 64
/** A burst that is this large does not wait for its end. */
export const FLUSH_BYTES = 64 * 1024
export const LIMIT_WINDOW_MS = 500
export const DEFAULT_QUEUE_SIZE = 70
export const MAX_QUEUE_SIZE = 200
