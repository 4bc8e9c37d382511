/** Images that callers name for watermarks. */
import type { HttpContext } from '../../context.ts'
import { Refusal } from '../../../protocol/errors.ts'

const DATA_URL = /^data:image\/[\w.+-]{1,40};base64,/
const BASE64 = /^[A-Za-z0-9+/\s]+={0,2}\s*$/

/** The bytes of an image: fetched from its address, or given in base64. @throws {Refusal} INVALID_REQUEST */
export async function readImage({ download }: Pick<HttpContext, 'download'>, image: string): Promise<Buffer> {
  const refused = (message: string, cause?: unknown): Refusal =>
    new Refusal('INVALID_REQUEST', { message, cause })
  if (/^https?:/i.test(image)) {
    try {
      return await download(image)
    } catch (cause) {
      throw refused(`The address of the image ${(cause as Error).message}.`, cause)
    }
  }
  const base64 = image.replace(DATA_URL, '')
  if (!BASE64.test(base64)) throw refused('The image must be an http or https address, or base64.')
  return Buffer.from(base64, 'base64')
}
