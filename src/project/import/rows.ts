/**
 * Turns a room, a session and its participants of another service into ours. Pure: takes a row as it was answered, and
 * reports what cannot be taken over. Shapes: docs/contract/rest-and-tokens.md, sections 3.1 and 3.3.
 */
import { Type, type Static, type TSchema } from 'typebox'
import { Value } from 'typebox/value'
import type {
  IntervalRecord,
  MeetingRecord,
  MeetingSettings,
  SessionRecord,
  StayRecord,
} from '../../store/store.ts'
import { cleanName, isReadable, meetingIdPattern, problemOfRoomId } from '../../protocol/ids.ts'
import { parseMode } from '../../protocol/modes.ts'
import { CreateMeetingBody } from '../../protocol/rest/rooms.ts'

const MEETING_ID = new RegExp(meetingIdPattern)
const RECORD_ID = /^[0-9a-f]{24}$/

const SourceRoom = Type.Object({
  id: Type.Optional(Type.Unknown()),
  roomId: Type.Optional(Type.String()),
  meetingId: Type.Optional(Type.String()),
  customRoomId: Type.Optional(Type.Unknown()),
  userMeetingId: Type.Optional(Type.Unknown()),
  disabled: Type.Optional(Type.Unknown()),
  createdAt: Type.Optional(Type.Unknown()),
  updatedAt: Type.Optional(Type.Unknown()),
})

const Span = Type.Object({
  start: Type.String(),
  end: Type.Optional(Type.Union([Type.String(), Type.Null()])),
})
type Span = Static<typeof Span>

const SourceSession = Type.Object({
  id: Type.String(),
  roomId: Type.Optional(Type.String()),
  meetingId: Type.Optional(Type.String()),
  start: Type.String(),
  end: Type.Optional(Type.Union([Type.String(), Type.Null()])),
  endReason: Type.Optional(Type.Unknown()),
})

const SourceParticipant = Type.Object({
  participantId: Type.String(),
  name: Type.Optional(Type.Unknown()),
  timelog: Type.Array(Type.Unknown()),
})

export interface Taken<Record> {
  record: Record
  /** Parts that could not be taken over, each with the reason, e.g. `customRoomId (must not be ".")`. */
  leftOut: string[]
}

/** A row that cannot be taken over at all. */
export interface NotTaken {
  /** The id at the source. */
  id: string
  why: string
}

export type Outcome<Record> = Taken<Record> | NotTaken

/**
 * The meeting keeps its id and its custom id, so that links work; `newId` gives the REST id if the row has no usable
 * one.
 */
export function meetingOf(
  row: unknown,
  { projectId, now, newId }: { projectId: string; now: number; newId: () => string },
): Outcome<MeetingRecord> {
  if (!Value.Check(SourceRoom, row)) return { id: nameOf(row), why: 'it is not a room' }
  const meetingId = row.roomId ?? row.meetingId
  if (meetingId === undefined || !MEETING_ID.test(meetingId))
    return { id: meetingId ?? nameOf(row), why: 'its id is not three dash-separated groups of four' }
  const leftOut: string[] = []
  const createdAt = instantOf(row.createdAt) ?? now
  const updatedAt = Math.max(instantOf(row.updatedAt) ?? createdAt, createdAt)
  return {
    record: {
      id: typeof row.id === 'string' && RECORD_ID.test(row.id) ? row.id : newId(),
      meetingId,
      projectId,
      customId: customIdOf(row.customRoomId ?? row.userMeetingId, meetingId, leftOut),
      settings: settingsOf(row, leftOut),
      disabledAt: row.disabled === true ? updatedAt : null,
      createdAt,
      updatedAt,
    },
    leftOut,
  }
}

export interface SessionWhole {
  session: SessionRecord & { endedAt: number }
  stays: StayRecord[]
  intervals: IntervalRecord[]
}

/** Returns the room id of a session; undefined if the row is not a session. */
export function roomOfSession(row: unknown): string | undefined {
  return Value.Check(SourceSession, row) ? (row.roomId ?? row.meetingId) : undefined
}

export function idOfSession(row: unknown): string | undefined {
  return Value.Check(SourceSession, row) ? row.id : undefined
}

