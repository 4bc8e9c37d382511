/** Reads the fragments that a client sends to its session: candidates, or the credentials of an ICE restart (RFC 8840). */
import { Refusal } from '../../protocol/errors.ts'
import { malformed, readIce, type IceCredentials } from './offer.ts'

const LINE = /^[a-z]=.*$/
const UFRAG = 'a=ice-ufrag:'
const PASSWORD = 'a=ice-pwd:'

/**
 * The credentials in a fragment, if it has any. Candidates are left out: the media server learns the client's address from its
 * first packet.
 * @throws {Refusal} INVALID_REQUEST, UNPROCESSABLE
 */
export function readFragment(text: string): IceCredentials | undefined {
  const lines = text.split(/\r?\n/).filter((line) => line !== '')
  if (lines.length === 0 || !lines.every((line) => LINE.test(line)))
    throw malformed('The body must be an SDP fragment.')
  const valueOf = (name: string): string | undefined =>
    lines.find((line) => line.startsWith(name))?.slice(name.length)
  const [usernameFragment, password] = [valueOf(UFRAG), valueOf(PASSWORD)]
  if (usernameFragment === undefined && password === undefined) return undefined
  if (usernameFragment === undefined || password === undefined)
    throw new Refusal('UNPROCESSABLE', {
      message: 'Send ice-ufrag and ice-pwd together, or neither of them.',
    })
  return readIce(usernameFragment, password)
}

/** `restart`: new ICE credentials are made. `trickle`: the candidates are accepted. */
export type Patch = 'restart' | 'trickle'

/**
 * What a PATCH asks for (RFC 9725, section 4.3).
 * @throws {Refusal} PRECONDITION_REQUIRED, PRECONDITION_FAILED
 */
export function decidePatch(
  ifMatch: string | undefined,
  sent: IceCredentials | undefined,
  session: { etag: string; ice: IceCredentials },
): Patch {
  if (ifMatch === undefined || ifMatch.trim() === '') throw new Refusal('PRECONDITION_REQUIRED')
  const tags = ifMatch.split(',').map((tag) => tag.trim())
  if (!tags.includes('*') && !tags.includes(session.etag)) throw new Refusal('PRECONDITION_FAILED')
  const isNew = sent !== undefined && sent.usernameFragment !== session.ice.usernameFragment
  return isNew ? 'restart' : 'trickle'
}
