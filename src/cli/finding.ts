/** What a check of `anteroom doctor` found. */

/** `bad`: it will not work. `note`: it works, with a limit worth knowing. */
type Verdict = 'good' | 'note' | 'bad'

export interface Finding {
  check: string
  verdict: Verdict
  says: string
}
