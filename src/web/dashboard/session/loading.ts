/** Loads the parts of a session page. */
import type { useProject } from '../project.tsx'
import { outputKinds } from '../outputs/kinds.ts'
import type { OutputSpan } from './events.ts'
import type { Diagnosis, MediaSample, ParticipantMedia, Stretch } from '../../../protocol/rest/quality.ts'
import type { Session, SessionStats } from '../../../protocol/rest/sessions.ts'

type InProject = ReturnType<typeof useProject>['inProject']

/** With more participants than this, loads only the diagnosis of a chosen one. */
export const MOST_DIAGNOSED = 12
/** The most pages of a long session that are loaded. */
const MOST_PAGES = 10

const at = (sessionId: string): string => `/v2/sessions/${encodeURIComponent(sessionId)}`

/** Reads pages until the last one. */
async function allPages<T extends { nextFrom: string | null }>(
  ask: (query: string) => Promise<T>,
): Promise<T[]> {
  const pages = [await ask('')]
  for (let next = pages[0]!.nextFrom; next !== null && pages.length < MOST_PAGES;) {
    const page = await ask(`?from=${Date.parse(next)}`)
    pages.push(page)
    next = page.nextFrom
  }
  return pages
}

export async function readMedia(inProject: InProject, sessionId: string, of: string): Promise<MediaSample[]> {
  const path = `${at(sessionId)}/participants/${encodeURIComponent(of)}/media`
  const pages = await allPages((query) => inProject<ParticipantMedia>('GET', path + query))
  return pages.flatMap(({ samples }) => samples)
}

export async function readStats(inProject: InProject, sessionId: string): Promise<SessionStats['stats']> {
  const pages = await allPages((query) => inProject<SessionStats>('GET', `${at(sessionId)}/stats${query}`))
  return pages.flatMap(({ stats }) => stats)
}

export interface Diagnosed {
  /** Whether anything was measured. */
  isMeasured: boolean
  stretches: Stretch[]
}

/** The diagnoses of these participants, each sentence once: a fault of the server appears in all of them. */
export async function readDiagnoses(
  inProject: InProject,
  sessionId: string,
  participantIds: readonly string[],
): Promise<Diagnosed> {
  const all = await Promise.all(
    participantIds.map((id) =>
      allPages((query) =>
        inProject<Diagnosis>(
          'GET',
          `${at(sessionId)}/participants/${encodeURIComponent(id)}/diagnosis${query}`,
        ),
      ),
    ),
  )
  const pages = all.flat()
  const stretches = new Map(
    pages.flatMap((page) => page.stretches).map((one) => [`${one.from} ${one.sentence}`, one]),
  )
  return {
    isMeasured: pages.some(({ measurements }) => measurements > 0),
    stretches: [...stretches.values()].toSorted((one, other) => (one.from < other.from ? -1 : 1)),
  }
}

/** The outputs of the session, of each kind. */
export async function readOutputs(
  inProject: InProject,
  { sessionId, roomId }: Session,
): Promise<OutputSpan[]> {
  const lists = await Promise.all(
    outputKinds.map(async ({ path, field, one, toRow }) => {
      const query = `?roomId=${encodeURIComponent(roomId)}&sessionId=${encodeURIComponent(sessionId)}&perPage=100`
      const answer = await inProject<Record<string, never[]>>('GET', path + query)
      return (answer[field] ?? []).map((output) => ({ one, ...toRow(output) }))
    }),
  )
  return lists.flat().map(({ one, start, end }) => ({ one, start, end }))
}
