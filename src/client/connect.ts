/** Connects to a meeting with a token. */
import { Encryption } from './encryption/encryption.ts'
import type { SharedKey } from './encryption/keys.ts'
import { MeetingError } from './errors.ts'
import type { Timings } from './events.ts'
import { checkIds, initConfig, randomId, type EntryOptions } from './init-config.ts'
import { Meeting } from './meeting.ts'
import type { ProcessTrack } from './open-device.ts'

export interface ConnectOptions extends EntryOptions {
  /**
   * `true`: the default device; a track: that one, which the meeting stops when it is switched off or ends. Default
   * `true`. A device that cannot be opened does not prevent the join.
   */
  mic?: MediaStreamTrack | boolean
  camera?: MediaStreamTrack | boolean
  /** Makes the track that is sent from that of each camera and microphone that the meeting opens. */
  processTrack?: ProcessTrack
  /**
   * Encrypts our sound and picture end to end, and shows of the others only what was encrypted with the same key: a
   * passphrase of at least 8 characters, or at least 16 random bytes. The server never gets it (docs/encryption.md).
   */
  encryption?: { key: SharedKey }
}

/**
 * Requests entry, and waits for a server that still prepares its media. Resolves when the server accepted the request:
 * `meeting.state` is then `waiting`, or about to become `joined`.
 * @throws {MeetingError} the server's refusal with its code and sentence, or that it cannot be reached
 */
export async function connect(options: ConnectOptions): Promise<Meeting> {
  const { participantId = randomId() } = options
  checkIds(options.meetingId, participantId)
  const timings: Timings = { start: performance.now() }
  const [{ baseUrl, socketPath = '', iceServersPlain = [], maxFileBytes = 0, requestId }, encryption] =
    await prepare(options).catch((error: unknown) => {
      // The tracks would belong to the meeting, but there is none.
      for (const track of [options.mic, options.camera]) if (typeof track === 'object') track.stop()
      throw error
    })
  timings.initConfig = performance.now()
  const scheme = new URL(options.url).protocol
  const meeting = new Meeting({
    url: `${scheme}//${baseUrl}`,
    path: `${socketPath}/socket.io`,
    token: options.token,
    meetingId: options.meetingId,
    participantId,
    name: options.name,
    ...(options.message !== undefined && { message: options.message }),
    mic: options.mic ?? true,
    camera: options.camera ?? true,
    metaData: options.metaData ?? {},
    ...(options.processTrack && { processTrack: options.processTrack }),
    encryption,
    filesUrl: options.url.replace(/\/+$/, ''),
    maxFileBytes,
    iceServers: iceServersPlain,
    iceServersOnceAdmitted: async () => (await initConfig(options)).iceServersPlain ?? [],
    requestId,
    timings,
  })
  await meeting.accepted
  return meeting
}

/** The address to connect to, and our encryption; the slow derivation of the key delays nothing. */
async function prepare(
  options: ConnectOptions,
): Promise<[Awaited<ReturnType<typeof initConfig>>, Encryption | undefined]> {
  const key = options.encryption?.key
  const starting = key === undefined ? undefined : Encryption.start(options.meetingId, key)
  // A bad key is reported below, when the server has answered.
  starting?.catch(() => undefined)
  // Where the server refuses, the worker that was started is of no use.
  const config = await initConfig(options).catch(async (error: unknown) => {
    await starting?.then((encryption) => encryption.close()).catch(() => undefined)
    throw error
  })
  if (!starting && config.encryption === 'required')
    throw new MeetingError(
      5000,
      'ENCRYPTION_REQUIRED',
      'This meeting is end-to-end encrypted, and needs its key.',
    )
  return [config, await starting]
}
