/**
 * The composer's settings on this machine: its programs, how many compositions run at once, and the addresses at which
 * browsers reach this server.
 */
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { inUrl, isLoopback, kindOf } from '../addresses.ts'
import type { ComposerOptions } from '../output/create.ts'
import { findPrograms } from '../output/programs.ts'
import { isPublicAddress } from '../webhook/guard.ts'
import { newId, type Ground } from './ground.ts'

/** Base addresses that answer, plain first; empty until the ports are open. */
export type OwnAddresses = () => readonly string[]

const LOOPBACK = '127.0.0.1'

export function composerOptions({ config, log }: Ground, urls: OwnAddresses): ComposerOptions {
  const host = kindOf(config.host) === 'any' || config.host === 'localhost' ? LOOPBACK : config.host
  const pageUrl = (): string => `http://${inUrl(host)}:${new URL(urls()[0]!).port || '80'}`
  return {
    ...findPrograms(config, process.env.PATH ?? ''),
    folder: join(config.dataDir, 'browsers'),
    maxCompositions: config.maxCompositions,
    cores: availableParallelism(),
    diskReserveBytes: config.diskReserveMegabytes * 1_000_000,
    pageUrl,
    isRoot: process.getuid?.() === 0,
    guard: { isPublic: isPublicAddress, own: () => ownPlaces(urls(), host, config.publicUrl) },
    newName: newId,
    log,
  }
}

/** The hosts with ports at which a page reaches this server. */
function ownPlaces(urls: readonly string[], host: string, publicUrl: string | undefined): string[] {
  const ports = urls.map((url) => portOf(new URL(url)))
  const names = isLoopback(host) ? [inUrl(host), 'localhost'] : [inUrl(host)]
  const inside = names.flatMap((name) => ports.map((port) => `${name}:${port}`))
  if (publicUrl === undefined) return inside
  const outside = new URL(publicUrl)
  return [...inside, `${outside.hostname}:${portOf(outside)}`]
}

function portOf({ port, protocol }: URL): string {
  return port || (protocol === 'https:' ? '443' : '80')
}
