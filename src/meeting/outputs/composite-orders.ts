/** Composite recordings, as callers of REST order them (contract, outputs §3.1). Pure. */
import { Refusal } from '../../protocol/errors.ts'
import type { CompositeWatermark, StartCompositeBody } from '../../protocol/rest/composite-recordings.ts'
import type { Mark } from '../../output/output.ts'
import { imageMark } from '../jobs/orders.ts'
import { dirPathOf, keptOf, type OutputOrdered } from './orders.ts'

/** @throws {Refusal} INVALID_REQUEST */
export function compositeOrder(
  { participants, fileFormat, webhookUrl, bucketDirPath, preSignedURL }: Omit<StartCompositeBody, 'roomId'>,
  marks: Mark[],
  baseUrl: string,
): OutputOrdered {
  return {
    kind: 'composite',
    config: {
      participants:
        participants?.map(({ participantId, kind }) => ({
          participantId,
          kinds: kind == null ? ['audio', 'video'] : [kind].flat(),
        })) ?? null,
      marks,
      fileFormat: fileFormat ?? 'mp4',
    },
    baseUrl,
    webhookUrl: webhookUrl ?? null,
    uploadTo: preSignedURL ?? undefined,
    kept: keptOf({ dirPath: dirPathOf('bucketDirPath', bucketDirPath) }),
  }
}

/** @throws {Refusal} INVALID_REQUEST */
export function compositeMarkOf(
  { type, text, timezone, topic }: CompositeWatermark,
  image: Buffer | undefined,
): Mark {
  const needs = (message: string): Refusal => new Refusal('INVALID_REQUEST', { message })
  if (type === 'pubsub') {
    if (topic == null) throw needs('A watermark of type pubsub needs topic.')
    return { type: 'topic', topic }
  }
  if (image) {
    if (text != null || timezone != null)
      throw needs('A watermark has an image, or text and timezone, not both.')
    return imageMark(image)
  }
  if (timezone != null) {
    if (!isTimeZone(timezone)) throw needs("timezone must be IANA's name of one, like Europe/Paris.")
    return { type: 'time', startAt: null, timeZone: timezone, ...(text != null && { text }) }
  }
  if (text == null) throw needs('A watermark of type custom needs imageUrl, imageBase64, text or timezone.')
  return { type: 'text', text }
}

const DATA_URL = /^data:image\/[\w.+-]{1,40};base64,/
const BASE64 = /^[A-Za-z0-9+/\s]+={0,2}\s*$/

/** @throws {Refusal} INVALID_REQUEST */
export function imageOfBase64(text: string): Buffer {
  const base64 = text.replace(DATA_URL, '')
  if (!BASE64.test(base64))
    throw new Refusal('INVALID_REQUEST', {
      message: 'The image must be an http or https address, or base64.',
    })
  return Buffer.from(base64, 'base64')
}

function isTimeZone(timeZone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone })
    return true
  } catch {
    return false
  }
}
