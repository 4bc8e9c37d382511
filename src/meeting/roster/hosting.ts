/** Hosting: the rules of a session, who moderates with the moderators, and what they do for others. */
import type { Rules } from '../../protocol/rules.ts'
import type { Audience } from '../link.ts'
import type { Entrance } from '../door/entrance.ts'
import type { SessionLifecycle } from '../session/lifecycle.ts'
import type { Moderation } from './moderation.ts'
import type { Participant } from './participant.ts'
import type { Roster } from './roster.ts'
import { Refusal } from '../../protocol/errors.ts'
import { leaveReasons } from '../../protocol/leave-reasons.ts'
import { pausedTimer, rulesOf, timerOf, withCoHost } from '../session/decisions.ts'
import { assertMay } from './actor.ts'
import { COHOST } from './permissions.ts'
import { newlyForbidden } from './rules.ts'

export interface HostingOptions {
  roster: Roster
  sessions: SessionLifecycle
  entrance: Entrance
  everyone: Audience
  moderation: Moderation
  now: () => number
}

/** The topic of raised hands, of which apps on the published client show the messages too. */
const HANDS = 'RAISE_HAND'

export class Hosting {
  readonly #options: HostingOptions

  constructor(options: HostingOptions) {
    this.#options = options
  }

  /** Changes rules; what they forbid ends at once for everybody who does not moderate. */
  async setRules(by: Participant, changed: Partial<Rules>): Promise<void> {
    assertMay(by, 'setRules')
    const { sessions, roster, everyone, moderation } = this.#options
    const session = sessions.required
    await session.inTurn(async () => {
      assertMay(by, 'setRules')
      const { decisions } = session
      const rules = { ...decisions.rules, ...changed }
      await session.decide({ ...decisions, rules })
      if (sessions.current !== session) return
      const forbidden = newlyForbidden(decisions.rules, rules)
      for (const { askedFor } of roster.all()) for (const kind of forbidden) askedFor.delete(kind)
      everyone.notify(rulesOf(session.decisions))
      if (rules.locked) this.#turnAway()
    })
    await Promise.all(roster.joined().map((participant) => moderation.enforce(by, participant)))
  }

  /** Makes a participant a co-host for this session, or takes that back. */
  async appoint(by: Participant, targetId: string, is: boolean): Promise<void> {
    assertMay(by, 'appoint')
    const { sessions, roster, everyone, moderation, entrance } = this.#options
    const session = sessions.required
    await session.inTurn(async () => {
      assertMay(by, 'appoint')
      const target = roster.require(targetId)
      if (target.relayed)
        throw new Refusal('INVALID_STATE', { message: 'A relayed participant cannot moderate.' })
      // Nothing to add to a moderator, and nothing to take.
      if (target.isCoHost === is || (is && target.authority.canModerate)) return
      await session.decide(
        withCoHost(session.decisions, { participantId: target.id, tokenId: target.tokenId }, is),
      )
      // The same person may have left and come back while it was written.
      const holder = roster.get(targetId)
      if (holder?.tokenId === target.tokenId) {
        holder.isCoHost = is
        roster.setAuthority(holder, is ? COHOST : entrance.authorityOf(holder.grant))
      }
      everyone.notify(rulesOf(session.decisions))
    })
    const target = roster.get(targetId)
    if (!is && target?.joined) await moderation.enforce(by, target)
  }

  /** Starts a timer for all in place of the one that runs; null stops it. */
  async setTimer(by: Participant, seconds: number | null): Promise<void> {
    assertMay(by, 'timer')
    const { sessions, everyone, now } = this.#options
    const session = sessions.required
    await session.inTurn(async () => {
      assertMay(by, 'timer')
      const timer = seconds === null ? undefined : { totalMs: seconds * 1000, endsAt: now() + seconds * 1000 }
      await session.decide({ ...session.decisions, timer })
      if (sessions.current === session) everyone.notify(timerOf(session.decisions, now()))
    })
  }

  /** Pauses the timer of all, or lets it go on. Does nothing if there is none, or it has run out. */
  async pauseTimer(by: Participant, paused: boolean): Promise<void> {
    assertMay(by, 'timer')
    const { sessions, everyone, now } = this.#options
    const session = sessions.required
    await session.inTurn(async () => {
      assertMay(by, 'timer')
      const timer = pausedTimer(session.decisions.timer, paused, now())
      if (!timer) return
      await session.decide({ ...session.decisions, timer })
      if (sessions.current === session) everyone.notify(timerOf(session.decisions, now()))
    })
  }

  /** Gives another participant a name. */
  rename(by: Participant, targetId: string, name: string): void {
    assertMay(by, 'rename')
    this.#options.roster.changeDisplayName(this.#options.roster.require(targetId), name)
  }

  /** Lowers the hands of participants, with a message as they would send it. Those who left are passed over. */
  async lowerHands(by: Participant, ids: readonly string[]): Promise<void> {
    assertMay(by, 'lowerHand')
    const { roster, sessions } = this.#options
    const { chat } = sessions.required
    const payload = Buffer.from(JSON.stringify({ raised: false, by: by.id }))
    for (const id of new Set(ids)) {
      const target = roster.get(id)
      if (!target?.joined) continue
      const { name, authority } = target
      await chat.publish(
        { id, name, authority, joined: true, holder: by.holder },
        { topic: HANDS, message: 'Lower hand', payload, persist: true, sendOnly: [], messageId: '' },
      )
    }
  }

  /** Nobody waits at a locked door. */
  #turnAway(): void {
    const reason = { code: leaveReasons.UNKNOWN, message: 'MEETING_LOCKED' }
    this.#options.entrance.turnAway(() => true, reason, new Refusal('MEETING_LOCKED'))
  }
}
