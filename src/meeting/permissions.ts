/**
 * Who may do what. Authority comes from the verified grant alone (design, decisions 1 to 3).
 */

import type { Grant } from '../token/token.ts'

/** What a participant may do, computed once, when it is admitted. */
export interface Authority {
  /** Answers entry requests: everybody who joined on `allow_join`; an admitted guest does not. */
  canAdmit: boolean
  /** Holds `allow_mod`. */
  canModerate: boolean
}

/**
 * The actions that touch others. The last four are of those who are not inside: to see who is, to say something there, to
 * close the meeting for ever, and to work on what is the project's (deliveries, tokens taken back).
 */
export type Action =
  | 'respondEntry'
  | 'disableMic'
  | 'disableWebcam'
  | 'disableShare'
  | 'askMic'
  | 'askWebcam'
  | 'askShare'
  | 'remove'
  | 'end'
  | 'pin'
  | 'switch'
  | 'invite'
  | 'watch'
  | 'speak'
  | 'deactivate'
  | 'manage'

/** `grant`: moderating needs `allow_mod`. `open`: everyone inside moderates, as upstream has it. */
export type Moderation = 'grant' | 'open'

const needs: Record<Action, keyof Authority> = {
  respondEntry: 'canAdmit',
  invite: 'canAdmit',
  watch: 'canAdmit',
  speak: 'canAdmit',
  // As upstream has it, for backends whose tokens only join.
  deactivate: 'canAdmit',
  manage: 'canModerate',
  disableMic: 'canModerate',
  disableWebcam: 'canModerate',
  disableShare: 'canModerate',
  askMic: 'canModerate',
  askWebcam: 'canModerate',
  askShare: 'canModerate',
  remove: 'canModerate',
  end: 'canModerate',
  pin: 'canModerate',
  switch: 'canModerate',
}

export function can(authority: Authority, action: Action): boolean {
  return authority[needs[action]]
}

/** The authority of one who holds this entry permission. */
export function authorityOf(entry: 'direct' | 'moderator' | 'ask', moderation: Moderation): Authority {
  return {
    canAdmit: entry !== 'ask',
    canModerate: entry === 'moderator' || moderation === 'open',
  }
}

/**
 * What a token allows over REST: one for management (the role `crawler` is named) all, another what its holder could do
 * inside. One who must ask to come in reaches nothing of a meeting this way.
 */
export function canFromOutside(
  { roles, entry }: Pick<Grant, 'roles' | 'entry'>,
  action: Action,
  moderation: Moderation,
): boolean {
  if (roles?.includes('crawler')) return true
  return entry !== undefined && entry !== 'ask' && can(authorityOf(entry, moderation), action)
}

/** Whether a grant that acts from outside is a moderator's: it holds `allow_mod`, or is for management. */
export function managesFromOutside({ roles, entry }: Pick<Grant, 'roles' | 'entry'>): boolean {
  return (roles?.includes('crawler') ?? false) || entry === 'moderator'
}

/**
 * Which messages of a meeting a token reads from outside (design, decision 26): what its holder could hear inside. Private
 * messages are for those they name, so a token that is bound to nobody reads none, unless it manages or moderates by itself.
 */
export function mayRead(grant: Pick<Grant, 'roles' | 'entry' | 'participantId'>): {
  hearer?: string | null
} {
  return managesFromOutside(grant) ? {} : { hearer: grant.participantId ?? null }
}
