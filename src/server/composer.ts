/**
 * The composer's settings on this machine: its programs, how many compositions run at once, and the addresses at which
 * browsers reach this server.
 */
import { createHash, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { availableParallelism, networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { inUrl, isLoopback, kindOf } from '../addresses.ts'
import type { Config } from '../config/read.ts'
import { ownLoopback } from '../loopback.ts'
import type { ComposerOptions } from '../output/create.ts'
import { findPrograms } from '../output/programs.ts'
import { isPublicAddress } from '../webhook/guard.ts'
import { newId, type Ground } from './ground.ts'

/** Base addresses that answer, plain first; empty until the ports are open. */
export type OwnAddresses = () => readonly string[]

export function composerOptions(ground: Ground, urls: OwnAddresses): ComposerOptions {
  const { config, log } = ground
  const host = kindOf(config.host) === 'any' || config.host === 'localhost' ? ownLoopback() : config.host
  const pageUrl = (): string => `http://${inUrl(host)}:${new URL(urls()[0]!).port || '80'}`
  return {
    ...findPrograms(config, process.env.PATH ?? ''),
    folder: join(config.dataDir, 'browsers'),
    maxCompositions: config.maxCompositions,
    cores: availableParallelism(),
    diskReserveBytes: config.diskReserveMegabytes * 1_000_000,
    pageUrl,
    isRoot: process.getuid?.() === 0,
    guard: {
      mayReach: mayReach(config),
      inside: insideOf(ground, urls, host),
      ownKeys: () => ownKeys(config),
    },
    newName: newId,
    now: ground.now,
    log,
  }
}

/** Where pages, livestreams and uploads may connect to. */
export function mayReach({ outputsAllowPrivate }: Config): ComposerOptions['guard']['mayReach'] {
  return outputsAllowPrivate ? () => true : isPublicAddress
}

/** Where this machine finds this server, for those of its places that a page reaches it by. */
function insideOf(
  { config, media }: Ground,
  urls: OwnAddresses,
  host: string,
): (name: string, port: number) => string | undefined {
  const { publicUrl, announcedAddresses } = config
  const outside = publicUrl === undefined ? undefined : new URL(publicUrl)
  const names = isLoopback(host) ? [host, 'localhost'] : [host]
  return (name, port) => {
    if (name === outside?.hostname && port === portOf(outside)) return name
    if (names.includes(name) && urls().some((url) => port === portOf(new URL(url)))) return host
    const { status } = media
    if (!status.available || !status.ports.includes(port)) return undefined
    // Media is announced where others reach it, which may lead nowhere from inside.
    const own = Object.values(networkInterfaces()).flatMap((found) => found ?? [])
    const isOwn =
      announcedAddresses?.includes(name) === true ||
      names.includes(name) ||
      own.some(({ address }) => address === name)
    return isOwn ? host : undefined
  }
}

/** Of our own certificate, which no authority vouches for. */
function ownKeys({ tlsCert, dataDir }: Config): string[] {
  if (tlsCert !== undefined) return []
  const { publicKey } = new X509Certificate(readFileSync(join(dataDir, 'tls', 'cert.pem')))
  const key = publicKey.export({ type: 'spki', format: 'der' })
  return [createHash('sha256').update(key).digest('base64')]
}

function portOf({ port, protocol }: URL): number {
  return Number(port || (protocol === 'https:' ? 443 : 80))
}
