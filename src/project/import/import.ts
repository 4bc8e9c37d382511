/**
 * Takes over the rooms and past sessions of another service. It may run again at any time: existing ones are not
 * changed, so an interrupted run continues.
 */
import type { MeetingRecord, Store } from '../../store/store.ts'
import { IdTaken, StoreConflict } from '../../store/problem.ts'
import { idOfSession, meetingOf, roomOfSession, sessionOf, type NotTaken } from './rows.ts'

/** The lists of the other service, row by row, unparsed. */
export interface ImportSource {
  rooms(): AsyncIterable<unknown>
  sessions(): AsyncIterable<unknown>
  participants(sessionId: string): AsyncIterable<unknown>
}

export interface ImportOptions {
  source: ImportSource
  store: Pick<Store, 'meetings' | 'sessions'>
  projectId: string
  /** False: reads and validates everything, but writes nothing. */
  write: boolean
  now: () => number
  /** 24 hex digits. */
  newId: () => string
  /** Called after each row. */
  onProgress?: (report: ImportReport) => void
}

export interface Tally {
  /** The number of rows that were taken over; in a dry run, of those that would be. */
  taken: number
  alreadyThere: number
  notTaken: NotTaken[]
  /** Rows that were taken over incompletely. */
  withoutParts: { id: string; leftOut: string[] }[]
}

export interface ImportReport {
  rooms: Tally
  sessions: Tally
}

const newTally = (): Tally => ({ taken: 0, alreadyThere: 0, notTaken: [], withoutParts: [] })

export async function importFrom(options: ImportOptions): Promise<ImportReport> {
  const { source, onProgress } = options
  const report: ImportReport = { rooms: newTally(), sessions: newTally() }
  /** Rooms of the source, by the id that its sessions use. */
  const rooms = new Set<string>()
  for await (const row of source.rooms()) {
    const meetingId = await takeRoom(row, report.rooms, options)
    if (meetingId !== undefined) rooms.add(meetingId)
    onProgress?.(report)
  }
  for await (const row of source.sessions()) {
    await takeSession(row, rooms, report.sessions, options)
    onProgress?.(report)
  }
  return report
}

/** Returns the id of the meeting if it exists here now, or would. */
async function takeRoom(row: unknown, tally: Tally, options: ImportOptions): Promise<string | undefined> {
  const { store, projectId, now, newId } = options
  const outcome = meetingOf(row, { projectId, now: now(), newId })
  if ('why' in outcome) {
    tally.notTaken.push(outcome)
    return undefined
  }
  const { record: meeting, leftOut } = outcome
  const { meetingId } = meeting
  const there = await store.meetings.get(meetingId)
  if (there?.projectId === projectId) {
    tally.alreadyThere++
    return meetingId
  }
  const why = there
    ? 'a meeting of another project has this id'
    : ((await clashOf(meeting, options)) ?? (await createMeeting(meeting, options)))
  if (why !== undefined) {
    tally.notTaken.push({ id: meetingId, why })
    return undefined
  }
  tally.taken++
  if (leftOut.length > 0) tally.withoutParts.push({ id: meetingId, leftOut })
  return meetingId
}

/** Returns why it could not be created. */
async function createMeeting(
  meeting: MeetingRecord,
  { store, write }: ImportOptions,
): Promise<string | undefined> {
  if (!write) return undefined
  try {
    const made = await store.meetings.create(meeting)
    return made.meetingId === meeting.meetingId ? undefined : customIdTaken(made)
  } catch (error) {
    if (error instanceof IdTaken || error instanceof StoreConflict)
      return 'one of its ids is the id of another meeting here'
    throw error
  }
}

async function clashOf(
  { projectId, customId, meetingId }: MeetingRecord,
  { store }: ImportOptions,
): Promise<string | undefined> {
  if (await store.meetings.find(projectId, meetingId))
    return 'its id is the custom id of another meeting here'
  const named = customId === null ? undefined : await store.meetings.find(projectId, customId)
  return named && customIdTaken(named)
}

function customIdTaken({ meetingId }: MeetingRecord): string {
  return `its custom id names the meeting ${meetingId} here`
}

async function takeSession(
  row: unknown,
  rooms: ReadonlySet<string>,
  tally: Tally,
  options: ImportOptions,
): Promise<void> {
  const { source, store, projectId, write } = options
  const [id, room] = [idOfSession(row), roomOfSession(row)]
  if (id !== undefined && (await store.sessions.get(id))) {
    tally.alreadyThere++
    return
  }
  if (room === undefined || !rooms.has(room)) {
    tally.notTaken.push({ id: id ?? 'a row without an id', why: 'its room was not taken' })
    return
  }
  const owner = { meetingId: room, projectId }
  // If the session itself is invalid, its participants need not be requested.
  const alone = sessionOf(row, [], owner)
  const outcome = 'why' in alone ? alone : sessionOf(row, await all(source.participants(id!)), owner)
  if ('why' in outcome) {
    tally.notTaken.push(outcome)
    return
  }
  const { record, leftOut } = outcome
  if (write && !(await store.sessions.addPast(record.session, record.stays, record.intervals))) {
    tally.alreadyThere++
    return
  }
  tally.taken++
  if (leftOut.length > 0) tally.withoutParts.push({ id: record.session.sessionId, leftOut })
}

async function all(rows: AsyncIterable<unknown>): Promise<unknown[]> {
  const list: unknown[] = []
  for await (const row of rows) list.push(row)
  return list
}
