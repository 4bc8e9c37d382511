import { Refusal, type ErrorName } from '../protocol/errors.ts'
import type { MediaStatus } from './sfu.ts'

const PREPARING_RETRY_SECONDS = 3

/** The refusal for people who want to join while there is no media. */
export function refusalOfMedia(status: Extract<MediaStatus, { available: false }>): Refusal {
  const { preparing, reason: message } = status
  return preparing
    ? new Refusal('MEDIA_PREPARING', { message, retryAfterSeconds: PREPARING_RETRY_SECONDS })
    : new Refusal('MEDIA_UNAVAILABLE', { message })
}

/** The refusal while a worker is being replaced. */
export function workerGone(cause?: unknown): Refusal {
  return new Refusal('MEDIA_UNAVAILABLE', {
    message: 'The media server is restarting; try again in a moment.',
    reason: 'worker-died',
    cause,
  })
}

/** The refusal for anything used after it was closed. */
export function closed(what: string, cause?: unknown): Refusal {
  return new Refusal('INVALID_STATE', { message: `The ${what} is closed.`, reason: 'closed', cause })
}

/**
 * Turns an error of mediasoup into a refusal.
 * @param what the object concerned, in the field's words
 * @param otherwise the code for an error that mediasoup does not classify: the caller's fault if the caller's
 * parameters are the only input
 */
export function asMediaRefusal(thrown: unknown, what: string, otherwise: ErrorName): Refusal {
  if (thrown instanceof Refusal) return thrown
  const name = thrown instanceof Error ? thrown.name : ''
  switch (name) {
    case 'WorkerClosedError':
      return workerGone(thrown)
    case 'NotFoundError':
      return closed(what, thrown)
    case 'UnsupportedError':
      return new Refusal('CODEC_NOT_SUPPORTED', { reason: 'codec', cause: thrown })
    case 'TypeError':
    case 'RangeError':
      return new Refusal('INVALID_REQUEST', {
        message: `The parameters of the ${what} are not valid.`,
        reason: 'parameters',
        cause: thrown,
      })
    default:
      return new Refusal(otherwise, { reason: 'worker', cause: thrown })
  }
}

/** Runs `work` and turns its errors into refusals; see `asMediaRefusal`. */
export async function refusing<T>(
  what: string,
  work: () => Promise<T>,
  otherwise: ErrorName = 'SOMETHING_WENT_WRONG',
): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw asMediaRefusal(error, what, otherwise)
  }
}
