import type { Generated } from 'kysely'

/** The tables, as Kysely sees them. Booleans do not exist here; JSON is text; instants are integers, ms since the epoch. */
export interface Schema {
  projects: { project_id: string; name: string; created_at: number }
  api_keys: {
    api_key: string
    project_id: string
    name: string
    /** Sealed, see `seal.ts`. */
    sealed_secret: string
    created_at: number
    revoked_at: number | null
  }
  meetings: {
    id: string
    meeting_id: string
    project_id: string
    custom_id: string | null
    settings: string
    disabled_at: number | null
    created_at: number
    updated_at: number
  }
  sessions: {
    session_id: string
    meeting_id: string
    project_id: string
    started_at: number
    ended_at: number | null
    end_reason: string | null
  }
  stays: {
    session_id: string
    participant_id: string
    name: string
    joined_at: number
    left_at: number | null
    leave_reason: string | null
  }
  session_marks: { session_id: string; kind: 'admitted' | 'removed'; subject: string; at: number }
  invites: {
    code_hash: string
    invite_id: string
    meeting_id: string
    project_id: string
    entry: 'direct' | 'ask'
    created_at: number
    expires_at: number
    max_uses: number | null
    uses: number
    revoked_at: number | null
  }
  chat_messages: {
    number: Generated<number>
    session_id: string
    message_id: string
    client_message_id: string
    topic: string
    sender_id: string
    sender_name: string
    message: string
    payload: Buffer
    /** JSON: a list of participant ids. */
    send_only: string
    at: number
  }
  stored_values: { name: string; value: string }
}
