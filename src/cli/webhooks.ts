/** `anteroom webhooks …` */
import type { DeliveryRecord, DeliveryState } from '../store/store.ts'
import type { ServerCore } from '../server/core.ts'
import { CommandError, exitCodes, table, type Command, type CommandInput } from './arguments.ts'
import { recordDeed } from './audit.ts'
import { withCore } from './core.ts'

const PER_PAGE = 50
const REPLAY_AT_ONCE = 200
const STATES: readonly string[] = ['waiting', 'delivered', 'parked'] satisfies DeliveryState[]

const instant = (at: number | null): string => (at === null ? '' : new Date(at).toISOString())

function shown({ body: _body, ...delivery }: DeliveryRecord) {
  const { occurredAt, nextAt, settledAt } = delivery
  return {
    ...delivery,
    occurredAt: instant(occurredAt),
    nextAt: nextAt === null ? null : instant(nextAt),
    settledAt: settledAt === null ? null : instant(settledAt),
  }
}

/** The projects that a command applies to: the named one, or all. */
async function projectsOf({ store }: ServerCore, { values }: CommandInput): Promise<string[]> {
  const projects = (await store.projects.list()).map(({ projectId }) => projectId)
  const { project } = values
  if (typeof project !== 'string') return projects
  if (!projects.includes(project))
    throw new CommandError(`There is no project ${project}.`, exitCodes.refused)
  return [project]
}

async function find({ store }: ServerCore, deliveryId: string): Promise<DeliveryRecord> {
  for (const { projectId } of await store.projects.list()) {
    const delivery = await store.outbox.get(projectId, deliveryId)
    if (delivery) return delivery
  }
  throw new CommandError(`There is no delivery ${deliveryId}.`, exitCodes.refused)
}

const project = { value: 'id', help: 'only this project; default: all' }

export const webhookCommands: readonly Command[] = [
  {
    name: 'webhooks list',
    summary: 'lists webhook deliveries, newest first',
    options: {
      project,
      state: { value: 'state', help: STATES.join(', ') },
      meeting: { value: 'meetingId', help: 'only this meeting' },
      event: { value: 'event', help: 'only this event, e.g. session-ended' },
      page: { value: 'n', help: `page of ${PER_PAGE} for each project; default 1` },
    },
    run: (input) =>
      withCore(input.env, async (core) => {
        const { state, meeting, event } = input.values
        const page = Number(input.values.page ?? 1)
        if (!Number.isInteger(page) || page < 1)
          throw new CommandError('--page must be a whole number of at least 1.', exitCodes.usage)
        if (typeof state === 'string' && !STATES.includes(state))
          throw new CommandError(`--state takes ${STATES.join(', ')}.`, exitCodes.usage)
        const deliveries: DeliveryRecord[] = []
        let total = 0
        for (const projectId of await projectsOf(core, input)) {
          const found = await core.store.outbox.list(
            projectId,
            { page, perPage: PER_PAGE },
            {
              ...(typeof state === 'string' && { state: state as DeliveryState }),
              ...(typeof meeting === 'string' && { meetingId: meeting }),
              ...(typeof event === 'string' && { event }),
            },
          )
          deliveries.push(...found.items)
          total += found.total
        }
        return {
          json: { total, deliveries: deliveries.map(shown) },
          text: table(
            ['DELIVERY', 'EVENT', 'MEETING', 'OCCURRED', 'STATE', 'TRIES', 'LAST ANSWER'],
            deliveries.map((one) => [
              one.deliveryId,
              one.event,
              one.meetingId,
              instant(one.occurredAt),
              one.state,
              String(one.attempts),
              one.lastError ?? String(one.lastStatus ?? ''),
            ]),
          ),
        }
      }),
  },
  {
    name: 'webhooks show',
    positionals: ['deliveryId'],
    summary: 'shows a delivery with its content',
    run: ({ env, positionals: [deliveryId = ''] }) =>
      withCore(env, async (core) => {
        const delivery = await find(core, deliveryId)
        const tries = await core.store.outbox.tries(deliveryId)
        const lines: [string, string][] = [
          ['delivery', delivery.deliveryId],
          ['event', delivery.event],
          ['meeting', `${delivery.meetingId}, session ${delivery.sessionId}`],
          ['receiver', delivery.endPoint],
          ['occurred', instant(delivery.occurredAt)],
          ['state', `${delivery.state} after ${delivery.attempts} tries`],
          ['next try', instant(delivery.nextAt)],
          ['answer', delivery.lastError ?? String(delivery.lastStatus ?? 'none')],
          ...tries.map(({ at, tookMs, status, error }, index): [string, string] => [
            index === 0 ? 'tries' : '',
            `${instant(at)}  ${tookMs} ms  ${error ?? `HTTP ${status}`}`,
          ]),
          ['body', delivery.body],
        ]
        return {
          json: {
            ...shown(delivery),
            tries: tries.map(({ at, ...one }) => ({ at: instant(at), ...one })),
            body: delivery.body,
          },
          text: lines.map(([name, value]) => `${name.padEnd(10)}${value}`.trimEnd()).join('\n'),
        }
      }),
  },
  {
    name: 'webhooks replay',
    positionals: ['[deliveryId]'],
    summary: 'delivers again: one delivery, or with --parked all parked ones',
    details: 'A running server sends it within a second; otherwise the next start does.',
    options: {
      project,
      parked: { help: 'all parked deliveries, oldest first' },
    },
    run: (input) =>
      withCore(input.env, async (core) => {
        const [deliveryId] = input.positionals
        if ((deliveryId === undefined) !== (input.values.parked === true))
          throw new CommandError('Name a delivery, or use --parked.', exitCodes.usage)
        const { outbox } = core.store
        const at = Date.now()
        let replayed = 0
        if (deliveryId !== undefined) {
          const { projectId } = await find(core, deliveryId)
          if (!(await outbox.replay(projectId, deliveryId, at)))
            throw new CommandError(`The delivery ${deliveryId} is still waiting.`, exitCodes.refused)
          replayed = 1
        } else {
          for (const projectId of await projectsOf(core, input)) {
            for (let more = REPLAY_AT_ONCE; more === REPLAY_AT_ONCE; replayed += more)
              more = await outbox.replayParked(projectId, at, REPLAY_AT_ONCE)
          }
        }
        await recordDeed(
          core.store,
          deliveryId === undefined
            ? { action: 'webhook.replay-all', facts: { replayed } }
            : { action: 'webhook.replay', subject: deliveryId },
        )
        return { json: { replayed }, text: `${replayed} queued for delivery` }
      }),
  },
]
