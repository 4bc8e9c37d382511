/**
 * Permissions: who may do what. Authority comes only from the verified grant (docs/decisions/0001 to 0003).
 */

import type { Grant, Role } from '../../token/token.ts'
import { Refusal } from '../../protocol/errors.ts'

/** The authority of a participant, computed once on admission. */
export interface Authority {
  /** May answer entry requests: everybody who joined with `allow_join`, but not an admitted guest. */
  canAdmit: boolean
  /** Has `allow_mod`. */
  canModerate: boolean
}

/**
 * The actions that affect others. The last six are for callers outside the meeting: to let a removed participant return, to
 * see who is inside, to send a message, to close the meeting for ever, to change its settings, and to manage resources of the project (deliveries,
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
  | 'rename'
  | 'lowerHand'
  | 'setRules'
  | 'poll'
  | 'timer'
  | 'breakouts'
  | 'appoint'
  | 'output'
  | 'invite'
  | 'admitAlways'
  | 'liftRemoval'
  | 'watch'
  | 'speak'
  | 'deactivate'
  | 'configure'
  | 'manage'

/** `grant`: moderating needs `allow_mod`. `open`: everybody inside moderates, as upstream does. */
export type Moderation = 'grant' | 'open'

const needs: Record<Action, keyof Authority> = {
  respondEntry: 'canAdmit',
  invite: 'canAdmit',
  // Beyond this session.
  admitAlways: 'canModerate',
  // Lifting a moderator's removal needs a moderator, see `mayLift`.
  liftRemoval: 'canAdmit',
  watch: 'canAdmit',
  speak: 'canAdmit',
  // As upstream does, for backends whose tokens only join.
  deactivate: 'canAdmit',
  configure: 'canModerate',
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
  rename: 'canModerate',
  lowerHand: 'canModerate',
  setRules: 'canModerate',
  // To ask, and to end what was asked; everybody votes.
  poll: 'canModerate',
  timer: 'canModerate',
  // To open, assign, visit and close breakout rooms.
  breakouts: 'canModerate',
  // To make and unmake co-hosts.
  appoint: 'canModerate',
  // Starting and stopping what leaves the meeting.
  output: 'canModerate',
}

export function can(authority: Authority, action: Action): boolean {
  return authority[needs[action]]
}

/** The authority of somebody whom a moderator made a co-host for this session. */
export const COHOST: Authority = { canAdmit: true, canModerate: true }

/** What a co-host may not do: it stays with those whose tokens say that they moderate. */
const notForCoHosts: ReadonlySet<Action> = new Set(['appoint', 'end', 'admitAlways'])

export function isForCoHosts(action: Action): boolean {
  return !notForCoHosts.has(action)
}

/** The authority that an entry permission gives. */
export function authorityOf(entry: 'direct' | 'moderator' | 'ask', moderation: Moderation): Authority {
  return {
    canAdmit: entry !== 'ask',
    canModerate: entry === 'moderator' || moderation === 'open',
  }
}

/**
 * What a REST call requires of a token: an action on a meeting, or one of these. `switchOff` and `askFor` are about a stream of any
 * kind; `create`, `list` and `find` are about meetings as such and need no permission in one; `enter` asks where to
 * connect; `shareFiles` is for participants; `stream` is for programs that send or receive without a client of ours.
 */
export type OutsideAction =
  Action | 'stream' | 'switchOff' | 'askFor' | 'create' | 'list' | 'find' | 'enter' | 'shareFiles'

interface OutsideRule {
  /** The role that a token with roles must have; absent: every role will do. */
  role?: Role
  /** `entry`: any permission to enter. `allowMod`: the permission itself, whatever MODERATION says. */
  needs: 'nothing' | 'entry' | 'allowMod' | keyof Authority
}

/** An invite passes on its maker's permission, so the maker needs the permission whatever the roles. */
const exceptions: Partial<Record<OutsideAction, OutsideRule>> = {
  invite: { needs: 'canAdmit' },
  // The host does this on the page, with the token of the join.
  configure: { needs: 'canModerate' },
  admitAlways: { needs: 'canModerate' },
  switchOff: { role: 'crawler', needs: 'canModerate' },
  askFor: { role: 'crawler', needs: 'canModerate' },
  // Deliveries and revoked tokens belong to the backend; MODERATION=open only concerns the people inside.
  manage: { role: 'crawler', needs: 'allowMod' },
  stream: { role: 'crawler', needs: 'canAdmit' },
  create: { role: 'crawler', needs: 'nothing' },
  list: { role: 'crawler', needs: 'nothing' },
  find: { role: 'crawler', needs: 'nothing' },
  enter: { role: 'rtc', needs: 'entry' },
  shareFiles: { needs: 'nothing' },
}

const CANNOT_ASK = 'A stream cannot ask to be let in: its token needs allow_join or the role crawler.'

function outsideRule(action: OutsideAction): OutsideRule {
  return exceptions[action] ?? { role: 'crawler', needs: needs[action as Action] }
}

/**
 * Returns why a token does not allow this over REST, if so. A management token (with the role `crawler`) needs no
 * permission; any other token allows what its holder could do inside. A token that only asks to join allows nothing
 * in a meeting over REST.
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
  if (allowed) return undefined
  return action === 'stream' && entry === 'ask'
    ? new Refusal('INVALID_PERMISSIONS', { message: CANNOT_ASK })
    : new Refusal('INVALID_PERMISSIONS')
}

/** The permissions of which a token needs one over REST, for the API document; empty if it needs none. */
export function permissionsFromOutside(action: OutsideAction): readonly string[] {
  const { needs: needed } = outsideRule(action)
  if (needed === 'nothing') return []
  if (needed === 'entry') return ['allow_join', 'allow_mod', 'ask_join']
  return needed === 'canAdmit' ? ['allow_join', 'allow_mod'] : ['allow_mod']
}

/** Whether a token with roles must have `crawler`, and then needs no permission. */
export function isManagement(action: OutsideAction): boolean {
  return outsideRule(action).role === 'crawler'
}

/** Whether a grant that acts from outside is a moderator's: it has `allow_mod` or is a management grant. */
export function managesFromOutside({ roles, entry }: Pick<Grant, 'roles' | 'entry'>): boolean {
  return (roles?.includes('crawler') ?? false) || entry === 'moderator'
}

/**
 * Which messages of a meeting a token may read from outside (docs/decisions/0026): those that its holder could read inside. Private
 * messages are for their recipients, so a token without a participant reads none, unless it is for management or moderation.
 */
export function mayRead(grant: Pick<Grant, 'roles' | 'entry' | 'participantId'>): {
  hearer?: string | null
} {
  return managesFromOutside(grant) ? {} : { hearer: grant.participantId ?? null }
}
