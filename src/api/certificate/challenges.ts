/** Answers the challenges by which an ACME server checks that a name leads here: http-01 (RFC 8555) and tls-alpn-01 (RFC 8737). */
import { createSecureContext, type SecureContext, type TLSSocket } from 'node:tls'
import type { AnswerChallenge } from './acme.ts'

const PATH = '/.well-known/acme-challenge/'
const ACME_PROTOCOL = 'acme-tls/1'
const HTTP_PROTOCOL = 'http/1.1'

export interface Challenges {
  answer: AnswerChallenge
  /** The body of the file at this address; undefined if it is no challenge that goes on. */
  fileAt(url: string): string | undefined
  /** Chooses the protocol of a TLS connection, and the certificate of a challenge; for `ALPNCallback`. */
  chooseProtocol: (
    this: TLSSocket,
    offer: { servername: string; protocols: readonly string[] },
  ) => string | undefined
}

export function createChallenges(): Challenges {
  const files = new Map<string, string>()
  let context: SecureContext | undefined
  return {
    answer: async ({ type, token, keyAuthorization, makeCertificate }) => {
      if (type === 'http-01') {
        files.set(token, keyAuthorization)
        return () => void files.delete(token)
      }
      context = createSecureContext(await makeCertificate())
      return () => (context = undefined)
    },
    fileAt: (url) => (url.startsWith(PATH) ? files.get(url.slice(PATH.length)) : undefined),
    chooseProtocol({ protocols }) {
      if (context && protocols.includes(ACME_PROTOCOL)) {
        this.setKeyCert(context)
        return ACME_PROTOCOL
      }
      return protocols.includes(HTTP_PROTOCOL) ? HTTP_PROTOCOL : undefined
    },
  }
}
