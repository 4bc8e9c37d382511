/** Calls a live meeting wherever its home is: directly, or at another node. */
import type { MeetingHome } from '../meeting/home.ts'
import { Refusal } from '../protocol/errors.ts'
import type { HomeRecord } from '../store/cluster.ts'
import { fromSent, toSent } from './frames.ts'
import { Unreachable, type Answered, type Peers } from './peers.ts'
import { callsAtHome, moved, unreachable } from './at-home.ts'

export interface RoutedHomeOptions {
  here: MeetingHome
  peers: Peers
  /** Where to call. Takes the meeting over first if its home died and its session goes on. */
  placeOf: (meetingId: string) => Promise<'here' | HomeRecord>
  isHere: (meetingId: string) => boolean
  newId: () => string
}

/** The calls about one meeting whose arguments and answers are plain values. */
const plainCalls = [
  'endSession',
  'tellRoom',
  'sessionOf',
  'shareFile',
  'view',
  'inspect',
  'respondEntry',
  'stopStream',
  'askForStream',
  'publish',
  'value',
  'setValue',
  'removals',
  'liftRemoval',
  'removeParticipant',
  'outputs',
  'knows',
] as const
type PlainCall = (typeof plainCalls)[number]
type Anything = (...args: unknown[]) => Promise<unknown>

export type RoutedHome = MeetingHome & {
  /** Answers a call of another node. */
  answer: (method: string, args: unknown[]) => Promise<Answered>
}

export function routedHome({ here, peers, placeOf, isHere, newId }: RoutedHomeOptions): RoutedHome {
  const calls = here as unknown as Record<string, Anything>
  const own =
    (method: string): Anything =>
    (...args) =>
      calls[method]!.call(here, ...args)

  const at = callsAtHome({ peers, placeOf, newId })

  /** Calls all other nodes. Fails if one does not answer, so that the caller learns that it was not done everywhere. */
  const everywhere = async <T>(method: string, args: unknown[]): Promise<T[]> => {
    const others = peers.others
    return Promise.all(
      others.map((node) =>
        peers.call(node, method, args).catch((error: unknown) => {
          throw error instanceof Unreachable ? unreachable(error) : error
        }),
      ),
    ) as Promise<T[]>
  }

  const plain = Object.fromEntries(
    plainCalls.map((method) => [
      method,
      (...args: [string, ...unknown[]]) => at(args[0], method, args, () => own(method)(...args)),
    ]),
  ) as unknown as Pick<MeetingHome, PlainCall>

  return {
    ...plain,
    deactivate: (meeting) => at(meeting.meetingId, 'deactivate', [meeting], () => here.deactivate(meeting)),
    refusalOfRemoved: async (meetingId, grant, participantId) => {
      const locally = async () => {
        const refusal = await here.refusalOfRemoved(meetingId, grant, participantId)
        return refusal && toSent(refusal)
      }
      const sent = await at(meetingId, 'refusalOfRemoved', [meetingId, grant, participantId], locally)
      return sent && fromSent(sent)
    },
    refusalOfRemovedAnywhere: async (grant) => {
      const refusal = await here.refusalOfRemovedAnywhere(grant)
      if (refusal) return refusal
      const sent = await everywhere<ReturnType<typeof toSent> | undefined>('refusalOfRemovedAnywhere', [
        grant,
      ])
      const found = sent.find((one) => one !== undefined)
      return found && fromSent(found)
    },
    evictByCredential: async (bearers, refusal) => {
      const mine = await here.evictByCredential(bearers, refusal)
      const others = await everywhere<number>('evictByCredential', [bearers, toSent(refusal)])
      return others.reduce((sum, count) => sum + count, mine)
    },
    startOutput: async (meetingId, order) => {
      let afterReply: (() => void) | undefined
      const output = await at(meetingId, 'startOutput', [meetingId, order], async () => {
        const started = await here.startOutput(meetingId, order)
        ;({ afterReply } = started)
        return started.output
      })
      return { output, afterReply: () => afterReply?.() }
    },
    stopOutput: async (meetingId, kind, matches) => {
      if ((await placeOf(meetingId)) === 'here') return here.stopOutput(meetingId, kind, matches)
      // A function cannot be sent, so the output that it chooses is looked up here.
      const all = await plain.outputs(meetingId)
      const outputId = all.find((one) => one.kind === kind && (matches?.(one) ?? true))?.outputId
      const output = await at(meetingId, 'stopOutput', [meetingId, kind, outputId ?? ''], async () => {
        const stopped = await here.stopOutput(meetingId, kind, matches)
        stopped.afterReply()
        return stopped.output
      })
      return { output, afterReply: () => undefined }
    },
    answer: async (method, args) => {
      switch (method) {
        case 'refusalOfRemovedAnywhere': {
          const refusal = await here.refusalOfRemovedAnywhere(
            ...(args as Parameters<MeetingHome['refusalOfRemovedAnywhere']>),
          )
          return { value: refusal && toSent(refusal) }
        }
        case 'evictByCredential': {
          const [bearers, refusal] = args as [
            Parameters<MeetingHome['evictByCredential']>[0],
            ReturnType<typeof toSent>,
          ]
          return { value: await here.evictByCredential(bearers, fromSent(refusal)) }
        }
      }
      const meetingId =
        method === 'deactivate' ? (args[0] as { meetingId: string }).meetingId : (args[0] as string)
      if (!isHere(meetingId)) throw moved()
      switch (method) {
        case 'refusalOfRemoved': {
          const refusal = await here.refusalOfRemoved(
            ...(args as Parameters<MeetingHome['refusalOfRemoved']>),
          )
          return { value: refusal && toSent(refusal) }
        }
        case 'startOutput': {
          const { output, afterReply } = await here.startOutput(
            ...(args as Parameters<MeetingHome['startOutput']>),
          )
          return { value: output, afterwards: afterReply }
        }
        case 'stopOutput': {
          const [, kind, outputId] = args as [string, Parameters<MeetingHome['stopOutput']>[1], string]
          const stopped = await here.stopOutput(meetingId, kind, (one) => one.outputId === outputId)
          return { value: stopped.output, afterwards: stopped.afterReply }
        }
      }
      if (method !== 'deactivate' && !plainCalls.includes(method as PlainCall))
        throw new Refusal('METHOD_NOT_ALLOWED')
      return { value: await own(method)(...args) }
    },
  }
}
