/** The state of outputs, and transcribed speech. Types only. */
import type { Notification } from '../protocol/notifications.ts'

export type OutputName = 'recording' | 'livestream' | 'hls' | 'transcription'
export type OutputState = 'stopped' | 'starting' | 'started' | 'stopping'

/** A piece of speech. A final text replaces the partial one with the same id. */
export type Caption = Omit<Extract<Notification, { method: 'transcriptionText' }>, 'method'>
