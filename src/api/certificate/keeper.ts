/** Keeps a certificate for DOMAIN: obtains it, stores it, renews it, and says what is wrong if it cannot. */
import { createPrivateKey, X509Certificate } from 'node:crypto'
import type { Logger } from 'pino'
import type { Store } from '../../store/store.ts'
import {
  AcmeError,
  newAccountKey,
  type AcmeAccount,
  type AcmeServer,
  type AnswerChallenge,
  type ChallengeType,
} from './acme.ts'
import { isOfTheWay, problemSentence, type AcmeProblem } from './problem.ts'
import { renewalAt, retryDelayMs, type RetryTimes } from './times.ts'

export interface KeeperOptions {
  domain: string
  directory: string
  acme: AcmeServer
  secrets: Pick<Store['secrets'], 'get' | 'set'>
  answer: AnswerChallenge
  /** Puts a certificate in use. Connections that are open keep theirs. */
  use: (pair: { cert: string; key: string }) => void
  times?: RetryTimes | undefined
  now: () => number
  log: Pick<Logger, 'info' | 'error'>
}

/** What is known about the certificate that is in use. */
export interface KeptStatus {
  /** Undefined: there is none yet. */
  expiresAt: number | undefined
  /** Why the last attempt to obtain a new one failed, and what to do. */
  problem: string | undefined
  /** When the next attempt is made, if the last one failed. */
  retryAt: number | undefined
}

export interface CertificateKeeper {
  readonly status: KeptStatus
  close(): void
}

interface Kept {
  cert: string
  key: string
  issuedAt: number
  expiresAt: number
}

/** Names of the sealed values in the store. */
const ACCOUNT = 'acme.account'
const CERTIFICATE = 'acme.certificate'
/** A timer runs no longer than this, so that a clock that was set is noticed. */
const LONGEST_TIMER_MS = 3_600_000
const HTTP_PORT = 80
const HTTPS_PORT = 443

/** Puts the stored certificate in use, and starts to obtain or renew one in the background. */
export async function keepCertificate(options: KeeperOptions): Promise<CertificateKeeper> {
  const { domain, directory, secrets, acme, answer, use, times, now, log } = options
  const server = new URL(directory).host
  let kept = readKept(await secrets.get(CERTIFICATE), { domain, directory, now: now() })
  if (kept) use(kept)
  let failures = 0
  let problem: string | undefined
  let retryAt: number | undefined
  let timer: NodeJS.Timeout | undefined
  let isClosed = false

  const issue = async (): Promise<Kept> => {
    const account = await readAccount(secrets, directory)
    const known = account.url
    try {
      const pair = await issueByEither(domain, acme, account, answer)
      const issued = described(pair)
      await secrets.set(CERTIFICATE, JSON.stringify({ domain, directory, ...pair }))
      return issued
    } catch (error) {
      // The server no longer knows the account: register again at the next attempt.
      if (error instanceof AcmeError && error.problem.type === 'accountDoesNotExist') account.url = undefined
      throw error
    } finally {
      if (account.url !== known) await secrets.set(ACCOUNT, JSON.stringify({ directory, ...account }))
    }
  }

  const turn = async (): Promise<void> => {
    const at = now()
    const dueAt = retryAt ?? (kept ? renewalAt(kept) : at)
    if (at < dueAt) {
      wait(dueAt - at)
      return
    }
    try {
      const issued = await issue()
      if (isClosed) return
      kept = issued
      use(kept)
      failures = 0
      problem = retryAt = undefined
      log.info({ domain, expiresAt: kept.expiresAt }, 'obtained a certificate')
      wait(renewalAt(kept) - now())
    } catch (error) {
      if (isClosed) return
      failures++
      const found: AcmeProblem =
        error instanceof AcmeError ? error.problem : { type: 'unknown', detail: (error as Error).message }
      problem = problemSentence(found, { domain, server, port: portOf(found) })
      const delay = retryDelayMs(failures, found.retryAfterSeconds, times)
      retryAt = now() + delay
      log.error(
        { domain, reason: problem, type: found.type, detail: found.detail.slice(0, 500), retryAt },
        'failed to obtain a certificate',
      )
      wait(delay)
    }
  }
  const wait = (ms: number): void => {
    if (isClosed) return
    timer = setTimeout(() => void turn(), Math.min(Math.max(ms, 0), LONGEST_TIMER_MS)).unref()
  }
  wait(0)
  return {
    get status() {
      return { expiresAt: kept?.expiresAt, problem, retryAt }
    },
    close: () => {
      isClosed = true
      clearTimeout(timer)
    },
  }
}

/** Tries port 80 first. If the ACME server does not get here that way, tries port 443. */
async function issueByEither(
  domain: string,
  acme: AcmeServer,
  account: AcmeAccount,
  answer: AnswerChallenge,
): Promise<{ cert: string; key: string }> {
  const by = (type: ChallengeType) => acme.issue(domain, account, type, answer)
  try {
    return await by('http-01')
  } catch (error) {
    if (!(error instanceof AcmeError) || !isOfTheWay(error.problem)) throw error
    try {
      return await by('tls-alpn-01')
    } catch {
      // The first error names the port that people expect to be open.
      throw error
    }
  }
}

function portOf({ type }: AcmeProblem): number {
  return type === 'tls' ? HTTPS_PORT : HTTP_PORT
}

/** The stored account at this ACME server; else a new one, which is not registered yet. */
async function readAccount(secrets: KeeperOptions['secrets'], directory: string): Promise<AcmeAccount> {
  const stored = await secrets.get(ACCOUNT)
  if (stored !== undefined) {
    const { directory: of, key, url } = JSON.parse(stored) as AcmeAccount & { directory: string }
    if (of === directory) return { key, url }
  }
  return { key: await newAccountKey() }
}

/** Undefined if there is none, or if it is for another name, from another server, or expired. */
function readKept(
  stored: string | undefined,
  { domain, directory, now }: { domain: string; directory: string; now: number },
): Kept | undefined {
  if (stored === undefined) return undefined
  const { cert, key, ...of } = JSON.parse(stored) as Kept & { domain: string; directory: string }
  if (of.domain !== domain || of.directory !== directory) return undefined
  const kept = described({ cert, key })
  return kept.expiresAt > now ? kept : undefined
}

/** @throws {Error} if the server sent a certificate of another key */
function described({ cert, key }: { cert: string; key: string }): Kept {
  const parsed = new X509Certificate(cert)
  if (!parsed.checkPrivateKey(createPrivateKey(key)))
    throw new Error('the certificate does not belong to the key')
  return { cert, key, issuedAt: parsed.validFromDate.getTime(), expiresAt: parsed.validToDate.getTime() }
}
