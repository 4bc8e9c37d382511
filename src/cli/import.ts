/** `anteroom import` */
import { randomBytes } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import { importFrom, type ImportReport, type ImportSource, type Tally } from '../project/import/import.ts'
import type { PageOf } from '../protocol/rest.ts'
import { at, createCaller, everyOne, ServerClientError } from '../server-client/call.ts'
import { CommandError, exitCodes, type Command } from './arguments.ts'
import { namedProject, withCore } from './core.ts'

const TIMEOUT_MS = 30_000
const MAX_RETRIES = 4
const PER_PAGE = 100
/** The maximum number of refused rows to print; `--json` has all of them. */
const MAX_SHOWN = 20

export const importCommand: Command = {
  name: 'import',
  summary: 'takes over rooms and past sessions of another VideoSDK-compatible service',
  details: [
    'Rooms keep their ids, custom ids and settings, so that links go on working; sessions that have ended come with those who were in them.',
    'Without --write it only says what it would take. What is here already stays as it is: run it as often as you like, also after it was stopped.',
    'Exit code 0 when everything could be taken, 1 when something could not.',
  ].join('\n'),
  options: {
    from: { value: 'address', help: 'of the other service, e.g. https://api.videosdk.live' },
    token: { value: 'token', help: 'a token of the other service that may list rooms and sessions' },
    project: { value: 'id', help: 'the project that takes them; default the first' },
    write: { help: 'take them over' },
  },
  run: ({ env, values, isTerminal, json }) => {
    const { from, token } = values
    if (typeof from !== 'string' || typeof token !== 'string')
      throw new CommandError('import needs --from and --token.', exitCodes.usage)
    const source = sourceAt(addressOf(from), token)
    const write = values.write === true
    return withCore(env, async (core) => {
      const { projectId } = await namedProject(core, values.project)
      const report = await importFrom({
        source,
        store: core.store,
        projectId,
        write,
        now: Date.now,
        newId: () => randomBytes(12).toString('hex'),
        ...(isTerminal && !json && { onProgress: showProgress }),
      })
      const failed = report.rooms.notTaken.length + report.sessions.notTaken.length > 0
      return {
        json: { written: write, ...report },
        text: textOf(report, write),
        exitCode: failed ? exitCodes.failed : exitCodes.ok,
      }
    })
  },
}

/** @throws {CommandError} */
function addressOf(text: string): string {
  const url = URL.parse(text)
  if (!url || !/^https?:$/.test(url.protocol) || url.username !== '' || url.search !== '')
    throw new CommandError('--from takes an address, as in https://api.videosdk.live.', exitCodes.usage)
  return url.href.replace(/\/$/, '')
}

function sourceAt(baseUrl: string, token: string): ImportSource {
  const call = createCaller({
    baseUrl,
    timeoutMs: TIMEOUT_MS,
    retries: { max: MAX_RETRIES, random: Math.random, wait: (ms) => setTimeout(ms) },
    token: () => token,
  })
  const rows = (path: string, listIn: (data: unknown) => unknown = (data) => data): AsyncIterable<unknown> =>
    everyOne(async (page) => {
      const { pageInfo, data } = await call<Partial<PageOf<unknown>>>('GET', path, {
        query: { page, perPage: PER_PAGE },
      }).catch((error: unknown) => {
        throw error instanceof ServerClientError
          ? new CommandError(reasonOf(error, baseUrl), undefined, { cause: error })
          : error
      })
      const list = listIn(data)
      if (!pageInfo || !Array.isArray(list))
        throw new CommandError(`${baseUrl}${path} does not answer with pages of a list.`)
      return { pageInfo, data: list as unknown[] }
    })
  return {
    rooms: () => rows('/v2/rooms'),
    sessions: () => rows('/v2/sessions'),
    participants: (sessionId) => rows(at`/v2/sessions/${sessionId}/participants`, participantsIn),
  }
}

/** Depending on the server, a page of participants is inside its session or inside a list of that one session. */
function participantsIn(data: unknown): unknown {
  const session = (Array.isArray(data) ? data[0] : data) as { participants?: unknown } | null | undefined
  return session?.participants
}

/** The reason of a refusal, without the token and the URL of the row. */
function reasonOf({ status, code, message }: ServerClientError, baseUrl: string): string {
  if (status === 401 || status === 403)
    return `${baseUrl} refused the token (${status}): give one that is valid there and may list rooms and sessions.`
  if (status === undefined) return `${baseUrl} cannot be read: ${message}`
  return `${baseUrl} answered ${status}, and no list: ${code}.`
}

function showProgress({ rooms, sessions }: ImportReport): void {
  const seen = ({ taken, alreadyThere, notTaken }: Tally): number => taken + alreadyThere + notTaken.length
  process.stderr.write(`\r${seen(rooms)} rooms, ${seen(sessions)} sessions read`)
}

function textOf({ rooms, sessions }: ImportReport, written: boolean): string {
  const lines = [
    ...linesOf('rooms', rooms, written),
    ...linesOf('sessions', sessions, written),
    ...(written ? [] : ['', 'Nothing was written. Take them over with --write.']),
  ]
  return lines.join('\n')
}

function linesOf(
  noun: string,
  { taken, alreadyThere, notTaken, withoutParts }: Tally,
  written: boolean,
): string[] {
  const list = (rows: readonly string[]): string[] => [
    ...rows.slice(0, MAX_SHOWN).map((row) => `  ${row}`),
    ...(rows.length > MAX_SHOWN ? [`  … and ${rows.length - MAX_SHOWN} more (--json lists all)`] : []),
  ]
  return [
    `${noun.padEnd(9)} ${taken} ${written ? 'taken over' : 'to be taken over'}, ${alreadyThere} already here, ${notTaken.length} not taken`,
    ...list(notTaken.map(({ id, why }) => `${id}: ${why}`)),
    ...list(withoutParts.map(({ id, leftOut }) => `${id} without ${leftOut.join(', ')}`)),
  ]
}
