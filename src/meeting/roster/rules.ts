/** Decides what the rules of a session forbid. Pure functions. */
import type { StreamKind } from '../../protocol/media.ts'
import type { Rules } from '../../protocol/rules.ts'
import type { Authority } from './permissions.ts'
import { Refusal } from '../../protocol/errors.ts'

/** The streams that a moderator can switch off or ask for; screen audio goes with the screen. */
export type SwitchableKind = 'audio' | 'video' | 'share'

/** The topic of the chat that everybody reads; other topics belong to apps. */
const CHAT = 'CHAT'

const kinds = {
  audio: { rule: 'mic', group: 'audio', message: 'Only moderators may turn on their microphone now.' },
  video: { rule: 'camera', group: 'video', message: 'Only moderators may turn on their camera now.' },
  share: { rule: 'share', group: 'share', message: 'Only moderators may share their screen now.' },
  shareAudio: { rule: 'share', group: 'share', message: 'Only moderators may share their screen now.' },
} as const satisfies Record<StreamKind, { rule: keyof Rules; group: SwitchableKind; message: string }>

/** Somebody who sends. */
export interface Sender {
  authority: Authority
  /** What a moderator asked this participant to turn on. */
  askedFor: ReadonlySet<SwitchableKind>
}

/** Why this participant may not send a stream of this kind, if so. */
export function refusalToSend(
  rules: Rules,
  { authority, askedFor }: Sender,
  kind: StreamKind,
): Refusal | undefined {
  const { rule, group, message } = kinds[kind]
  if (rules[rule] || authority.canModerate || askedFor.has(group)) return undefined
  return new Refusal('INVALID_PERMISSIONS', { message })
}

/** Why a message to this topic is refused, if so. */
export function refusalToWrite(rules: Rules, canModerate: boolean, topic: string): Refusal | undefined {
  if (rules.chat || canModerate || topic !== CHAT) return undefined
  return new Refusal('INVALID_PERMISSIONS', { message: 'Only moderators may write in the chat now.' })
}

/** The kinds of stream that were allowed before and are not any more. */
export function newlyForbidden(before: Rules, after: Rules): SwitchableKind[] {
  const groups: [SwitchableKind, keyof Rules][] = [
    ['audio', 'mic'],
    ['video', 'camera'],
    ['share', 'share'],
  ]
  return groups.filter(([, rule]) => before[rule] && !after[rule]).map(([kind]) => kind)
}
