/**
 * Invites (docs/decisions/0013). An invite has an opaque code, never a token. It is bound to a meeting and to an entry no wider than its
 * maker's; it expires, is counted and can be revoked. It ends with the key and the token that made it, and admits nobody to a
 * session from which that token was removed. If its maker used another invite, it also ends with that invite,
 * and each of its uses counts as a use of that invite too.
 */
import { createHash } from 'node:crypto'
import type { InviteCounts, InviteRecord, Page, PageOf, Store } from '../store/store.ts'
import type { Grant } from '../token/token.ts'
import type { KeyRing, RingKey } from './key-ring.ts'
import type { RevokedTokens } from './revoked-tokens.ts'
import { Refusal } from '../protocol/errors.ts'
import { beyond, beyondShare, sharesOf, type Shares } from '../shares.ts'

export interface NewInvite {
  maker: Grant
  meetingId: string
  entry: 'direct' | 'ask'
  expiresInSeconds: number
  maxUses: number | null
}

export interface Invites {
  /**
   * The code is only in this answer. Expiry and uses are limited to what is left of the maker's own invite.
   * @throws {Refusal} INVALID_PERMISSIONS if the maker must ask to join, or its own invite is no longer valid;
   * RATE_LIMITED if the meeting, the maker's token or its participant has reached its limit
   */
  create(invite: NewInvite): Promise<{ code: string; invite: InviteRecord }>
  /**
   * Counts a use, and returns the key that signs the token of its holder.
   * @throws {Refusal} NOT_FOUND if the code is unknown, revoked, expired or used up, if the credentials of its maker
   * are no longer valid, or if its maker was removed
   */
  exchange(code: string): Promise<{ invite: InviteRecord; key: RingKey }>
  /** Newest first. */
  list(meetingId: string, page: Page): Promise<PageOf<InviteRecord>>
  /**
   * Returns false if the meeting has no such valid invite.
   * @throws {Refusal} INVALID_PERMISSIONS for an invite of another token, unless the caller is a moderator
   */
  revoke(by: Grant, meetingId: string, inviteId: string): Promise<boolean>
}

export interface InvitesOptions {
  store: Store
  keys: Pick<KeyRing, 'find' | 'defaultKey'>
  revokedTokens: Pick<RevokedTokens, 'has'>
  /** Returns why this token, or the participant that it is bound to, is kept out of the ongoing session, if it is. */
  refusalOfRemoved: (
    meetingId: string,
    by: Pick<Grant, 'tokenId' | 'participantId'>,
  ) => Promise<Refusal | undefined>
  /** Per meeting. One token makes at most half of them, and one participant a quarter. */
  maxInvites: number
  now: () => number
  randomBytes: (size: number) => Buffer
}

const CODE_BYTES = 18
/** The longest chain of invites in which each maker used the one before. */
const LONGEST_LINE = 16

const hash = (code: string): string => createHash('sha256').update(code).digest('hex')

/**
 * The `jti` of a token that was issued for an invite. It contains the invite's id, so that nothing else has to be stored.
 * @param unique makes the id unique
 */
export const jtiOfInvited = (inviteId: string, unique: string): string => `invite:${inviteId}:${unique}`

function parentOf({ tokenId }: Pick<Grant, 'tokenId'>): string | null {
  return /^jti:invite:([0-9a-f]{24}):/.exec(tokenId)?.[1] ?? null
}

