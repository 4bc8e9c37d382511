/**
 * Invites (design, decision 13): an opaque code, never a token; bound to a meeting and to an entry no wider than its
 * maker's, with an expiry, counted, revocable.
 */
import { createHash } from 'node:crypto'
import type { InviteRecord, Store } from '../store/store.ts'
import type { Entry } from '../token/token.ts'
import { Refusal } from '../protocol/errors.ts'

export interface NewInvite {
  /** Of its maker: one who asks may invite nobody. */
  makerEntry: Entry
  meetingId: string
  projectId: string
  entry: 'direct' | 'ask'
  expiresInSeconds: number
  maxUses: number | null
}

export interface Invites {
  /** The code is in this answer and nowhere else. @throws {Refusal} INVALID_PERMISSIONS */
  create(invite: NewInvite): Promise<{ code: string; invite: InviteRecord }>
  /** Counts a use. @throws {Refusal} NOT_FOUND for a code that is unknown, revoked, expired or used up */
  exchange(code: string): Promise<InviteRecord>
  list(meetingId: string): Promise<InviteRecord[]>
  /** False when there is no such invite in force for this meeting. */
  revoke(meetingId: string, inviteId: string): Promise<boolean>
}

export interface InvitesOptions {
  store: Store
  now: () => number
  randomBytes: (size: number) => Buffer
}

const CODE_BYTES = 18

const hash = (code: string): string => createHash('sha256').update(code).digest('hex')

export function createInvites({ store, now, randomBytes }: InvitesOptions): Invites {
  return {
    create: async ({ makerEntry, meetingId, projectId, entry, expiresInSeconds, maxUses }) => {
      if (makerEntry !== 'direct' && makerEntry !== 'moderator') throw new Refusal('INVALID_PERMISSIONS')
      const code = randomBytes(CODE_BYTES).toString('base64url')
      const at = now()
      const invite: InviteRecord = {
        codeHash: hash(code),
        inviteId: randomBytes(12).toString('hex'),
        meetingId,
        projectId,
        entry,
        createdAt: at,
        expiresAt: at + expiresInSeconds * 1000,
        maxUses,
        uses: 0,
        revokedAt: null,
      }
      await store.invites.create(invite)
      return { code, invite }
    },
    exchange: async (code) => {
      const invite = await store.invites.use(hash(code), now())
      if (!invite)
        throw new Refusal('NOT_FOUND', { message: 'This invite does not work any more; ask for a new link.' })
      return invite
    },
    list: (meetingId) => store.invites.list(meetingId),
    revoke: async (meetingId, inviteId) => {
      const there = (await store.invites.list(meetingId)).some((invite) => invite.inviteId === inviteId)
      return there && (await store.invites.revoke(inviteId, now()))
    },
  }
}
