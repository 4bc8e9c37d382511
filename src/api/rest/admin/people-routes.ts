/** A participant's data, for whoever has to answer for it: exported and erased. */
import { Readable } from 'node:stream'
import { Type } from 'typebox'
import type { Routes } from '../../context.ts'
import { filesOfJob } from '../../../meeting/outputs/kept-files.ts'
import { erasePerson, exportPerson, StillThere } from '../../../project/people.ts'
import { Refusal } from '../../../protocol/errors.ts'
import { ProjectParams } from '../../../protocol/rest/keys.ts'
import { ErasedPerson, ErasePersonBody, PersonBody } from '../../../protocol/rest/people.ts'
import { describe } from '../describe.ts'
import { deleteOutput } from '../outputs/acts.ts'

const tag = 'Administration'
const ID_BYTES = 9

export const peopleRoutes: Routes = (app, context) => {
  const { store, keptFiles, jobs, randomBytes, now } = context

  const assertProject = async (projectId: string): Promise<void> => {
    const projects = await store.projects.list()
    if (!projects.some((project) => project.projectId === projectId))
      throw new Refusal('NOT_FOUND', { message: 'There is no such project.' })
  }

  app.post(
    '/v2/admin/projects/:projectId/people/export',
    describe({
      summary: 'Get everything that is kept about a participant, over all sessions',
      description:
        'One JSON object a line: the kind, the session and the record. Recordings are named by their ids.',
      // Who it was is not in the log, so that erasing somebody leaves nothing there.
      audit: 'person.export',
      tag,
      access: 'admin',
      role: 'owner',
      params: ProjectParams,
      body: PersonBody,
      answer: Type.String(),
      answerType: 'application/jsonl',
      refusals: ['NOT_FOUND'],
    }),
    async (request, reply) => {
      const { projectId } = request.params
      await assertProject(projectId)
      const records = exportPerson(store, projectId, request.body.participantId)
      async function* lines(): AsyncGenerator<string> {
        for await (const record of records) yield `${JSON.stringify(record)}\n`
      }
      return reply
        .type('application/jsonl; charset=utf-8')
        .header('content-disposition', 'attachment; filename="person.jsonl"')
        .header('x-content-type-options', 'nosniff')
        .send(Readable.from(lines(), { objectMode: false }))
    },
  )

  app.post(
    '/v2/admin/projects/:projectId/people/erase',
    describe({
      summary: 'Erase a participant from all sessions that have ended',
      description:
        'Messages, votes, measurements, invites, events and recordings of the participant go. How long somebody was there stays, without a name. Refused while a session goes on in which the participant was. It cannot be undone.',
      audit: {
        action: 'person.erase',
        facts: ({ body }, { sessions, erased }) => ({ ...erased, sessions, recordings: body.recordings }),
      },
      tag,
      access: 'admin',
      role: 'owner',
      params: ProjectParams,
      body: ErasePersonBody,
      answer: ErasedPerson,
      refusals: ['NOT_FOUND', 'INVALID_STATE'],
    }),
    async (request) => {
      const { projectId } = request.params
      await assertProject(projectId)
      const { participantId, recordings } = request.body
      try {
        return await erasePerson({
          store,
          projectId,
          participantId,
          recordings,
          pseudonym: `erased-${randomBytes(ID_BYTES).toString('base64url')}`,
          now,
          dropOutput: (output) => deleteOutput(output, context),
          dropJob: async (jobId) => {
            await jobs.cancel(jobId).catch(() => undefined)
            const job = await store.jobs.get(jobId)
            if (job) await keptFiles.drop(filesOfJob(job))
          },
        })
      } catch (error) {
        if (error instanceof StillThere)
          throw new Refusal('INVALID_STATE', {
            message: 'The participant was in a session that goes on; try again when it has ended.',
          })
        throw error
      }
    },
  )
}