/** Returns an ended session with its participants, as `/v2/sessions/:id/participants` lists them. */
export function sessionOf(
  row: unknown,
  participants: readonly unknown[],
  { meetingId, projectId }: { meetingId: string; projectId: string },
): Outcome<SessionWhole> {
  if (!Value.Check(SourceSession, row)) return { id: nameOf(row), why: 'it is not a session' }
  const { id: sessionId } = row
  if (!RECORD_ID.test(sessionId)) return { id: sessionId, why: 'its id is not 24 hex digits' }
  const [startedAt, endedAt] = [instantOf(row.start), instantOf(row.end)]
  if (startedAt === undefined) return { id: sessionId, why: 'its start is not an instant' }
  if (endedAt === undefined) return { id: sessionId, why: 'it has not ended yet' }
  if (endedAt < startedAt) return { id: sessionId, why: 'it ended before it started' }
  const leftOut: string[] = []
  const endReason = typeof row.endReason === 'string' ? row.endReason.slice(0, 64) : null
  const whole: SessionWhole = {
    session: { sessionId, meetingId, projectId, startedAt, endedAt, endReason },
    stays: [],
    intervals: [],
  }
  for (const one of participants) {
    if (!Value.Check(SourceParticipant, one) || !isReadable(one.participantId)) {
      leftOut.push(`${nameOf(one)} (not a participant)`)
      continue
    }
    const { participantId } = one
    const name = (typeof one.name === 'string' && cleanName(one.name)) || participantId
    const device = field(one, 'deviceInfo')
    for (const span of spansOf(one.timelog, endedAt)) {
      whole.stays.push({
        sessionId,
        participantId,
        name,
        joinedAt: span.from,
        leftAt: span.to,
        leaveReason: textOf(field(span.row, 'leaveReason')) ?? null,
        device: typeof device === 'object' && device !== null ? (device as Record<string, unknown>) : null,
        tokenId: null,
        apiKey: null,
      })
    }
    whole.intervals.push(...intervalsOf(one, { sessionId, participantId, endedAt }))
  }
  return { record: whole, leftOut }
}

const streams = [
  ['mic', 'audio'],
  ['webcam', 'video'],
  ['screenShare', 'share'],
  ['screenShareAudio', 'shareAudio'],
] as const

function intervalsOf(
  participant: object,
  { sessionId, participantId, endedAt }: { sessionId: string; participantId: string; endedAt: number },
): IntervalRecord[] {
  const interval = (kind: IntervalRecord['kind'], value: string, { from, to }: Bounds): IntervalRecord => ({
    sessionId,
    participantId,
    kind,
    value,
    startedAt: from,
    endedAt: to,
  })
  const events = field(participant, 'events')
  const ofStreams = streams.flatMap(([name, kind]) =>
    spansOf(field(events, name), endedAt).map((bounds) => interval(kind, '', bounds)),
  )
  const history = field(participant, 'changeModeHistory')
  const ofModes = (Array.isArray(history) ? (history as unknown[]) : []).flatMap((entry) => {
    const mode = parseMode(field(entry, 'mode'))
    return mode !== undefined
      ? spansOf(field(entry, 'timelog'), endedAt).map((bounds) => interval('mode', mode, bounds))
      : []
  })
  return [...ofStreams, ...ofModes]
}

interface Bounds {
  from: number
  to: number
}

/** Valid spans, in order; one that was never closed ends with the session. */
function spansOf(rows: unknown, endedAt: number): (Bounds & { row: Span })[] {
  if (!Array.isArray(rows)) return []
  return (rows as unknown[])
    .filter((row): row is Span => Value.Check(Span, row))
    .flatMap((row) => {
      const [from, to] = [instantOf(row.start), instantOf(row.end) ?? endedAt]
      return from === undefined ? [] : [{ from, to: Math.max(from, to), row }]
    })
    .sort((a, b) => a.from - b.from)
}

function customIdOf(given: unknown, meetingId: string, leftOut: string[]): string | null {
  // Some services repeat the meeting id if there is no custom one.
  if (given === undefined || given === null || given === '' || given === meetingId) return null
  const problem = typeof given === 'string' ? problemOfRoomId(given) : 'must be text'
  if (problem === undefined) return given as string
  leftOut.push(`customRoomId (${problem})`)
  return null
}

const settingNames = [
  'webhook',
  'autoCloseConfig',
  'autoStartConfig',
  'multiComposition',
  'geoFence',
  'allowedParticipantIds',
] as const satisfies readonly (keyof MeetingSettings)[]

function settingsOf(row: object, leftOut: string[]): MeetingSettings {
  const settings: MeetingSettings = {}
  for (const name of settingNames) {
    const value = field(row, name)
    if (value === undefined || value === null) continue
    const schema = CreateMeetingBody.properties[name] as TSchema
    const whole = name !== 'autoCloseConfig' || hasAll(value, ['type', 'duration'])
    if (whole && Value.Check(schema, value)) Object.assign(settings, { [name]: value })
    else leftOut.push(`${name} (is not of the shape that this server takes)`)
  }
  return settings
}

function hasAll(value: unknown, names: readonly string[]): boolean {
  return names.every((name) => field(value, name) !== undefined)
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

function instantOf(value: unknown): number | undefined {
  const at = typeof value === 'string' ? Date.parse(value) : NaN
  return Number.isSafeInteger(at) && at >= 0 ? at : undefined
}

function nameOf(row: unknown): string {
  const id = ['roomId', 'id', 'participantId'].map((name) => textOf(field(row, name))).find((text) => text)
  return id?.slice(0, 64) ?? 'a row without an id'
}
