/** A bucket of a store that speaks S3 as the store of files. The only code that knows s3mini. */
import { open, type FileHandle } from 'node:fs/promises'
import { Readable } from 'node:stream'
import type { ReadableStream } from 'node:stream/web'
import { S3mini } from 's3mini'
import type { FileStore, S3Place, StoredFile } from './files.ts'
import { md5 } from './checksum.ts'
import { FileStoreError } from './problem.ts'
import { partOf } from './range.ts'

export interface S3Credentials {
  accessKeyId: string
  secretAccessKey: string
}

/** Larger files go in parts of this size; a store takes at least 5 MB, and at most 10 000 of them. */
const PART_BYTES = 16 * 2 ** 20
const MOST_PARTS = 1000
const PAGE = 1000
/** Of no answer at all. */
const ANSWER_MS = 120_000

export function openS3(place: S3Place, credentials: S3Credentials): FileStore {
  const { bucket, prefix, endpoint, region } = place
  const closing = new AbortController()
  const client = new S3mini({
    ...credentials,
    endpoint: addressOf(place),
    region,
    minPartSize: PART_BYTES,
    fetch: (url, init) => fetchFrom(url, init, closing.signal),
  })
  const fullKey = (key: string): string => (prefix === '' ? key : `${prefix}/${key}`)
  const told = <T>(work: () => Promise<T>): Promise<T> =>
    work().catch((cause: unknown) => {
      throw new FileStoreError(sentenceOf(cause, place), { cause: withoutSecrets(cause) })
    })

  /** Size and ETag; undefined if there is none. */
  const look = async (key: string): Promise<{ size: number; etag: string } | undefined> => {
    const etag = await client.getEtag(key)
    return etag === null ? undefined : { size: await client.getContentLength(key), etag }
  }

  const listAll = async (folder: string): Promise<string[]> => {
    const keys: string[] = []
    let token: string | undefined
    do {
      const page = await client.listObjectsPaged('/', fullKey(`${folder}/`), PAGE, token)
      if (!page) throw new Unanswered(`the bucket ${bucket} is not there`)
      keys.push(...(page.objects ?? []).map(({ Key }) => Key))
      token = page.nextContinuationToken
    } while (token !== undefined)
    return keys
  }

  const endUploads = async (start: string): Promise<void> => {
    const listed: object = await client.listMultipartUploads('/', '', 'GET', { prefix: start })
    const { upload, Upload = upload } = listed as Record<'upload' | 'Upload', unknown>
    for (const one of [Upload ?? []].flat() as Record<string, string>[]) {
      const [key, id] = [one.Key ?? one.key, one.UploadId ?? one.uploadId]
      if (key?.startsWith(start) && id !== undefined) await client.abortMultipartUpload(key, id)
    }
  }

  const putWhole = async (key: string, file: FileHandle, size: number, type: string): Promise<string> => {
    const bytes = await readPart(file, 0, size)
    const answer = await client.putObject(key, bytes, type, undefined, contentMd5(bytes), size)
    await answer.body?.cancel()
    return md5(bytes).toString('hex')
  }

  const putParts = async (key: string, file: FileHandle, size: number, type: string): Promise<string> => {
    // Those of a process that was killed.
    await endUploads(key)
    const id = await client.getMultipartUploadId(key, type)
    try {
      const partBytes = partBytesOf(size)
      const parts = []
      for (let at = 0; at < size; at += partBytes) {
        const bytes = await readPart(file, at, Math.min(partBytes, size - at))
        parts.push(
          await client.uploadPart(key, id, bytes, parts.length + 1, {}, undefined, contentMd5(bytes)),
        )
      }
      return (await client.completeMultipartUpload(key, id, parts)).etag
    } catch (error) {
      await client.abortMultipartUpload(key, id).catch(() => undefined)
      throw error
    }
  }

  return {
    place: `s3://${bucket}${prefix === '' ? '' : `/${prefix}`} at ${endpoint}`,
    sizeOf: (key) => told(async () => (await look(fullKey(key)))?.size),
    put: async (plain, path, type) => {
      const key = fullKey(plain)
      const file = await open(path)
      try {
        const { size } = await file.stat()
        await told(async () => {
          const there = await look(key)
          if (there?.size === size && there.etag === (await etagOf(file, size))) return
          const putBytes = size <= PART_BYTES ? putWhole : putParts
          const etag = await putBytes(key, file, size, type)
          const stored = await look(key)
          // A store that encrypts says another ETag than that of the content: then it is the one that it answered before.
          if (stored?.size !== size || (isMd5(etag) && isMd5(stored.etag) && stored.etag !== etag))
            throw new Unanswered('a file did not arrive as it is')
        })
      } finally {
        await file.close()
      }
    },
    read: (key, range) =>
      told(async () => {
        // The store is asked how long a file is only where the range cannot be told without: "the last 500 bytes".
        const isFromEnd = range?.startsWith('bytes=-') === true
        const size = isFromEnd ? (await look(fullKey(key)))?.size : Infinity
        if (size === undefined) return undefined
        const part = partOf(range, size)
        if (part && 'unsatisfiable' in part) return part
        const to = part && Number.isFinite(part.to) ? part.to + 1 : undefined
        const answer = await client
          .getObjectRaw(fullKey(key), part === undefined, part?.from, to)
          .catch((error: unknown) => {
            const status = statusOf(error)
            if (status === 404) return undefined
            if (status === 416) return 'unsatisfiable' as const
            throw error
          })
        if (answer === 'unsatisfiable') return { unsatisfiable: (await look(fullKey(key)))?.size ?? 0 }
        return answer && storedFile(answer)
      }),
    list: (folder) =>
      told(async () =>
        (await listAll(folder)).map((key) => (prefix === '' ? key : key.slice(prefix.length + 1))),
      ),
    drop: (folder) =>
      told(async () => {
        await endUploads(fullKey(`${folder}/`))
        for (const key of await listAll(folder)) await client.deleteObject(key)
      }),
    close: () => closing.abort(),
  }
}

