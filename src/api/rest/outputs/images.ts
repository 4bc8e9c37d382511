/** Images that callers name for watermarks. */
import type { HttpContext } from '../../context.ts'
import { Refusal } from '../../../protocol/errors.ts'
import { imageOfBase64 } from '../../../meeting/outputs/composite-orders.ts'

/** The bytes of an image: fetched from its address, or given in base64. @throws {Refusal} INVALID_REQUEST */
export async function readImage({ download }: Pick<HttpContext, 'download'>, image: string): Promise<Buffer> {
  if (!/^https?:/i.test(image)) return imageOfBase64(image)
  try {
    return await download(image)
  } catch (cause) {
    const message = `The address of the image ${(cause as Error).message}.`
    throw new Refusal('INVALID_REQUEST', { message, cause })
  }
}
