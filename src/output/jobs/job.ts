/** What is made of outputs after they ended: merged, joined and converted files. Types only. */
import type { OutputFile } from '../output.ts'

/** A file that a job reads. */
export interface JobSource {
  /** On this machine. */
  path: string
  type: OutputFile['type']
  /** Ms since the epoch. */
  startedAt: number
  endedAt: number
  size: number
  participantId: string | null
  participantName: string | null
  /** Which of several groups it belongs to, where a kind has groups. */
  group: number
}

export interface JobPlace {
  /** An existing, empty folder of this job alone. Nothing of it is kept when the job fails. */
  folder: string
  inputs: readonly JobSource[]
  /** Ends the job: no child process may be left. */
  signal: AbortSignal
}

/** Makes files of one kind. A job that was interrupted begins again from its inputs. */
export interface JobEngine {
  /** Why it cannot work on this machine, and what to do about it: one sentence. */
  readonly unavailable: string | undefined
  /** @throws {Error} it failed; `JobProblem` if whoever asked may know why */
  run(config: Readonly<Record<string, unknown>>, place: JobPlace): Promise<OutputFile[]>
}

/** The engines of this process. */
export interface JobEngines {
  'composite-merge': JobEngine
  'hls-to-mp4': JobEngine
  'meeting-recording-merge': JobEngine
  'participant-merge': JobEngine
  'post-transcription': JobEngine
}

export interface CompositeMergeConfig {
  watermark: PlacedMark | null
  /** The group of the recordings of screens. */
  screens: number
}

/** A watermark, as it is kept with a job or an output. */
export type PlacedMark =
  | { type: 'image'; format: 'png' | 'jpeg' | 'webp'; base64: string }
  | { type: 'text'; text: string }
  /** The time of the day, counted on from `startAt`; `timeZone` is IANA's name of one. */
  | { type: 'time'; startAt: number; timeZone?: string | undefined; text?: string | undefined }
  /** The latest of these messages, each from its time on. */
  | { type: 'messages'; messages: readonly { at: number; text: string }[] }
