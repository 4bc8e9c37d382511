/** What carries the media of a meeting: the contract between a meeting and the WebRTC under it. Types only. */
import type { StreamKind } from '../protocol/media.ts'
import type { ServerRequests } from '../protocol/notifications.ts'
import type { AnyStream } from './participant.ts'

/** The media of one connection. It is replaced with each connection, and when the server's media is replaced. */
export interface MeetingMedia {
  readonly closed: boolean
  /** What we can receive; after `open()`. */
  readonly rtpCapabilities: object
  /** Creates the transports. @throws also if it was closed in the meantime */
  open(): Promise<void>
  /** Opens an offered stream. Events about it in the meantime are applied. */
  consume(payload: ServerRequests['newConsumer']): Promise<void>
  /** The server closed this consumer. */
  drop(consumerId: string): void
  /** The stream was paused or resumed at its source. */
  setPaused(consumerId: string, paused: boolean): void
  /** The server pauses the stream for us, or resumes it. */
  setHeld(consumerId: string, held: boolean): void
  /** Stops receiving this participant. */
  forget(participantId: string): void
  close(): void
}

/** What we send, and who may switch it. */
export interface OwnStreams<M extends MeetingMedia> {
  /** The kinds of which the server is known to have a stream. */
  readonly sent: ReadonlySet<StreamKind>
  /** Sends over this media from here on. */
  attach(media: M): void
  /** The connection is lost; another follows. */
  detach(): void
  /** Ends everything for good. */
  close(): void
  /** A moderator switches it off. */
  disableMic(): Promise<void>
  disableCamera(): Promise<void>
  stopShare(): Promise<void>
  /** A moderator asked for it, and that was accepted. */
  enableMic(): Promise<void>
  enableCamera(): Promise<void>
  startShare(): Promise<void>
}

export interface MediaEvents<S extends AnyStream> {
  /** Called when a transport reaches this state for the first time. */
  onState: (direction: 'send' | 'receive', state: string) => void
  onStream: (stream: S) => void
  onStreamGone: (stream: S) => void
  onStreamChanged: (stream: S) => void
  /**
   * The server's view of our streams is unknown or differs from ours, so everything must be rebuilt: immediately if the
   * server did not answer, otherwise after a moment in which it may report it itself.
   */
  onLost: (atOnce: boolean) => void
}

/** Sends a request to the server. @throws {MeetingError} */
export type Request = <T>(method: string, data?: object) => Promise<T>
