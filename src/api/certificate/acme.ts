/** Asks an ACME server (RFC 8555) for a certificate; the only file that knows the library. */
import { AsyncLocalStorage } from 'node:async_hooks'
import { Agent } from 'node:https'
import { rootCertificates } from 'node:tls'
import { axios, Client, crypto, type Authorization } from 'acme-client'
import type { AcmeProblem } from './problem.ts'

/** The account at an ACME server: its key, and its address once it is registered. */
export interface AcmeAccount {
  /** PEM. */
  key: string
  url?: string | undefined
}

export type ChallengeType = 'http-01' | 'tls-alpn-01'

/** Makes this server answer the challenge until the returned function is called. */
export type AnswerChallenge = (challenge: {
  type: ChallengeType
  token: string
  keyAuthorization: string
  /** Makes the certificate that answers tls-alpn-01. */
  makeCertificate: () => Promise<{ key: string; cert: string }>
}) => Promise<() => void>

export interface AcmeOptions {
  directory: string
  email: string | undefined
  /** PEM of further authorities that are trusted for the directory. */
  ca: string | undefined
}

/** The ACME server issued nothing. `problem` says why. */
export class AcmeError extends Error {
  override readonly name = 'AcmeError'
  readonly problem: AcmeProblem

  constructor(problem: AcmeProblem, options?: ErrorOptions) {
    super(`The ACME server issued no certificate (${problem.type}).`, options)
    this.problem = problem
  }
}

export interface AcmeServer {
  /**
   * Obtains a certificate for one name: PEM of the chain and of its new key. Sets `account.url` when it registers the account.
   * @throws {AcmeError}
   */
  issue(
    domain: string,
    account: AcmeAccount,
    type: ChallengeType,
    answer: AnswerChallenge,
  ): Promise<{ cert: string; key: string }>
}

const REQUEST_TIMEOUT_MS = 30_000
/** How the library asks for the outcome of a challenge or order. */
const POLLING = { backoffAttempts: 12, backoffMin: 1000, backoffMax: 10_000 }
const PROBLEM_PREFIX = 'urn:ietf:params:acme:error:'

/** One run of `issue`: how it connects, and the last problem that the server reported. The library keeps neither. */
interface Run {
  agent: Agent
  problem: AcmeProblem | undefined
}
const runs = new AsyncLocalStorage<Run>()

// Instead of the library's own handler: that waits as long as the server asks for, which may be hours, and loses why a connection failed.
axios.interceptors.response.clear()
axios.interceptors.request.use((config) => {
  const run = runs.getStore()
  return run ? Object.assign(config, { httpsAgent: run.agent, timeout: REQUEST_TIMEOUT_MS }) : config
})
axios.interceptors.response.use(null, (error: { response?: Answer }) => {
  // The library makes every answer an error here, and reads its status later.
  const { response } = error
  if (!response) throw error as Error
  const run = runs.getStore()
  const problem = problemIn(response.data)
  if (run && problem) {
    const asked = Number(response.headers['retry-after'])
    run.problem = { ...problem, ...(asked > 0 && { retryAfterSeconds: asked }) }
  }
  return response
})

interface Answer {
  data: unknown
  headers: Readonly<Record<string, unknown>>
}

export async function newAccountKey(): Promise<string> {
  return String(await crypto.createPrivateEcdsaKey())
}

export function openAcmeServer({ directory, email, ca }: AcmeOptions): AcmeServer {
  const agent = new Agent(ca === undefined ? {} : { ca: [...rootCertificates, ca] })
  return {
    issue: (domain, account, type, answer) =>
      runs.run({ agent, problem: undefined }, async () => {
        try {
          const client = new Client({
            directoryUrl: directory,
            accountKey: account.key,
            ...(account.url !== undefined && { accountUrl: account.url }),
            ...POLLING,
          })
          if (account.url === undefined) {
            await client.createAccount({
              termsOfServiceAgreed: true,
              ...(email !== undefined && { contact: [`mailto:${email}`] }),
            })
            account.url = client.getAccountUrl()
          }
          const order = await client.createOrder({ identifiers: [{ type: 'dns', value: domain }] })
          for (const authorization of await client.getAuthorizations(order))
            if (authorization.status !== 'valid') await authorise(client, authorization, type, answer)
          const key = String(await crypto.createPrivateEcdsaKey())
          const [, request] = await crypto.createCsr({ altNames: [domain] }, key)
          const cert = await client.getCertificate(await client.finalizeOrder(order, request))
          return { cert, key }
        } catch (cause) {
          throw new AcmeError(runs.getStore()?.problem ?? problemOf(cause), { cause })
        }
      }),
  }
}

async function authorise(
  client: Client,
  authorization: Authorization,
  type: ChallengeType,
  answer: AnswerChallenge,
): Promise<void> {
  const challenge = authorization.challenges.find((one) => one.type === type)
  if (!challenge)
    throw new AcmeError({ type: 'unknown', detail: `the server offers no challenge of the type ${type}` })
  const keyAuthorization = await client.getChallengeKeyAuthorization(challenge)
  const finish = await answer({
    type,
    token: challenge.token,
    keyAuthorization,
    makeCertificate: async () => {
      const [key, cert] = await crypto.createAlpnCertificate(authorization, keyAuthorization)
      return { key: String(key), cert: String(cert) }
    },
  })
  try {
    await client.completeChallenge(challenge)
    await client.waitForValidStatus(challenge)
  } finally {
    finish()
  }
}

/** A problem document, or the error of a challenge that failed. */
function problemIn(data: unknown): AcmeProblem | undefined {
  if (typeof data !== 'object' || data === null) return undefined
  const { error } = data as { error?: unknown }
  const { type, detail } = (error ?? data) as { type?: unknown; detail?: unknown }
  if (typeof type !== 'string' || !type.startsWith(PROBLEM_PREFIX)) return undefined
  return { type: type.slice(PROBLEM_PREFIX.length), detail: typeof detail === 'string' ? detail : '' }
}

/** The problem of a request that got no answer, or none of an ACME server. */
function problemOf(cause: unknown): AcmeProblem {
  if (cause instanceof AcmeError) return cause.problem
  const { code, message = '' } = cause as { code?: unknown; message?: string }
  if (typeof code !== 'string') {
    const isAnswer = /returned error 5\d\d/.test(message)
    return { type: isAnswer ? 'away' : 'unknown', detail: message }
  }
  const isUntrusted = /CERT|SIGNATURE|ALTNAME|SELF_SIGNED|UNABLE_TO/.test(code)
  return { type: isUntrusted ? 'untrusted' : 'away', detail: code }
}
