/** What moderators decide for one session: whether it is locked, and what everybody else may do. */
import { Type, type Static } from 'typebox'

const allowed = (what: string) =>
  Type.Boolean({ description: `Whether participants who do not moderate may ${what}.` })

export const Rules = Type.Object({
  locked: Type.Boolean({
    description: 'Nobody new enters, except with `allow_mod`; who was inside may return.',
  }),
  share: allowed('share their screen'),
  chat: allowed('write to the topic `CHAT`'),
  mic: allowed('turn on their microphone'),
  camera: allowed('turn on their camera'),
})
export type Rules = Static<typeof Rules>

/** The rules of a new session. */
export const openRules: Readonly<Rules> = { locked: false, share: true, chat: true, mic: true, camera: true }
