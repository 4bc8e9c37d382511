/**
 * Who may do what. Authority comes from the verified grant alone (design, decisions 1 to 3).
 */

/** What a participant may do, computed once, when it is admitted. */
export interface Authority {
  /** Answers entry requests: everybody who joined on `allow_join`; an admitted guest does not. */
  canAdmit: boolean
  /** Holds `allow_mod`. */
  canModerate: boolean
}

/** The actions that touch others. */
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

/** `grant`: moderating needs `allow_mod`. `open`: everyone inside moderates, as upstream has it. */
export type Moderation = 'grant' | 'open'

const needs: Record<Action, keyof Authority> = {
  respondEntry: 'canAdmit',
  invite: 'canAdmit',
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
