/** Makes breakout rooms as meetings of the project, and reaches them on whichever node their homes are. */
import { randomUUID } from 'node:crypto'
import type { BreakoutRooms } from '../meeting/breakouts/rooms.ts'
import type { MeetingHome } from '../meeting/home.ts'
import type { Catalogue } from '../project/catalogue.ts'
import type { KeyRing } from '../project/key-ring.ts'
import { Refusal } from '../protocol/errors.ts'
import { jtiOfBreakout, mintToken } from '../token/token.ts'

/** Longer than people stay; the door of a room asks each time whether the holder is assigned to it. */
const TTL_SECONDS = 12 * 3600

export interface BreakoutParts {
  catalogue: Pick<Catalogue, 'create' | 'disable'>
  keyRing: Pick<KeyRing, 'find'>
  home: () => Pick<MeetingHome, 'view' | 'tellRoom' | 'deactivate'>
  now: () => number
}

export function createBreakoutRooms({ catalogue, keyRing, home, now }: BreakoutParts): BreakoutRooms {
  return {
    create: async ({ projectId, meetingId, settings }, sessionId, name) => {
      const { webhook, geoFence, encryption } = settings
      const room = await catalogue.create(projectId, {
        settings: {
          ...(webhook && { webhook }),
          ...(geoFence !== undefined && { geoFence }),
          ...(encryption && { encryption }),
          breakoutOf: { meetingId, sessionId, name },
        },
      })
      return room.meetingId
    },
    mint: ({ apiKey, entry, tokenId }, { roomId, participantId }) => {
      const key = keyRing.find(apiKey)
      if (!key || key.revoked) throw new Refusal('APIKEY_DEACTIVATED')
      if (entry === undefined) throw new Refusal('INVALID_PERMISSIONS')
      return mintToken({
        apiKey,
        secret: key.secret,
        now: now(),
        permissions: { moderator: ['allow_join', 'allow_mod'], direct: ['allow_join'], ask: ['ask_join'] }[
          entry
        ],
        roomId,
        participantId,
        roles: ['rtc'],
        version: 2,
        expiresInSeconds: TTL_SECONDS,
        jti: jtiOfBreakout(tokenId, randomUUID()),
      })
    },
    people: async (roomId) => {
      const { participants, entering } = await home().view(roomId)
      return [...participants, ...entering].map(({ participantId: id, name }) => ({ id, name }))
    },
    tell: (roomId, event) => home().tellRoom(roomId, event),
    close: async (projectId, roomIds) => {
      for (const roomId of roomIds) {
        const closed = await catalogue.disable(projectId, roomId)
        if (closed) await home().deactivate(closed)
      }
    },
  }
}