export function createInvites(options: InvitesOptions): Invites {
  const { store, keys, revokedTokens, refusalOfRemoved, maxInvites, now, randomBytes } = options
  const limits = sharesOf(maxInvites)
  const over = ({ meeting, token, participant }: InviteCounts): keyof Shares | undefined =>
    beyond(limits, { session: meeting, token, participant }, { session: 1, token: 1, participant: 1 })
  /** The key that made an invite, if it and the maker's token are still valid. */
  const makerKey = ({ apiKey, tokenId, projectId }: InviteRecord): RingKey | undefined => {
    const key = apiKey === null ? keys.defaultKey(projectId) : keys.find(apiKey)
    const isTokenRevoked = tokenId !== null && revokedTokens.has({ projectId, tokenId })
    return key && !key.revoked && !isTokenRevoked ? key : undefined
  }

  const isMakerRemoved = async ({ meetingId, tokenId, participantId }: InviteRecord): Promise<boolean> => {
    if (tokenId === null) return false
    const maker = { tokenId, ...(participantId !== null && { participantId }) }
    return (await refusalOfRemoved(meetingId, maker)) !== undefined
  }

  /** Returns the invite and its signing key if every invite of the chain is still valid. @throws {Refusal} NOT_FOUND */
  const judge = async (line: readonly InviteRecord[]): Promise<{ invite: InviteRecord; key: RingKey }> => {
    const removed = await Promise.all(line.map(isMakerRemoved))
    const signers = line.map(makerKey)
    const [invite, key] = [line[0], signers[0]]
    if (!invite || !key || signers.includes(undefined) || removed.includes(true))
      throw new Refusal('NOT_FOUND', { message: 'This invite is no longer valid; ask for a new link.' })
    return { invite, key }
  }

  /** The expiry and uses that the maker's own invite leaves; undefined if nothing is left. */
  const leftBy = async (
    parentId: string,
    meetingId: string,
  ): Promise<{ expiresAt: number; uses: number } | undefined> => {
    const line = await store.invites.line(parentId)
    const expiresAt = Math.min(...line.map((invite) => invite.expiresAt))
    const uses = Math.min(...line.map((invite) => (invite.maxUses ?? Infinity) - invite.uses))
    const inForce =
      line.length > 0 &&
      line.length < LONGEST_LINE &&
      expiresAt > now() &&
      uses > 0 &&
      line.every((invite) => invite.meetingId === meetingId && invite.revokedAt === null && makerKey(invite))
    return inForce ? { expiresAt, uses } : undefined
  }

  return {
    create: async ({ maker, meetingId, entry, expiresInSeconds, maxUses }) => {
      if (maker.entry !== 'direct' && maker.entry !== 'moderator') throw new Refusal('INVALID_PERMISSIONS')
      const parentId = parentOf(maker)
      const left = parentId === null ? undefined : await leftBy(parentId, meetingId)
      if (parentId !== null && !left)
        throw new Refusal('INVALID_PERMISSIONS', {
          message: 'The invite that you used does not allow you to invite others.',
        })
      const { expiresAt: until = Infinity, uses = Infinity } = left ?? {}
      const most = Math.min(maxUses ?? Infinity, uses)
      const code = randomBytes(CODE_BYTES).toString('base64url')
      const at = now()
      const invite: InviteRecord = {
        codeHash: hash(code),
        inviteId: randomBytes(12).toString('hex'),
        meetingId,
        projectId: maker.projectId,
        entry,
        createdAt: at,
        expiresAt: Math.min(at + expiresInSeconds * 1000, until),
        maxUses: Number.isFinite(most) ? most : null,
        uses: 0,
        revokedAt: null,
        apiKey: maker.apiKey,
        tokenId: maker.tokenId,
        parentId,
        participantId: maker.participantId ?? null,
      }
      const counts = await store.invites.create(invite, (already) => over(already) !== undefined)
      const limit = counts && over(counts)
      if (limit) throw beyondShare('RATE_LIMITED', limit, 'invites', 'meeting')
      return { code, invite }
    },
    exchange: async (code) => {
      const codeHash = hash(code)
      // Check before counting, so that a refusal uses up none of the ancestors.
      await judge(await store.invites.lineOfCode(codeHash))
      return judge((await store.invites.use(codeHash, now())) ?? [])
    },
    list: (meetingId, page) => store.invites.list(meetingId, page),
    revoke: async (by, meetingId, inviteId) => {
      const invite = await store.invites.get(inviteId)
      if (invite?.meetingId !== meetingId) return false
      const isMaker = invite.apiKey === by.apiKey && invite.tokenId === by.tokenId
      if (!isMaker && by.entry !== 'moderator') throw new Refusal('INVALID_PERMISSIONS')
      return store.invites.revoke(inviteId, now())
    },
  }
}
