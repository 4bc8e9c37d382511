/** The gauges of the certificate of the HTTPS listener. */
import { Gauge, type Registry } from 'prom-client'

export interface CertificateReading {
  /** Ms since the epoch. */
  expiresAt: number
  /** Whether the last attempt to obtain a new one failed. */
  failing: boolean
}

/** Reads at each scrape. @param read undefined until the listener is open */
export function addCertificateGauges(
  registers: Registry[],
  read: () => CertificateReading | undefined,
): void {
  new Gauge({
    registers,
    name: 'anteroom_certificate_expires_timestamp_seconds',
    help: 'When the certificate of the HTTPS listener expires, in seconds since the epoch.',
    collect() {
      this.remove()
      const { expiresAt } = read() ?? {}
      if (expiresAt !== undefined) this.set(Math.floor(expiresAt / 1000))
    },
  })
  new Gauge({
    registers,
    name: 'anteroom_certificate_failing',
    help: '1 while the last attempt to obtain or renew the certificate of DOMAIN has failed, else 0.',
    collect() {
      this.set(read()?.failing === true ? 1 : 0)
    },
  })
}