/** The bucket's address. */
function addressOf({ bucket, endpoint, pathStyle }: S3Place): string {
  if (pathStyle) return `${endpoint}/${bucket}`
  const url = new URL(endpoint)
  url.hostname = `${bucket}.${url.hostname}`
  return url.href.replace(/\/$/, '')
}

/** A redirect is another region's or another server's, which the signature is not for. An answer's body may take as long as it is read. */
async function fetchFrom(
  url: string | URL | Request,
  init: RequestInit | undefined,
  closing: AbortSignal,
): Promise<Response> {
  const silent = new AbortController()
  const timer = setTimeout(
    () => silent.abort(new Unanswered(`no answer in ${ANSWER_MS / 1000} s`)),
    ANSWER_MS,
  )
  try {
    const signal = AbortSignal.any([closing, silent.signal])
    return await fetch(url, { ...init, redirect: 'manual', signal })
  } finally {
    clearTimeout(timer)
  }
}

async function readPart(file: FileHandle, at: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length)
  const { bytesRead } = await file.read(bytes, 0, length, at)
  if (bytesRead !== length) throw new Unanswered('a file changed while it was read')
  return bytes
}

/** The store refuses what does not arrive as it was sent. */
const contentMd5 = (bytes: Uint8Array) => ({ 'Content-MD5': md5(bytes).toString('base64') }) as never

const partBytesOf = (size: number): number => Math.max(PART_BYTES, Math.ceil(size / MOST_PARTS))

/** The ETag that a store gives what we send: the MD5 of the content, or of the MD5s of its parts. */
async function etagOf(file: FileHandle, size: number): Promise<string> {
  const sums: Buffer[] = []
  for (let at = 0; at < size || sums.length === 0; at += partBytesOf(size))
    sums.push(md5(await readPart(file, at, Math.min(partBytesOf(size), size - at))))
  return sums.length === 1
    ? sums[0]!.toString('hex')
    : `${md5(Buffer.concat(sums)).toString('hex')}-${sums.length}`
}

const isMd5 = (etag: string): boolean => /^[0-9a-f]{32}(-\d+)?$/.test(etag)

function storedFile({ status, headers, body }: Response): StoredFile {
  const length = Number(headers.get('content-length') ?? 0)
  const [, from, to, of] = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(headers.get('content-range') ?? '') ?? []
  return {
    body: body ? Readable.fromWeb(body as ReadableStream) : Readable.from([]),
    length,
    ...(status === 206 && { part: { from: Number(from), to: Number(to), of: Number(of) } }),
  }
}

class Unanswered extends Error {}

const statusOf = (error: unknown): number | undefined => {
  const { status, cause } = error as { status?: number; cause?: { status?: number } }
  return status ?? cause?.status
}

/** One plain sentence with the cure. */
function sentenceOf(error: unknown, { bucket, endpoint, region }: S3Place): string {
  const status = statusOf(error)
  const { serviceCode: code = 'Unknown' } = error as { serviceCode?: string }
  const says = code === 'Unknown' ? String(status) : `${status} ${code}`
  if (status === 401 || status === 403)
    return `The store at ${endpoint} refuses the access key (${says}): check FILES_ACCESS_KEY_ID, FILES_SECRET_ACCESS_KEY, and what the key may do in the bucket ${bucket}.`
  if (status === 404)
    return `The store at ${endpoint} has no bucket ${bucket}: make it, or name another in FILES_URL.`
  if (status !== undefined && status >= 300 && status < 400)
    return `The bucket ${bucket} is not in the region ${region}: set the region in FILES_URL.`
  if (status !== undefined) return `The store at ${endpoint} answers ${says}.`
  if (error instanceof Unanswered) return `The store at ${endpoint} did not do as asked: ${error.message}.`
  const { code: outer, cause } = error as {
    code?: string
    cause?: { code?: string; cause?: { code?: string } }
  }
  const why = cause?.cause?.code ?? cause?.code ?? outer
  return `The store at ${endpoint} cannot be reached${typeof why === 'string' ? ` (${why})` : ''}.`
}

/** An answer to a bad signature quotes the request. */
function withoutSecrets(error: unknown): unknown {
  return statusOf(error) === undefined ? error : new Error(`status ${statusOf(error)}`)
}
