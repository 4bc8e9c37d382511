/** The checks of `anteroom doctor` for the name of the server and its certificate. */
import { accessSync, constants, existsSync } from 'node:fs'
import { lookup } from 'node:dns/promises'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { readGiven } from '../api/certificate/load.ts'
import { kindOf } from '../addresses.ts'
import type { Config } from '../config/read.ts'
import type { Finding } from './finding.ts'

const DAY_MS = 86_400_000

export async function certificate({ tlsCert, tlsKey, dataDir, domain }: Config): Promise<Finding> {
  const check = 'certificate'
  if (tlsCert !== undefined && tlsKey !== undefined) {
    const given = await readGiven(tlsCert, tlsKey).catch((error: unknown) => error as Error)
    if (given instanceof Error) return { check, verdict: 'bad', says: given.message }
    const days = Math.floor((given.expiresAt - Date.now()) / DAY_MS)
    if (days < 0) return { check, verdict: 'bad', says: `${tlsCert} has expired; replace it` }
    return { check, verdict: days < 14 ? 'note' : 'good', says: `valid for ${days} days` }
  }
  const folder = join(dataDir, 'tls')
  if (existsSync(folder) && !isWritable(folder))
    return { check, verdict: 'bad', says: `${folder} cannot be written by this user; change its owner` }
  if (domain !== undefined)
    return {
      check,
      verdict: 'good',
      says: `the server gets and renews one for ${domain}; its /health says whether that works`,
    }
  const trust = 'browsers must be told to trust it, or set DOMAIN, or TLS_CERT and TLS_KEY'
  return {
    check,
    verdict: 'note',
    says: existsSync(join(folder, 'cert.pem'))
      ? `self-signed, renewed at a start when it is due; ${trust}`
      : `a self-signed one will be made at the first start; ${trust}`,
  }
}

/** Whether DOMAIN leads to this machine, as far as that can be seen from here. */
export async function domain({ domain: name }: Config): Promise<Finding[]> {
  if (name === undefined) return []
  const found = await lookup(name, { all: true }).catch(() => [])
  const own = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? [])
  return [
    domainFinding(
      name,
      found.map(({ address }) => address),
      own.map(({ address }) => address),
    ),
  ]
}

export function domainFinding(name: string, found: readonly string[], own: readonly string[]): Finding {
  const check = 'domain'
  const shown = found.join(' and ')
  if (found.length === 0)
    return {
      check,
      verdict: 'bad',
      says: `${name} has no address in DNS; set its A record, and AAAA for IPv6, to the public address of this machine`,
    }
  const elsewhere = found.filter((address) => !own.includes(address))
  if (elsewhere.length === 0 && found.some((address) => kindOf(address) === 'public'))
    return { check, verdict: 'good', says: `${name} is ${shown}, which is this machine` }
  if (found.every((address) => kindOf(address) !== 'public'))
    return {
      check,
      verdict: 'note',
      says: `${name} is ${shown} here, which is not a public address; a public ACME server looks it up elsewhere`,
    }
  return {
    check,
    verdict: 'note',
    says: `${name} is ${shown}, and ${elsewhere.join(' and ')} is not of this machine; fine if TCP 80 and 443 are forwarded here from there`,
  }
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK)
    return true
  } catch {
    return false
  }
}
