/** How a route declares what a call is about: the project, or one meeting. */
import type { JobKind, OutputKind } from '../../store/store.ts'
import type { Refusal } from '../../protocol/errors.ts'

/** The checked fields of a request, in the types of its description. */
export interface Fields {
  params: unknown
  query: unknown
  body: unknown
}

export interface StreamNamed {
  way: 'send' | 'receive'
  id: string
  participantId?: string | undefined
}

/**
 * What a call is about. `project`: no single meeting, so a token for one meeting is refused first. Otherwise the
 * meeting, given by its own id, by one of its sessions, by a delivery, by an output, by a WHIP or WHEP session or by a job; the first one that is given counts.
 */
export type About<F extends Fields = Fields> = 'project' | MeetingNamed<F>

export interface MeetingNamed<F extends Fields = Fields> {
  meeting?(asked: F): string | undefined
  session?(asked: F): string | undefined
  delivery?(asked: F): string | undefined
  /** Of any kind, unless one is given. */
  output?(asked: F): { kind?: OutputKind; outputId: string } | undefined
  /** The session of a WHIP or WHEP client. */
  stream?(asked: F): StreamNamed
  job?(asked: F): { kinds: readonly JobKind[]; jobId: string }
  /** If nothing is given: whether the call is about the project or is refused. Default: refused. */
  unnamed?: 'project'
  /**
   * If the meeting does not exist: whether the call creates it, or answers that there is nothing. A function makes the refusal
   * that published clients expect. Default: refused as not found.
   */
  missing?: 'create' | 'nothing' | ((anyId: string) => Refusal)
}
