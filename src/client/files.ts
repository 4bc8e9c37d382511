/** Files that participants share: kept by the server until the session ends, and given to those who are inside. */
import { MeetingError } from './errors.ts'

/** A file that was shared. To find it, others need the id, which nobody can guess; the name is the sharer's word. */
export interface SharedFile {
  id: string
  name: string
  bytes: number
}

export interface FilesOptions {
  /** The address of the server, with its path. */
  url: string
  token: string
  meetingId: string
  /** The largest file that the server takes, in bytes; 0: none. */
  maxBytes: number
}

const MAX_NAME_LENGTH = 100

export class Files {
  readonly #options: FilesOptions

  constructor(options: FilesOptions) {
    this.#options = options
  }

  /** The largest file that can be shared, in bytes; 0: none can. */
  get maxBytes(): number {
    return this.#options.maxBytes
  }

  /** Shares a file. Tell the others what it returns, for example in a message. @throws {MeetingError} */
  async share(file: Blob, name: string): Promise<SharedFile> {
    const { url, meetingId } = this.#options
    const short = Array.from(name).slice(0, MAX_NAME_LENGTH).join('').toWellFormed() || 'file'
    const answer = await this.#call(`${url}/base64-upload?roomId=${encodeURIComponent(meetingId)}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ fileName: short, base64Data: await dataUrlOf(file) }),
    })
    const { url: address } = (await answer.json()) as { url: string }
    return { id: new URL(address).pathname.split('/').at(-2)!, name: short, bytes: file.size }
  }

  /** Fetches a shared file. Its type follows from its first bytes, and is never one that a browser runs. @throws {MeetingError} */
  async fetch({ id, name }: Pick<SharedFile, 'id' | 'name'>): Promise<Blob> {
    const { url, meetingId } = this.#options
    const path = [meetingId, id, name].map(encodeURIComponent).join('/')
    return (await this.#call(`${url}/files/${path}`)).blob()
  }

  async #call(address: string, init: RequestInit = {}): Promise<Response> {
    const { token } = this.#options
    const headers = new Headers(init.headers)
    headers.set('authorization', token)
    let answer: Response
    try {
      answer = await fetch(address, { ...init, headers })
    } catch (cause) {
      throw new MeetingError(0, 'CONNECTION_FAILED', 'The server cannot be reached.', cause)
    }
    if (answer.ok) return answer
    const refusal = (await answer.json().catch(() => ({}))) as { code?: string; message?: string }
    throw new MeetingError(
      5000,
      refusal.code ?? 'SOMETHING_WENT_WRONG',
      refusal.message ?? 'The server refused the file.',
    )
  }
}

async function dataUrlOf(file: Blob): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader()
    reader.addEventListener('load', () => resolve(reader.result as string))
    reader.addEventListener('error', () =>
      reject(new MeetingError(0, 'FILE_UNREADABLE', 'The file cannot be read.', reader.error)),
    )
    reader.readAsDataURL(file)
  })
}
