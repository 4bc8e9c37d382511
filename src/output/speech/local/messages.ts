/** What the server and the process of the local recogniser say to each other. Types only. */
import type { SpeechModel } from './model-folder.ts'

export type Asked =
  | { kind: 'load'; model: SpeechModel; threads: number }
  | { kind: 'recognise'; id: number; samples: Int16Array; language: string | undefined }

export type Answered =
  | { kind: 'loaded' }
  | { kind: 'text'; id: number; text: string }
  | { kind: 'failed'; id: number; message: string }
