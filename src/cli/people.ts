/** `anteroom people …` */
import { randomBytes } from 'node:crypto'
import { readAdminKey } from '../api/rest/admin/admin-key.ts'
import { readConfig } from '../config/read.ts'
import { exportPerson } from '../project/people.ts'
import type { ErasedPerson } from '../protocol/rest/people.ts'
import { CommandError, exitCodes, type Command } from './arguments.ts'
import { askServer } from './ask-server.ts'
import { recordDeed } from './audit.ts'
import { namedProject, withCore } from './core.ts'

const project = { value: 'id', help: 'the project whose sessions are meant; default: the first' }

export const peopleCommands: readonly Command[] = [
  {
    name: 'people export',
    positionals: ['participantId'],
    summary: 'prints everything that is kept about a participant, as one JSON object a line',
    options: { project },
    run: ({ env, values, show, positionals: [participantId = ''] }) =>
      withCore(env, async (core) => {
        const { projectId } = await namedProject(core, values.project)
        let count = 0
        for await (const record of exportPerson(core.store, projectId, participantId)) {
          await show({ json: record, text: JSON.stringify(record) })
          count++
        }
        await recordDeed(core.store, { action: 'person.export', projectId, facts: { records: count } })
        return { json: null, text: '', isShown: true }
      }),
  },
  {
    name: 'people erase',
    positionals: ['participantId'],
    summary: 'erases a participant from all sessions that have ended; asks the running server',
    details: 'It cannot be undone. How long somebody was in a meeting stays, without a name.',
    options: {
      project,
      recordings: {
        value: 'which',
        help: 'own: of this participant, the default; all: also those of whole meetings, with everybody in them',
      },
    },
    run: async ({ env, values, positionals: [participantId = ''] }) => {
      const recordings = values.recordings ?? 'own'
      if (recordings !== 'own' && recordings !== 'all')
        throw new CommandError('--recordings must be own or all.', exitCodes.usage)
      const { projectId } = await withCore(env, (core) => namedProject(core, values.project))
      const { adminKey: given, dataDir: folder } = readConfig(env)
      const adminKey = await readAdminKey({ given, folder, randomBytes, create: false })
      const done = await askServer<ErasedPerson>(
        env,
        `/v2/admin/projects/${encodeURIComponent(projectId)}/people/erase`,
        { participantId, recordings },
        `Bearer ${adminKey}`,
      )
      const counts = Object.entries(done.erased).map(([kind, count]) => `${kind} ${count}`)
      return {
        json: done,
        text: [
          `erased in ${done.sessions} sessions: ${counts.join(', ') || 'nothing was kept'}`,
          ...(done.recordingsLeft.length > 0
            ? [`recordings of whole meetings that stay: ${done.recordingsLeft.join(' ')}`]
            : []),
          ...(done.deliveriesWaiting > 0
            ? [`${done.deliveriesWaiting} events still wait for a receiver; erase again later`]
            : []),
        ].join('\n'),
      }
    },
  },
]
