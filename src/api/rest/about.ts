/** How a route says what a call of it is about: the project, or one meeting. */
import type { Refusal } from '../../protocol/errors.ts'

/** The checked fields of a request, in the types of its description. */
export interface Fields {
  params: unknown
  query: unknown
  body: unknown
}

/**
 * What a call is about. `project`: no single meeting, so that a token for one is refused before all else. Otherwise the
 * meeting, named by itself, by one of its sessions or by a delivery; the first that is named counts.
 */
export type About<F extends Fields = Fields> = 'project' | MeetingNamed<F>

export interface MeetingNamed<F extends Fields = Fields> {
  meeting?(asked: F): string | undefined
  session?(asked: F): string | undefined
  delivery?(asked: F): string | undefined
  /** Where nothing is named: the call is about the project, or it is refused. Default: refused. */
  unnamed?: 'project'
  /**
   * Where the named meeting does not exist: the call makes it, or answers that there is nothing; a function makes the refusal
   * that published clients look for. Default: refused as not found.
   */
  missing?: 'create' | 'nothing' | ((anyId: string) => Refusal)
}
