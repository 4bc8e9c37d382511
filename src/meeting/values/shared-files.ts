/**
 * The space used by the files of one session. The id of a file identifies its account, so that a restart knows it
 * too, but reveals nothing else: a mark of the token and one of the participant, then random characters.
 */
import { createHash } from 'node:crypto'
import { beyondShare, SharedAmount, sharesOf, type Holder } from '../../shares.ts'

const MARK_LENGTH = 11
const NOBODY = '-'.repeat(MARK_LENGTH)
/** An id of an earlier version is shorter and has no account. */
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

  /** Returns the id of the file. @throws {Refusal} PAYLOAD_TOO_LARGE */
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

/** Accounts are identified by marks: the same mark means the same account. */
function accountOf(fileId: string): Partial<Holder> {
  if (fileId.length < MARKED_LENGTH) return {}
  const tokenId = fileId.slice(0, MARK_LENGTH)
  const participantId = fileId.slice(MARK_LENGTH, 2 * MARK_LENGTH)
  return { tokenId, ...(participantId !== NOBODY && { participantId }) }
}
