/** One participant's data, over all sessions of a project: exported, and erased. */
import type { ErasedCounts, OutputRecord, PersonalRecord, Store } from '../store/store.ts'

/** Everything that is kept about a participant, session by session. Recordings are named, not contained. */
export async function* exportPerson(
  { people }: Pick<Store, 'people'>,
  projectId: string,
  participantId: string,
): AsyncGenerator<PersonalRecord> {
  for (const { sessionId } of await people.sessionsOf(projectId, participantId))
    yield* await people.records(projectId, participantId, sessionId)
  yield* await people.records(projectId, participantId, null)
}

export interface EraseOptions {
  store: Pick<Store, 'people' | 'outputs'>
  projectId: string
  participantId: string
  /** `all`: also recordings and transcripts of whole meetings in which the participant was. */
  recordings: 'own' | 'all'
  /** What stands for the participant from now on. */
  pseudonym: string
  now: () => number
  /** Deletes an output with its files and its text. */
  dropOutput: (output: OutputRecord) => Promise<void>
  /** Deletes a job with its files. */
  dropJob: (jobId: string) => Promise<void>
}

export interface Erased {
  sessions: number
  /** How many records of each kind were deleted, or no longer name the person. */
  erased: ErasedCounts
  /** Outputs of whole meetings in which the person can be heard or seen, and which stay. */
  recordingsLeft: string[]
  /** Events that wait for a receiver, and name the person until they are settled. */
  deliveriesWaiting: number
}

/** A session in which the participant was goes on. */
export class StillThere extends Error {
  override readonly name = 'StillThere'
}

/**
 * Erases a participant from sessions that have ended. Run it again after an interruption: what is gone is gone.
 * @throws {StillThere} and erases nothing
 */
export async function erasePerson(options: EraseOptions): Promise<Erased> {
  const { store, projectId, participantId, recordings, pseudonym, now, dropOutput, dropJob } = options
  const sessions = await store.people.sessionsOf(projectId, participantId)
  if (sessions.some(({ ongoing }) => ongoing)) throw new StillThere()
  const erased: ErasedCounts = {}
  const add = (counts: ErasedCounts): void => {
    for (const [kind, count] of Object.entries(counts))
      if (count > 0) erased[kind] = (erased[kind] ?? 0) + count
  }
  const recordingsLeft: string[] = []
  let deliveriesWaiting = 0
  for (const { sessionId } of sessions) {
    const files = await store.people.filesIn(projectId, participantId, sessionId)
    const ids = recordings === 'all' ? [...files.own, ...files.shared] : files.own
    if (recordings === 'own') recordingsLeft.push(...files.shared)
    for (const jobId of recordings === 'all' ? [...files.jobs, ...files.sharedJobs] : files.jobs) {
      await dropJob(jobId)
      add({ jobs: 1 })
    }
    for (const outputId of ids) {
      const output = await store.outputs.get(outputId)
      if (!output) continue
      await dropOutput(output)
      add({ outputs: 1 })
    }
    deliveriesWaiting += files.deliveriesWaiting
    // Last: by it the session is found again after an interruption.
    add(await store.people.eraseIn(projectId, participantId, sessionId, pseudonym))
  }
  add({ invites: await store.people.eraseInvites(projectId, participantId, now()) })
  add({ standing_admissions: await store.people.eraseStanding(projectId, participantId) })
  return { sessions: sessions.length, erased, recordingsLeft, deliveriesWaiting }
}
