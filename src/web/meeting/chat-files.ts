/** Files in the chat: what a message says of one, and how it is shown. */
import type { ChatMessage, Files, SharedFile } from '../../client/client.ts'

/** Types that an image element shows and that hold no script; the server finds them out from the first bytes. */
const PICTURES = /^image\/(png|jpeg|gif|webp)$/
const PICTURE_NAMES = /\.(png|jpe?g|gif|webp)$/i
const FILE_ID = /^[A-Za-z0-9_-]{8,64}$/
const MAX_NAME_LENGTH = 100

/** The payload of a message with a file. Published clients show the text alone, which is the name. */
export const filePayload = (file: SharedFile): { file: SharedFile } => ({ file })

/** The file of a message. What others sent is checked: an id, never an address, so that our token goes nowhere else. */
export function fileOf({ payload }: Pick<ChatMessage, 'payload'>): SharedFile | undefined {
  const file = (payload as { file?: unknown } | null | undefined)?.file
  if (typeof file !== 'object' || file === null) return undefined
  const { id, name, bytes } = file as Record<string, unknown>
  if (typeof id !== 'string' || !FILE_ID.test(id)) return undefined
  if (typeof name !== 'string' || name === '' || name.length > 2 * MAX_NAME_LENGTH || !name.isWellFormed())
    return undefined
  if (typeof bytes !== 'number' || !Number.isSafeInteger(bytes) || bytes < 0) return undefined
  return { id, name, bytes }
}

/** Whether it is worth fetching to look whether it is a picture. */
export function mayBePicture({ name }: Pick<SharedFile, 'name'>): boolean {
  return PICTURE_NAMES.test(name)
}

/** "1.2 MB", in the language that is shown. */
export function sizeText(bytes: number, locale: string): string {
  const [value, unit] = bytes < 1_000_000 ? [bytes / 1000, 'kilobyte'] : [bytes / 1_000_000, 'megabyte']
  const maximumFractionDigits = value < 10 ? 1 : 0
  return new Intl.NumberFormat(locale, { style: 'unit', unit, maximumFractionDigits }).format(value)
}

/** The pictures of the chat, each fetched once. */
export class ChatPictures {
  readonly #files: Pick<Files, 'fetch'>
  readonly #addresses = new Map<string, Promise<string | undefined>>()

  constructor(files: Pick<Files, 'fetch'>) {
    this.#files = files
  }

  /** An address of this page for the picture; undefined if the file is none, or cannot be fetched. */
  addressOf(file: SharedFile): Promise<string | undefined> {
    let address = this.#addresses.get(file.id)
    if (!address) {
      address = this.#files.fetch(file).then(
        (blob) => (PICTURES.test(blob.type) ? URL.createObjectURL(blob) : undefined),
        () => {
          // It may be there the next time that it is looked at.
          this.#addresses.delete(file.id)
          return undefined
        },
      )
      this.#addresses.set(file.id, address)
    }
    return address
  }

  /** Frees their memory. */
  close(): void {
    for (const address of this.#addresses.values())
      void address.then((one) => {
        if (one !== undefined) URL.revokeObjectURL(one)
      })
    this.#addresses.clear()
  }
}

const SAVED_AFTER_MS = 60_000

/** Has the browser save this under a name, and never open it. */
export function saveAs(content: Blob, name: string): void {
  const address = URL.createObjectURL(new Blob([content], { type: 'application/octet-stream' }))
  const link = document.createElement('a')
  link.href = address
  link.download = name
  link.click()
  // The browser has the file by then.
  setTimeout(() => URL.revokeObjectURL(address), SAVED_AFTER_MS)
}
