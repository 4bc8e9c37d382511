/** Puts a file at an address that a caller gave, such as one that is signed for S3 (contract, outputs §3.1). */
import type { LookupFunction } from 'node:net'
import { open } from 'node:fs/promises'
import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { isIP } from 'node:net'
import { pipeline } from 'node:stream/promises'
import type { UploadAnswer } from './files.ts'
import { addressOf, bare, hostProblem, type MayReach } from '../composer/reach.ts'

/** Of a connection on which nothing moves. */
const SILENT_MS = 60_000

/** What is wrong with an address to upload to, as the end of a sentence; undefined if nothing is. */
export function uploadProblem(address: string, mayReach: MayReach): string | undefined {
  const url = URL.canParse(address) ? new URL(address) : undefined
  if (!url || (url.protocol !== 'https:' && url.protocol !== 'http:'))
    return 'must be an http or https address'
  if (url.username !== '' || url.password !== '') return 'must be an address without credentials'
  return hostProblem(url.hostname, mayReach)
}

/** Redirects are not followed. @throws {Error} if the file cannot be read */
export async function upload(
  address: string,
  path: string,
  contentType: string,
  { mayReach, signal }: { mayReach: MayReach; signal: AbortSignal },
): Promise<UploadAnswer> {
  const wrong = uploadProblem(address, mayReach)
  if (wrong !== undefined) return { status: undefined, problem: `The address ${wrong}.` }
  const url = new URL(address)
  const file = await open(path)
  try {
    const { size } = await file.stat()
    const status = await new Promise<number>((resolve, reject) => {
      const request = (url.protocol === 'https:' ? httpsRequest : httpRequest)(url, {
        method: 'PUT',
        agent: false,
        signal,
        lookup: checkedLookup(mayReach),
        headers: { 'content-type': contentType, 'content-length': size },
      })
      request.setTimeout(SILENT_MS, () => request.destroy(new Error('nothing moved')))
      request.once('response', (response) => {
        response.resume()
        resolve(response.statusCode!)
      })
      request.once('error', reject)
      // An empty file has no chunk that would start the request.
      pipeline(file.createReadStream({ autoClose: false }), request).catch(reject)
    })
    if (status >= 200 && status < 300) return { status, problem: undefined }
    return { status, problem: `The receiver answered ${status}.` }
  } catch (error) {
    const { code = 'no answer' } = error as NodeJS.ErrnoException
    return { status: undefined, problem: `The receiver cannot be reached (${code}).` }
  } finally {
    await file.close()
  }
}

/** Connects to the very address that was checked, without a second lookup. */
const checkedLookup =
  (mayReach: MayReach): LookupFunction =>
  (hostname, options, callback) => {
    // Names that are not known have no address either.
    void addressOf(bare(hostname), mayReach).then((address) => {
      const family = isIP(address ?? '')
      if (address === undefined)
        callback(Object.assign(new Error('no address'), { code: 'ENOTFOUND' }), '', 0)
      else if (options.all) callback(null, [{ address, family }])
      else callback(null, address, family)
    })
  }
