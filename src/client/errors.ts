/** Errors of the SDK, with the server's code and sentence. */

/** A refusal of the server, or a connection that failed. */
export class MeetingError extends Error {
  /** Number of the contract, e.g. 4002; 0 if no server answered. */
  readonly code: number
  /** Stable name, e.g. `INVALID_TOKEN`; `CONNECTION_FAILED` if no server answered. */
  readonly reason: string

  constructor(code: number, reason: string, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'MeetingError'
    this.code = code
    this.reason = reason
  }
}

/** `insecure`: the page came without encryption, and browsers give such pages no device. */
export type DeviceProblem = 'denied' | 'missing' | 'busy' | 'insecure' | 'other'

/** A camera, microphone or screen that could not be opened. Joining works without it. */
export class DeviceError extends Error {
  readonly device: 'mic' | 'camera' | 'screen'
  readonly problem: DeviceProblem

  constructor(device: 'mic' | 'camera' | 'screen', problem: DeviceProblem, cause: unknown) {
    super(deviceSentence(device, problem), { cause })
    this.name = 'DeviceError'
    this.device = device
    this.problem = problem
  }
}

const deviceNames = { mic: 'microphone', camera: 'camera', screen: 'screen' }

function deviceSentence(device: 'mic' | 'camera' | 'screen', problem: DeviceProblem): string {
  const name = deviceNames[device]
  switch (problem) {
    case 'denied':
      return `This page may not use the ${name}; allow it in the browser's address bar.`
    case 'missing':
      return `No ${name} was found.`
    case 'busy':
      return `The ${name} is in use by another program.`
    case 'insecure':
      return `The ${name} works only where this page was opened with https://.`
    case 'other':
      return `The ${name} cannot be used now.`
  }
}

/** Maps names of `DOMException`s of getUserMedia (Media Capture and Streams, §10.2) to our four problems. */
export function deviceProblem(name: string): DeviceProblem {
  if (name === 'NotAllowedError' || name === 'SecurityError') return 'denied'
  if (name === 'NotFoundError' || name === 'OverconstrainedError') return 'missing'
  if (name === 'NotReadableError' || name === 'AbortError') return 'busy'
  return 'other'
}

/** The error of a failed join. */
export function asMeetingError(error: unknown): MeetingError {
  if (error instanceof MeetingError) return error
  return new MeetingError(0, 'MEDIA_FAILED', 'The media of the meeting could not be set up.', error)
}
