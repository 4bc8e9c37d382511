/** MD5 of a file, as stores compare files by it; against mistakes, not against attacks. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'

/** In hex. */
export async function md5Of(file: string): Promise<string> {
  const hash = createHash('md5')
  await pipeline(createReadStream(file), hash)
  return hash.digest('hex')
}

export const md5 = (bytes: Uint8Array): Buffer => createHash('md5').update(bytes).digest()
