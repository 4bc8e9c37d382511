/** What sessions, outputs and jobs that have ended add to the usage of each day. Pure. */
import type { UncountedOutput, UncountedStay, UsageAddition, UsagePeak, UsageSums } from '../store/store.ts'
import { dayOf, nextDayAt } from '../protocol/days.ts'

/** The parts of a span that lie in each day. */
export function partsByDay(from: number, to: number): { day: string; ms: number }[] {
  const parts: { day: string; ms: number }[] = []
  for (let at = from; at < to;) {
    const end = Math.min(to, nextDayAt(at))
    parts.push({ day: dayOf(at), ms: end - at })
    at = end
  }
  return parts
}

/** A participant counts on the day of joining; the time is of the days in which it was spent. */
export function additionsOfStay({
  projectId,
  apiKey,
  joinedAt,
  leftAt,
  isReturn,
}: UncountedStay): UsageAddition[] {
  const who = { projectId, apiKey }
  const times = partsByDay(joinedAt, leftAt ?? joinedAt).map(({ day, ms }) => ({
    ...who,
    day,
    participantMs: ms,
  }))
  return isReturn ? times : [{ ...who, day: dayOf(joinedAt), participants: 1 }, ...times]
}

const timeOf: Record<NonNullable<UncountedOutput['kind']>, keyof UsageSums> = {
  recording: 'recordingMs',
  participant: 'recordingMs',
  track: 'recordingMs',
  composite: 'recordingMs',
  hls: 'broadcastMs',
  livestream: 'broadcastMs',
  transcription: 'transcriptionMs',
}

/** The files of an output or a job count from the day of its end until they are deleted. */
export function additionsOfOutput(output: UncountedOutput): UsageAddition[] {
  const { kind, projectId, apiKey, startedAt, endedAt, bytes } = output
  const who = { projectId, apiKey }
  const times =
    kind === null || startedAt === null
      ? []
      : partsByDay(startedAt, endedAt).map(({ day, ms }) => ({ ...who, day, [timeOf[kind]]: ms }))
  return bytes === 0 ? times : [...times, { ...who, day: dayOf(endedAt), storedBytes: bytes }]
}

/**
 * The most participants who were inside at once, on each day of a window: in all projects, in each project, and with each key.
 * @param stays at least all who were inside at some time in the window
 */
export function peaksOf(
  stays: readonly Pick<UncountedStay, 'projectId' | 'apiKey' | 'joinedAt' | 'leftAt'>[],
  from: number,
  to: number,
): UsagePeak[] {
  const present = new Map<string, { scope: Omit<UsagePeak, 'day' | 'participants'>; count: number }>()
  const peaks = new Map<string, UsagePeak>()
  let day = ''
  const note = (name: string): void => {
    const { scope, count } = present.get(name)!
    const key = `${day} ${name}`
    if (count > (peaks.get(key)?.participants ?? 0)) peaks.set(key, { day, ...scope, participants: count })
  }
  const beginDay = (next: string): void => {
    day = next
    // Who is inside at midnight is inside on the new day.
    for (const name of present.keys()) note(name)
  }
  const steps = stays
    .flatMap((stay) => {
      const joinedAt = Math.max(from, stay.joinedAt)
      const leftAt = Math.min(to, stay.leftAt ?? to)
      if (leftAt < joinedAt) return []
      return [
        { at: joinedAt, change: 1, stay },
        // Who left at once was inside.
        { at: leftAt > joinedAt ? leftAt : leftAt + 0.5, change: -1, stay },
      ]
    })
    // Who leaves at an instant was not inside with one who joins at it.
    .sort((a, b) => a.at - b.at || a.change - b.change)
  for (const { at, change, stay } of steps) {
    const dayOfStep = dayOf(change > 0 ? at : at - 1)
    while (day < dayOfStep) beginDay(day === '' ? dayOfStep : dayOf(nextDayAt(Date.parse(day))))
    for (const scope of [
      { projectId: null, apiKey: null },
      { projectId: stay.projectId, apiKey: null },
      { projectId: stay.projectId, apiKey: stay.apiKey ?? '' },
    ]) {
      const name = JSON.stringify([scope.projectId, scope.apiKey])
      const there = present.get(name) ?? { scope, count: 0 }
      there.count += change
      present.set(name, there)
      note(name)
    }
  }
  return [...peaks.values()]
}
