/**
 * The room that the files of one session take. The id of a file says on whose account it is, so that a restart knows it
 * too, and nothing else of them: a mark of the token and one of the participant, then what cannot be guessed.
 */
import { createHash } from 'node:crypto'
import { beyondShare, SharedAmount, sharesOf, type Holder } from '../../shares.ts'

const MARK_LENGTH = 11
const NOBODY = '-'.repeat(MARK_LENGTH)
/** One that an earlier version took is shorter, and on nobody's account. */
const MARKED_LENGTH = 2 * MARK_LENGTH + 24

export interface KeptFile {
  fileId: string
  bytes: number
}

export class SharedFiles {
  readonly #room: SharedAmount
  readonly #newSecretId: () => string

  constructor(
    limits: { maxSessionFileBytes: number; maxFileBytes: number },
    { newSecretId, kept }: { newSecretId: () => string; kept: readonly KeptFile[] },
  ) {
    this.#room = new SharedAmount(sharesOf(limits.maxSessionFileBytes, limits.maxFileBytes))
    this.#newSecretId = newSecretId
    for (const file of kept) this.#room.add(accountOf(file.fileId), file.bytes)
  }

  /** Answers the id of the file. @throws {Refusal} PAYLOAD_TOO_LARGE */
  take({ tokenId, participantId }: Holder, bytes: number): string {
    const fileId = markOf(tokenId) + markOf(participantId) + this.#newSecretId()
    const { tokenId: token = '', participantId: participant } = accountOf(fileId)
    const holder = { tokenId: token, ...(participant !== undefined && { participantId: participant }) }
    const over = this.#room.take(holder, bytes)
    if (over) throw beyondShare('PAYLOAD_TOO_LARGE', over, 'files')
    return fileId
  }

  giveBack({ fileId, bytes }: KeptFile): void {
    this.#room.add(accountOf(fileId), -bytes)
  }
}

function markOf(id: string | undefined): string {
  return id === undefined ? NOBODY : createHash('sha256').update(id).digest('base64url').slice(0, MARK_LENGTH)
}

/** By marks: whoever has the same mark has the same account. */
function accountOf(fileId: string): Partial<Holder> {
  if (fileId.length < MARKED_LENGTH) return {}
  const tokenId = fileId.slice(0, MARK_LENGTH)
  const participantId = fileId.slice(MARK_LENGTH, 2 * MARK_LENGTH)
  return { tokenId, ...(participantId !== NOBODY && { participantId }) }
}
