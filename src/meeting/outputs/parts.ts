/** What outputs of all meetings share, and small steps of theirs. */
import type { OutputEngine, OutputFile, Outputs } from '../../output/output.ts'
import type {
  MeetingRecord,
  NewDelivery,
  OutputFileRecord,
  OutputKind,
  OutputRecord,
  Store,
} from '../../store/store.ts'
import type { OutputPhase } from '../../protocol/webhooks.ts'
import type { Announce } from '../session/session-log.ts'
import type { KeptFiles } from './kept-files.ts'
import { factDetails, outputKinds } from './kinds.ts'

export interface OutputParts {
  engines: Outputs
  store: Store
  announce: Announce
  now: () => number
  /** 24 hex digits. */
  newOutputId: () => string
  newSecretId: () => string
  /** Holds a folder for each output. */
  folder: string
  /** A new folder for what an output, or a piece of one, writes. */
  makeFolder: (path: string) => string
  folderOf: (outputId: string) => string
  dropFolder: (outputId: string) => Promise<void>
  /** Files of outputs that have ended. */
  kept: KeptFiles
  /** A token with which a page of ours comes to a meeting. @throws {Refusal} if the project has no key in force */
  mintToken: (projectId: string, meetingId: string, participantId: string) => string
  /** What is made of an output that has ended, if anything was asked for; it does not wait until that is made. */
  followUp: (output: OutputRecord) => Promise<void>
  /** What is wrong with the address of a webhook, as the end of a sentence. */
  problemOfWebhook: (url: string) => string | undefined
  /** What is wrong with an address to upload a file to, as the end of a sentence. */
  problemOfUpload: (url: string) => string | undefined
  onError: (error: unknown, message: string) => void
  warn: (fields: Record<string, unknown>, message: string) => void
  /** Outputs that have ended for clients, and whose end is being written. */
  ending: Set<Promise<void>>
  /** Whether the outputs of a meeting go on at its next home: there are several nodes. */
  moves: boolean
  /** The pieces of outputs that this process makes now; see `pieceName`. */
  making: Set<string>
  /** The server stops: nothing starts any more. */
  isStopping: boolean
}

/** The engine of a kind; an order of that kind has its configuration. */
export function engineOf(engines: Outputs, kind: OutputKind): OutputEngine<unknown> {
  return engines[kind]
}

/** The webhooks of a new state: to the meeting's receiver, and to that of this output. */
export function deliveriesOf(
  { announce, now }: Pick<OutputParts, 'announce' | 'now'>,
  meeting: MeetingRecord,
  output: OutputRecord,
  state: OutputPhase,
): NewDelivery[] {
  return announce(meeting, {
    event: `${outputKinds[output.kind].event}-${state}`,
    output: outputKinds[output.kind].event,
    sessionId: output.sessionId,
    at: now(),
    details: factDetails(output, state),
    also: output.webhookUrl,
    about: output.outputId,
  })
}

export function fileRecords(files: readonly OutputFile[], newFileId: () => string): OutputFileRecord[] {
  return files.map(({ path, type, contentType, size, startedAt, endedAt, meta }) => ({
    fileId: newFileId(),
    path,
    type,
    contentType,
    size,
    startedAt,
    endedAt,
    ...(meta && { meta }),
  }))
}
