import type { Generated } from 'kysely'
import type { AuditActor, JobKind, JobState, OperatorRole, OutputKind, OutputState } from '../store.ts'

/** The tables, as Kysely sees them. There are no booleans; JSON is text; instants are integers, ms since the epoch. */
export interface Schema {
  projects: { project_id: string; name: string; webhook: string | null; created_at: number }
  api_keys: {
    api_key: string
    project_id: string
    name: string
    /** Sealed, see `seal.ts`. */
    sealed_secret: string
    created_at: number
    revoked_at: number | null
    last_used_at: number | null
    /** JSON: a list of origins. */
    origins: string | null
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
    decisions: string | null
  }
  stays: {
    session_id: string
    participant_id: string
    name: string
    joined_at: number
    left_at: number | null
    leave_reason: string | null
    device: string | null
    token_id: string | null
    api_key: string | null
    /** Null: it is not in `usage_days` yet. */
    counted_at: number | null
  }
  /** Sums of a day in UTC, `2026-01-31`. The key is empty if none is known. */
  usage_days: {
    day: string
    project_id: string
    api_key: string
    participants: number
    participant_ms: number
    received_bytes: number
    sent_bytes: number
    recording_ms: number
    broadcast_ms: number
    transcription_ms: number
    stored_bytes: number
  }
  /** `*` stands for all projects, and for all keys. */
  usage_peaks: { day: string; project_id: string; api_key: string; participants: number }
  session_counts: { project_id: string; total: number }
  intervals: {
    session_id: string
    participant_id: string
    kind: 'audio' | 'video' | 'share' | 'shareAudio' | 'mode'
    value: string
    started_at: number
    ended_at: number | null
  }
  /** `figures` is JSON: a list of numbers and nulls. */
  participant_stats: { session_id: string; participant_id: string; at: number; figures: string }
  /** `figures` is JSON: numbers by name. */
  server_samples: { at: number; figures: string }
  /** Of one of several nodes; a server that is alone uses `server_samples`. */
  node_samples: { node_id: string; at: number; figures: string }
  leases: { name: string; holder: string; leased_until: number }
  session_values: {
    session_id: string
    key: string
    value: string
    token_id: string
    participant_id: string | null
  }
  session_files: { session_id: string; file_id: string; content: Buffer }
  deliveries: {
    number: Generated<number>
    delivery_id: string
    project_id: string
    meeting_id: string
    session_id: string
    event: string
    end_point: string
    body: string
    occurred_at: number
    state: 'waiting' | 'delivered' | 'parked'
    attempts: number
    next_at: number | null
    leased_until: number | null
    last_status: number | null
    last_error: string | null
    settled_at: number | null
    /** The output or job that it reports. */
    about: string | null
  }
  delivery_tries: {
    number: Generated<number>
    delivery_id: string
    at: number
    took_ms: number
    status: number | null
    error: string | null
    answer: string | null
  }
  revoked_tokens: { project_id: string; token_id: string; revoked_at: number }
  sign_ins: {
    token_hash: string
    operator_id: string | null
    address: string | null
    browser: string | null
    created_at: number
    last_seen_at: number | null
    expires_at: number
  }
  operators: {
    operator_id: string
    name: string
    /** The name in the form in which it is unique. */
    name_key: string
    role: OperatorRole
    /** Sealed, see `seal.ts`. */
    sealed_password: string | null
    grant_id: string
    /** Sealed: the secret of one-time codes. */
    sealed_totp: string | null
    /** Null: the secret is not confirmed yet, and asked for by nobody. */
    totp_since: number | null
    /** The period of the last code that was used. */
    totp_step: number | null
    /** For the provider by which they sign in; null: they have a password here. */
    external_id: string | null
    created_at: number
  }
  operator_invites: {
    code_hash: string
    invite_id: string
    operator_id: string | null
    name: string
    role: OperatorRole
    invited_by: string | null
    created_at: number
    expires_at: number
  }
  admissions: { session_id: string; participant_id: string; token_id: string; at: number }
  standing_admissions: {
    meeting_id: string
    participant_id: string
    token_id: string
    bound: 0 | 1
    name: string
    at: number
    admitted_by: string | null
  }
  removals: {
    session_id: string
    participant_id: string
    token_id: string
    name: string | null
    at: number
    removed_by: string | null
    removed_by_name: string | null
    by_moderator: 0 | 1
    token_shared: 0 | 1
  }
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
    api_key: string | null
    token_id: string | null
    parent_id: string | null
    participant_id: string | null
  }
  /** `config` and `files` are JSON. */
  outputs: {
    output_id: string
    kind: OutputKind
    project_id: string
    meeting_id: string
    session_id: string
    participant_id: string | null
    track_kind: string | null
    config: string
    secret: string
    base_url: string
    webhook_url: string | null
    state: OutputState
    created_at: number
    started_at: number | null
    ended_at: number | null
    files: string
    stored_at: number | null
    deleted_at: number | null
    /** The node that has the files; null: there is one server. */
    node_id: string | null
    /** Sealed; null: the file is uploaded nowhere, or has been. */
    upload_address: string | null
    api_key: string | null
    /** The size of its files as `usage_days` has it; null: it is not counted yet. */
    counted_bytes: number | null
    /** The number of the piece that is made now. */
    piece: Generated<number>
  }
  /** Earlier pieces of outputs that moved. `files` is JSON; null: it is not known what the node made. */
  output_pieces: {
    output_id: string
    piece: number
    node_id: string
    files: string | null
    stored_at: number | null
  }
  /** `config`, `inputs` and `files` are JSON. */
  jobs: {
    job_id: string
    kind: JobKind
    project_id: string
    meeting_id: string
    session_id: string
    output_id: string | null
    config: string
    inputs: string
    secret: string
    base_url: string
    webhook_url: string | null
    state: JobState
    created_at: number
    started_at: number | null
    ended_at: number | null
    files: string
    problem: string | null
    node_id: string | null
    /** Sealed; null where nothing is to be uploaded. */
    upload_address: string | null
    api_key: string | null
    counted_bytes: number | null
    stored_at: number | null
    deleted_at: number | null
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
    is_private: number
    bytes: number
    token_id: string | null
    account_id: string | null
  }
  /** Who may read a private message: its recipients and its sender. */
  chat_hearers: { session_id: string; participant_id: string; number: number; bytes: number }
  /** `options` is JSON: a list of texts. */
  polls: {
    session_id: string
    poll_id: string
    question: string
    options: string
    multiple: 0 | 1
    anonymous: 0 | 1
    asker_id: string
    asker_name: string
    created_at: number
    ended_at: number | null
  }
  /** `choices` is JSON: a list of numbers. */
  poll_votes: {
    session_id: string
    poll_id: string
    participant_id: string
    token_id: string
    name: string
    choices: string
    at: number
  }
  stored_values: { name: string; value: string }
  operator_recovery_codes: { operator_id: string; code_hash: string }
  /** `facts` is JSON. */
  audit_entries: {
    number: Generated<number>
    at: number
    actor: AuditActor
    actor_id: string | null
    actor_name: string | null
    role: OperatorRole | null
    action: string
    outcome: 'done' | 'refused'
    code: string | null
    project_id: string | null
    meeting_id: string | null
    subject: string | null
    facts: string
    address: string | null
    request_id: string | null
  }
  /** Entries before this may be deleted; has a row only inside the transaction that deletes them. */
  audit_retention: { before: number }
}
