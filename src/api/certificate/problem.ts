/** Why an ACME server issued no certificate, as one sentence with the cure. Pure functions. */

/** What an ACME server, or the way to it, reported. */
export interface AcmeProblem {
  /**
   * The last part of an error type of RFC 8555 (§6.7), such as `rateLimited`; or `away`: it does not answer; `untrusted`: its
   * own certificate is not trusted; `unknown`.
   */
  type: string
  /** Its own words, or the code of the failed connection. */
  detail: string
  /** The time until the next attempt, if the server named one. */
  retryAfterSeconds?: number | undefined
}

export interface SentenceFacts {
  domain: string
  /** Host of ACME_DIRECTORY. */
  server: string
  /** Port that the ACME server tried to reach, as seen from outside. */
  port: number
}

const MAX_DETAIL_LENGTH = 200

/** The cure for each type of problem. */
const sentences: Record<string, (facts: SentenceFacts, detail: string) => string> = {
  away: ({ server }, detail) =>
    `The ACME server ${server} does not answer (${detail}): check that this machine may connect to it, and ACME_DIRECTORY.`,
  untrusted: ({ server }, detail) =>
    `The certificate of the ACME server ${server} is not trusted (${detail}): name the file of its authority in ACME_CA.`,
  dns: ({ domain }) =>
    `${domain} has no usable address in DNS: set its A record, and AAAA for IPv6, to the public address of this machine.`,
  connection: ({ domain, port }) =>
    `The ACME server cannot reach ${domain} at port ${port}: open TCP ports 80 and 443 in the firewall, and check that the A and AAAA records of the name lead to this machine.`,
  tls: ({ domain, port }) =>
    `The ACME server reaches no server of ours at port ${port} of ${domain}: check that its A and AAAA records lead to this machine, and that nothing else handles TLS there.`,
  unauthorized: ({ domain }) =>
    `${domain} leads to another server, which does not know the challenge: set its A and AAAA records to this machine, and delete those that lead elsewhere.`,
  caa: ({ domain, server }) =>
    `A CAA record in DNS forbids ${server} to issue certificates for ${domain}: change the record, or ACME_DIRECTORY.`,
  rateLimited: ({ server }) =>
    `The ACME server ${server} has issued or refused too many certificates lately (rate limit): leave the server running, it tries again when that is allowed.`,
  rejectedIdentifier: ({ domain, server }) =>
    `The ACME server ${server} issues no certificates for ${domain}: set DOMAIN to a public name, or ACME_DIRECTORY to another server.`,
  invalidContact: () => 'The ACME server does not accept the address in ACME_EMAIL: correct it.',
  externalAccountRequired: ({ server }) =>
    `The ACME server ${server} wants an account that was made elsewhere, which Anteroom cannot use: name another in ACME_DIRECTORY.`,
}
const sameAs: Record<string, string> = {
  incorrectResponse: 'unauthorized',
  unsupportedContact: 'invalidContact',
  unsupportedIdentifier: 'rejectedIdentifier',
}

/** Some servers report a name without an address as a failed connection. */
const UNRESOLVED = /could not resolve|no such host|NXDOMAIN|SERVFAIL/i

/** One sentence: what is wrong, and what to do. */
export function problemSentence({ type, detail }: AcmeProblem, facts: SentenceFacts): string {
  const words = detail.replace(/\s+/g, ' ').slice(0, MAX_DETAIL_LENGTH)
  const known = sentences[type === 'connection' && UNRESOLVED.test(detail) ? 'dns' : (sameAs[type] ?? type)]
  return known
    ? known(facts, words)
    : `The ACME server ${facts.server} issued no certificate (${words || type}): see what it says, then restart the server.`
}

/** Problems of the way to this server, which another kind of challenge may avoid. */
const OF_THE_WAY: ReadonlySet<string> = new Set(['connection', 'tls', 'unauthorized', 'incorrectResponse'])

export function isOfTheWay({ type }: AcmeProblem): boolean {
  return OF_THE_WAY.has(type)
}
