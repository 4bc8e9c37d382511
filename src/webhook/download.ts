/** Fetches a small file that a caller named: from public addresses only, within a limit, without following redirects. */
import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { endPointProblem } from './guard.ts'
import { guardedLookup, type SenderOptions } from './sender.ts'

export interface DownloadOptions extends SenderOptions {
  maxBytes: number
}

/** @throws {Error} with the end of a sentence that says what is wrong with the address or what came from it */
export async function download(address: string, options: DownloadOptions): Promise<Buffer> {
  const { allowPrivate, maxBytes, timeoutMs } = options
  const problem = endPointProblem(address, allowPrivate)
  if (problem !== undefined) throw new Error(problem)
  const url = new URL(address)
  const open = url.protocol === 'https:' ? httpsRequest : httpRequest
  const lookup = guardedLookup(options)
  const signal = AbortSignal.timeout(timeoutMs)
  return new Promise((resolve, reject) => {
    const request = open(url, { method: 'GET', agent: false, signal, ...(lookup && { lookup }) })
    request.once('response', (response) => {
      if (response.statusCode !== 200) {
        reject(new Error(`answers ${response.statusCode}, not 200`))
        request.destroy()
        return
      }
      const chunks: Buffer[] = []
      let bytes = 0
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length
        chunks.push(chunk)
        if (bytes <= maxBytes) return
        reject(new Error(`must lead to at most ${maxBytes} bytes`))
        request.destroy()
      })
      response.once('end', () => resolve(Buffer.concat(chunks)))
      response.once('error', (cause) => reject(new Error('cannot be fetched', { cause })))
    })
    request.once('error', (cause) => reject(new Error('cannot be fetched', { cause })))
    request.end()
  })
}
