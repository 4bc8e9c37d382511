/** Opens the certificate of the HTTPS listener, and keeps it valid if DOMAIN is set. */
import { readFile } from 'node:fs/promises'
import type { Server as HttpsServer, ServerOptions } from 'node:https'
import { isLoopback, kindOf } from '../addresses.ts'
import { createChallenges } from '../api/certificate/challenges.ts'
import type { CertificateKeeper } from '../api/certificate/keeper.ts'
import { loadCertificate } from '../api/certificate/load.ts'
import type { PlainDoor } from '../api/http/plain-door.ts'
import type { Config } from '../config/read.ts'
import { StartError } from '../errors.ts'
import type { Readings } from '../metrics/metrics.ts'
import type { CertificateStatus } from '../protocol/rest/watching.ts'
import type { Ground } from './ground.ts'

export interface OpenCertificate {
  /** For the listener over HTTPS. */
  options: Pick<ServerOptions, 'cert' | 'key' | 'ALPNCallback'>
  /** For the listener without TLS, if DOMAIN is set. */
  plainDoor: PlainDoor | undefined
  readonly status: CertificateStatus
  /** Begins to obtain and renew the certificate of DOMAIN, for this listener. Call it when both ports are open. */
  keep(listener: Pick<HttpsServer, 'setSecureContext'>): Promise<void>
  close(): void
}

/** @throws {StartError} */
export async function openCertificate({ config, core, parts, now, log }: Ground): Promise<OpenCertificate> {
  const { domain, acmeDirectory: directory, acmeEmail: email, acmeCa } = config
  const first = await loadCertificate({
    certFile: config.tlsCert,
    keyFile: config.tlsKey,
    folder: config.dataDir,
    names: certificateNames(config),
    now,
  })
  const { cert, key, source, expiresAt } = first
  if (domain === undefined)
    return {
      options: { cert, key },
      plainDoor: undefined,
      status: { source, expiresAt },
      keep: () => Promise.resolve(),
      close: () => undefined,
    }

  const ca = acmeCa === undefined ? undefined : await readCa(acmeCa)
  const challenges = createChallenges()
  let keeper: CertificateKeeper | undefined
  return {
    options: { cert, key, ALPNCallback: challenges.chooseProtocol },
    plainDoor: { secureOrigin: new URL(config.publicUrl!).origin, challenges },
    get status(): CertificateStatus {
      const { problem, retryAt, expiresAt: kept } = keeper?.status ?? {}
      return {
        source: kept === undefined ? source : 'acme',
        expiresAt: kept ?? expiresAt,
        ...(problem !== undefined && { problem }),
        ...(retryAt !== undefined && { retryAt }),
      }
    },
    keep: async (listener) => {
      // Loaded here: the library brings along two hundred modules that a server without DOMAIN does not need.
      const { keepCertificate } = await import('../api/certificate/keeper.ts')
      const { openAcmeServer } = await import('../api/certificate/acme.ts')
      keeper = await keepCertificate({
        domain,
        directory,
        acme: openAcmeServer({ directory, email, ca }),
        secrets: core.store.secrets,
        answer: challenges.answer,
        // For new connections only: open ones keep the certificate with which they began.
        use: (pair) => listener.setSecureContext(pair),
        times: parts.certificateTimes,
        now,
        log,
      })
    },
    close: () => keeper?.close(),
  }
}

/** What the metrics say of it. */
export function certificateReading({
  expiresAt,
  problem,
}: CertificateStatus): ReturnType<Readings['certificate']> {
  return { expiresAt, failing: problem !== undefined }
}

function readCa(file: string): Promise<string> {
  return readFile(file, 'utf8').catch((cause: unknown) => {
    throw new StartError(`ACME_CA names ${file}, which cannot be read: correct it or unset it.`, { cause })
  })
}

function certificateNames({ host, announcedAddresses = [], publicUrl }: Config): string[] {
  const names = ['localhost', '127.0.0.1']
  if (!isLoopback(host) && kindOf(host) !== 'any') names.push(host)
  names.push(...announcedAddresses)
  if (publicUrl !== undefined) names.push(new URL(publicUrl).hostname.replace(/^\[|\]$/g, ''))
  return [...new Set(names)]
}
