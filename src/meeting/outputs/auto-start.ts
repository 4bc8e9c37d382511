/** What begins by itself with each session of a meeting (contract, outputs §2.4). Pure. */
import { Compile } from 'typebox/compile'
import { Refusal } from '../../protocol/errors.ts'
import { AutoStartConfig } from '../../protocol/rest/auto-start.ts'
import { compositeMarkOf, compositeOrder, imageOfBase64 } from './composite-orders.ts'
import { hlsOrder, recordingOrder, type OutputOrdered } from './orders.ts'

const schema = Compile(AutoStartConfig)

/**
 * What begins with a session. A configuration of an older version that does not fit begins nothing.
 * @throws {Refusal} INVALID_REQUEST
 */
export function autoStartOrders(config: unknown, baseUrl: string): OutputOrdered[] {
  if (!schema.Check(config)) return []
  const { recording, hls, composite } = config
  return [
    ...(recording ? [recordingOrder(recording, baseUrl)] : []),
    ...(hls ? [hlsOrder(hls, baseUrl)] : []),
    ...(composite ? [compositeOrder(composite, (composite.watermarks ?? []).map(markOf), baseUrl)] : []),
  ]
}

type Watermark = NonNullable<NonNullable<AutoStartConfig['composite']>['watermarks']>[number]

function markOf(watermark: Watermark) {
  const { type, imageUrl, imageBase64 } = watermark
  if (type !== 'custom') return compositeMarkOf(watermark, undefined)
  // An address may lead nowhere when the session begins, and nobody would hear of it.
  if (imageUrl != null)
    throw new Refusal('INVALID_REQUEST', {
      message: 'In autoStartConfig, the image of a watermark must be given as imageBase64.',
    })
  return compositeMarkOf(watermark, imageBase64 == null ? undefined : imageOfBase64(imageBase64))
}
