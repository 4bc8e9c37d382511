/** The operator's logo: a file that is read once, at the start. */
import { createHash } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { imageSize } from 'image-size'
import { StartError } from '../../../errors.ts'

const MAX_BYTES = 256 * 1024
/** No screen shows the logo as large as this. */
const MAX_SIDE = 4096
const contentTypes: Readonly<Record<string, string>> = {
  svg: 'image/svg+xml',
  png: 'image/png',
  jpg: 'image/jpeg',
  webp: 'image/webp',
}

export interface Logo {
  bytes: Buffer
  type: string
  width: number
  height: number
  /** Changes with the content, so that browsers may keep it for ever. */
  path: string
}

/** @throws {StartError} the file cannot be read, is too large, or is no picture of these types */
export function readLogo(file: string): Logo {
  const wrong = (why: string, cause?: unknown): StartError => new StartError(`BRAND_LOGO ${why}.`, { cause })
  let bytes: Buffer
  try {
    if (statSync(file).size > MAX_BYTES) throw wrong(`must be at most ${MAX_BYTES / 1024} KiB, not "${file}"`)
    bytes = readFileSync(file)
  } catch (error) {
    if (error instanceof StartError) throw error
    throw wrong(`must be a file that can be read, not "${file}"`, error)
  }
  const { type = '', width, height } = sizeOf(bytes)
  const contentType = contentTypes[type]
  if (contentType === undefined || !(width > 0 && height > 0 && width <= MAX_SIDE && height <= MAX_SIDE))
    throw wrong(
      `must be an SVG, PNG, JPEG or WebP picture of at most ${MAX_SIDE} pixels a side, not "${file}"`,
    )
  const hash = createHash('sha256').update(bytes).digest('base64url').slice(0, 16)
  return { bytes, type: contentType, width, height, path: `/brand/logo-${hash}` }
}

function sizeOf(bytes: Buffer): { type?: string | undefined; width: number; height: number } {
  try {
    return imageSize(bytes)
  } catch {
    return { width: 0, height: 0 }
  }
}
