/**
 * The certificate of the HTTPS listener at its start: the operator's, or a self-signed one in the data folder, which also serves until
 * DOMAIN has its first.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import { join } from 'node:path'
import { StartError } from '../../errors.ts'

export interface Certificate {
  cert: string
  key: string
  /** `self-signed`: people must tell their browsers to trust it. */
  source: 'given' | 'self-signed'
  /** Ms since the epoch. */
  expiresAt: number
}

export interface CertificateOptions {
  /** Paths of PEM files; both or neither. */
  certFile: string | undefined
  keyFile: string | undefined
  folder: string
  /** Names and addresses for the self-signed certificate. */
  names: readonly string[]
  now: () => number
}

const DAY_MS = 86_400_000
const VALID_DAYS = 825
/** The certificate is renewed if it expires sooner than this. */
const RENEW_DAYS = 30

/**
 * Reads the given certificate, or the self-signed one, which is created on first use and renewed before it expires.
 *
 * @throws {StartError} the given one cannot be used, or ours not be written
 */
export async function loadCertificate(options: CertificateOptions): Promise<Certificate> {
  const { certFile, keyFile, folder, names, now } = options
  if (certFile !== undefined && keyFile !== undefined) {
    return readGiven(certFile, keyFile)
  }
  const [ourCert, ourKey] = [join(folder, 'tls', 'cert.pem'), join(folder, 'tls', 'key.pem')]
  try {
    const [cert, key] = [await readFile(ourCert, 'utf8'), await readFile(ourKey, 'utf8')]
    const expiresAt = expiryOf(cert)
    // A start that was killed may have written only one of the two files.
    const isPair = new X509Certificate(cert).checkPrivateKey(createPrivateKey(key))
    if (isPair && expiresAt - now() > RENEW_DAYS * DAY_MS && coversAll(cert, names)) {
      return { cert, key, source: 'self-signed', expiresAt }
    }
  } catch {
    // The file is missing or not a certificate: create a new one.
  }
  const notAfterDate = new Date(now() + VALID_DAYS * DAY_MS)
  // Loaded here: it brings along two hundred modules that no other start needs.
  const { generate } = await import('selfsigned')
  const made = await generate([{ name: 'commonName', value: names[0] ?? 'localhost' }], {
    keyType: 'ec',
    notBeforeDate: new Date(now() - DAY_MS),
    notAfterDate,
    extensions: [
      { name: 'basicConstraints', cA: false },
      { name: 'subjectAltName', altNames: names.map(altName) },
    ],
  })
  try {
    await mkdir(join(folder, 'tls'), { recursive: true, mode: 0o700 })
    await writeFile(ourKey, made.private, { mode: 0o600 })
    await writeFile(ourCert, made.cert, { mode: 0o600 })
  } catch (cause) {
    throw new StartError(
      `The certificate in ${join(folder, 'tls')} cannot be written: check that this user may write there and that the disk has room.`,
      { cause },
    )
  }
  return { cert: made.cert, key: made.private, source: 'self-signed', expiresAt: notAfterDate.getTime() }
}

/**
 * Reads the operator's certificate with its key.
 *
 * @throws {StartError}
 */
export async function readGiven(certFile: string, keyFile: string): Promise<Certificate> {
  const read = (variable: string, file: string): Promise<string> =>
    readFile(file, 'utf8').catch((cause: unknown) => {
      throw new StartError(`${variable} names ${file}, which cannot be read: correct it or unset both.`, {
        cause,
      })
    })
  const parsed = <T>(variable: string, file: string, what: string, parse: () => T): T => {
    try {
      return parse()
    } catch (cause) {
      throw new StartError(`${variable} names ${file}, which does not contain a ${what} in PEM.`, { cause })
    }
  }
  const [cert, key] = [await read('TLS_CERT', certFile), await read('TLS_KEY', keyFile)]
  const certificate = parsed('TLS_CERT', certFile, 'certificate', () => new X509Certificate(cert))
  const privateKey = parsed('TLS_KEY', keyFile, 'private key without a passphrase', () =>
    createPrivateKey(key),
  )
  if (!certificate.checkPrivateKey(privateKey)) {
    throw new StartError(
      `The key that TLS_KEY names does not belong to the certificate that TLS_CERT names: set both to one pair.`,
    )
  }
  return { cert, key, source: 'given', expiresAt: certificate.validToDate.getTime() }
}

function expiryOf(cert: string): number {
  return new X509Certificate(cert).validToDate.getTime()
}

function coversAll(cert: string, names: readonly string[]): boolean {
  const parsed = new X509Certificate(cert)
  return names.every(
    (name) => (isAddress(name) ? parsed.checkIP(name) : parsed.checkHost(name)) !== undefined,
  )
}

function isAddress(name: string): boolean {
  return isIP(name) !== 0
}

function altName(name: string): { type: 7; ip: string } | { type: 2; value: string } {
  return isAddress(name) ? { type: 7, ip: name } : { type: 2, value: name }
}
