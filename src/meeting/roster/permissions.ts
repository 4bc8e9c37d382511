/**
 * Who may do what. Authority comes from the verified grant alone (docs/decisions/0001 to 0003).
 */

import type { Grant, Role } from '../../token/token.ts'
import { Refusal } from '../../protocol/errors.ts'

/** What a participant may do, computed once, when it is admitted. */
export interface Authority {
  /** Answers entry requests: everybody who joined on `allow_join`; an admitted guest does not. */
  canAdmit: boolean
  /** Holds `allow_mod`. */
  canModerate: boolean
}

/**
 * The actions that touch others. The last five are for callers that are not inside: to let a removed participant come back, to
 * see who is inside, to say something there, to close the meeting for ever, and to manage what belongs to the project (deliveries,
 * revoked tokens).
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
  | 'liftRemoval'
  | 'watch'
  | 'speak'
  | 'deactivate'
  | 'manage'

/** `grant`: moderating needs `allow_mod`. `open`: everyone inside moderates, as upstream has it. */
export type Moderation = 'grant' | 'open'

const needs: Record<Action, keyof Authority> = {
  respondEntry: 'canAdmit',
  invite: 'canAdmit',
  // A moderator's removal needs a moderator, see `mayLift`.
  liftRemoval: 'canAdmit',
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
 * What a token is asked for over REST: an action on a meeting, or one of these. `switchOff` and `askFor` are about a stream of any
 * kind; `create`, `list` and `find` are about meetings as durable places and need no permission of one; `enter` asks where to
 * connect; `shareFiles` is for those who are inside.
 */
export type OutsideAction =
  Action | 'switchOff' | 'askFor' | 'create' | 'list' | 'find' | 'enter' | 'shareFiles'

interface OutsideRule {
  /** What a token that names roles must name; absent: the call is open to every role. */
  role?: Role
  /** `entry`: any way into a meeting. `allowMod`: the permission itself, whatever MODERATION says. */
  needs: 'nothing' | 'entry' | 'allowMod' | keyof Authority
}

/** An invite gives away what its maker has, so it needs the permission whatever the roles. */
const exceptions: Partial<Record<OutsideAction, OutsideRule>> = {
  invite: { needs: 'canAdmit' },
  switchOff: { role: 'crawler', needs: 'canModerate' },
  askFor: { role: 'crawler', needs: 'canModerate' },
  // Deliveries and revoked tokens belong to the backend; MODERATION=open opens what concerns the people inside.
  manage: { role: 'crawler', needs: 'allowMod' },
  create: { role: 'crawler', needs: 'nothing' },
  list: { role: 'crawler', needs: 'nothing' },
  find: { role: 'crawler', needs: 'nothing' },
  enter: { role: 'rtc', needs: 'entry' },
  shareFiles: { needs: 'nothing' },
}

function outsideRule(action: OutsideAction): OutsideRule {
  return exceptions[action] ?? { role: 'crawler', needs: needs[action as Action] }
}

/**
 * Why a token does not allow this over REST, if it does not. A management token (it names the role `crawler`) needs no
 * permission; any other token allows what its holder could do inside. A token that only asks to enter reaches nothing
 * of a meeting this way.
 */
export function refusalFromOutside(
  { roles, entry }: Pick<Grant, 'roles' | 'entry'>,
  action: OutsideAction,
  moderation: Moderation,
): Refusal | undefined {
  const { role, needs: needed } = outsideRule(action)
  if (role !== undefined && roles && !roles.includes(role)) return new Refusal('UNAUTHORIZED_ROLE')
  if (needed === 'nothing' || (role === 'crawler' && roles?.includes('crawler'))) return undefined
  const allowed =
    needed === 'entry'
      ? entry !== undefined
      : needed === 'allowMod'
        ? entry === 'moderator'
        : entry !== undefined && entry !== 'ask' && authorityOf(entry, moderation)[needed]
  return allowed ? undefined : new Refusal('INVALID_PERMISSIONS')
}

/** The permissions of which a token over REST needs one, for the document of the API; empty where it needs none. */
export function permissionsFromOutside(action: OutsideAction): readonly string[] {
  const { needs: needed } = outsideRule(action)
  if (needed === 'nothing') return []
  if (needed === 'entry') return ['allow_join', 'allow_mod', 'ask_join']
  return needed === 'canAdmit' ? ['allow_join', 'allow_mod'] : ['allow_mod']
}

/** Whether a token that names roles must name `crawler`, and needs no permission when it does. */
export function isManagement(action: OutsideAction): boolean {
  return outsideRule(action).role === 'crawler'
}

/** Whether a grant that acts from outside is a moderator's: it holds `allow_mod`, or is for management. */
export function managesFromOutside({ roles, entry }: Pick<Grant, 'roles' | 'entry'>): boolean {
  return (roles?.includes('crawler') ?? false) || entry === 'moderator'
}

/**
 * Which messages of a meeting a token reads from outside (docs/decisions/0026): what its holder could hear inside. Private
 * messages are for those they name, so a token that is bound to nobody reads none, unless it manages or moderates by itself.
 */
export function mayRead(grant: Pick<Grant, 'roles' | 'entry' | 'participantId'>): {
  hearer?: string | null
} {
  return managesFromOutside(grant) ? {} : { hearer: grant.participantId ?? null }
}
