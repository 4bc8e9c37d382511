/** `anteroom meeting …` */
import { randomBytes } from 'node:crypto'
import type { MeetingRecord } from '../store/store.ts'
import type { ServerCore } from '../server/core.ts'
import { Refusal } from '../protocol/errors.ts'
import { problemOfRoomId } from '../protocol/ids.ts'
import { newMeetingId } from '../project/catalogue.ts'
import { mintToken } from '../token/token.ts'
import { CommandError, exitCodes, table, type Command } from './arguments.ts'
import { askServer } from './ask-server.ts'
import { withCore } from './core.ts'

const PER_PAGE = 50

const instant = (at: number | null): string => (at === null ? '' : new Date(at).toISOString())

function shown(
  meeting: Pick<MeetingRecord, 'meetingId' | 'customId' | 'disabledAt' | 'createdAt' | 'settings'>,
) {
  const { meetingId, customId, disabledAt, createdAt, settings } = meeting
  return { meetingId, customId, disabled: disabledAt !== null, createdAt: instant(createdAt), ...settings }
}

async function projectOf(core: ServerCore): Promise<string> {
  const key = core.keyRing.defaultKey()
  if (key) return Promise.resolve(key.projectId)
  throw new CommandError(
    'There is no active API key; create one with: anteroom keys create',
    exitCodes.refused,
  )
}

async function find(core: ServerCore, anyId: string): Promise<MeetingRecord> {
  for (const { projectId } of await core.store.projects.list()) {
    const meeting = await core.store.meetings.find(projectId, anyId)
    if (meeting) return meeting
  }
  throw new CommandError(`There is no meeting ${anyId}.`, exitCodes.refused)
}

export const meetingCommands: readonly Command[] = [
  {
    name: 'meeting create',
    summary: 'creates a meeting, or shows the one with this custom id',
    options: { 'custom-id': { value: 'id', help: 'an id of your own' } },
    run: ({ env, values, show }) =>
      withCore(env, async (core) => {
        const { catalogue } = core
        const projectId = await projectOf(core)
        const customId = typeof values['custom-id'] === 'string' ? values['custom-id'] : undefined
        if (customId !== undefined) {
          const there = await catalogue.find(projectId, customId)
          if (there?.customId === customId) return { json: shown(there), text: there.meetingId }
          const problem = there ? 'must not be the id of another meeting' : problemOfRoomId(customId)
          if (problem !== undefined)
            throw new CommandError(`--custom-id: A custom id ${problem}.`, exitCodes.usage)
        }
        const meetingId = newMeetingId(randomBytes)
        const draft = {
          meetingId,
          customId: customId ?? null,
          disabledAt: null,
          createdAt: Date.now(),
          settings: {},
        }
        const result = await show({ json: shown(draft), text: meetingId })
        const made = await catalogue
          .create(projectId, { meetingId, ...(customId !== undefined && { customId }) })
          .catch((cause: unknown) => {
            if (cause instanceof Refusal)
              throw new CommandError(`${meetingId} was not created: ${cause.message}`, exitCodes.refused)
            throw cause
          })
        if (made.meetingId !== meetingId)
          throw new CommandError(
            `${meetingId} was not made: another command just made ${made.meetingId} with this custom id.`,
          )
        return result
      }),
  },
  {
    name: 'meeting list',
    summary: 'lists the meetings, newest first',
    options: { page: { value: 'n', help: `page of ${PER_PAGE}; default 1` } },
    run: ({ env, values }) =>
      withCore(env, async (core) => {
        const page = Number(values.page ?? 1)
        if (!Number.isInteger(page) || page < 1)
          throw new CommandError('--page must be a whole number of at least 1.', exitCodes.usage)
        const { items, total } = await core.store.meetings.list(await projectOf(core), {
          page,
          perPage: PER_PAGE,
        })
        return {
          json: { total, meetings: items.map(shown) },
          text: table(
            ['MEETING', 'CUSTOM ID', 'CREATED', 'DISABLED'],
            items.map((meeting) => [
              meeting.meetingId,
              meeting.customId ?? '',
              instant(meeting.createdAt),
              instant(meeting.disabledAt),
            ]),
          ),
        }
      }),
  },
  {
    name: 'meeting show',
    positionals: ['meetingId'],
    summary: 'shows a meeting and its ongoing session',
    run: ({ env, positionals: [anyId = ''] }) =>
      withCore(env, async (core) => {
        const meeting = await find(core, anyId)
        const session = await core.store.sessions.ongoing(meeting.meetingId)
        const present = session
          ? (await core.store.sessions.stays(session.sessionId)).filter((stay) => stay.leftAt === null)
          : []
        const json = {
          ...shown(meeting),
          session: session && {
            sessionId: session.sessionId,
            startedAt: instant(session.startedAt),
            participants: present.map(({ participantId, name, joinedAt }) => ({
              participantId,
              name,
              joinedAt: instant(joinedAt),
            })),
          },
        }
        const lines = [
          `meeting    ${meeting.meetingId}${meeting.customId ? `  (${meeting.customId})` : ''}`,
          `created    ${instant(meeting.createdAt)}`,
          `disabled   ${meeting.disabledAt === null ? 'no' : instant(meeting.disabledAt)}`,
          session
            ? `session    ${session.sessionId} since ${instant(session.startedAt)}, ${present.length} inside`
            : 'session    none',
          ...present.map(({ participantId, name }) => `           ${participantId}  ${name}`),
        ]
        return { json, text: lines.join('\n') }
      }),
  },
  {
    name: 'meeting end',
    positionals: ['meetingId'],
    summary: 'ends the ongoing session for everybody',
    details: 'Asks the running server with these settings.',
    run: ({ env, positionals: [anyId = ''] }) =>
      withCore(env, async (core) => {
        const meeting = await find(core, anyId)
        const key = core.keyRing.defaultKey(meeting.projectId)
        if (!key)
          throw new CommandError(
            'There is no active API key; create one with: anteroom keys create',
            exitCodes.refused,
          )
        const token = mintToken({
          apiKey: key.apiKey,
          secret: key.secret,
          now: Date.now(),
          roles: ['crawler'],
          expiresInSeconds: 60,
        })
        const { meetingId: roomId } = meeting
        const body = await askServer<object>(env, '/v2/sessions/end', { roomId }, token)
        return { json: body, text: `ended the session of ${meeting.meetingId}` }
      }),
  },
]
