/** Machines with a network of their own on this one: Linux network namespaces, with cables between them and firewalls. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

let made = 0

function run(command: string, ...args: string[]): string {
  return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
}

/** Why tests with namespaces are skipped, or false. */
export const noNamespaces: false | string = ((): false | string => {
  const name = `anteroom-try-${process.pid}`
  try {
    run('ip', 'netns', 'add', name)
    run('ip', 'netns', 'exec', name, 'nft', 'list', 'ruleset')
    return false
  } catch {
    return 'network namespaces need root, iproute2 and nftables'
  } finally {
    try {
      run('ip', 'netns', 'delete', name)
    } catch {
      // It was not made.
    }
  }
})()

export class Namespace {
  readonly name = `anteroom-${process.pid}-${made++}`
  readonly #folder = mkdtempSync(join(tmpdir(), 'anteroom-namespace-'))

  /** @param options `ipv6Only`: there is no IPv4, not even on loopback */
  constructor({ ipv6Only = false }: { ipv6Only?: boolean } = {}) {
    run('ip', 'netns', 'add', this.name)
    this.ip('link', 'set', 'lo', 'up')
    if (ipv6Only) this.ip('address', 'delete', '127.0.0.1/8', 'dev', 'lo')
  }

  /** The words before a command that runs inside. */
  get prefix(): string[] {
    return ['ip', 'netns', 'exec', this.name]
  }

  ip(...args: string[]): void {
    run('ip', '-netns', this.name, ...args)
  }

  /** Connects both by a cable. Addresses have a prefix length: `192.0.2.1/24`. */
  connect(other: Namespace, ownAddresses: readonly string[], otherAddresses: readonly string[]): void {
    const cable = `veth${process.pid % 100_000}.${made++}`
    this.ip('link', 'add', cable, 'type', 'veth', 'peer', 'name', cable, 'netns', other.name)
    for (const [end, addresses] of [
      [this, ownAddresses],
      [other, otherAddresses],
    ] as const) {
      // Otherwise an IPv6 address cannot be used for the first seconds.
      for (const address of addresses)
        end.ip('address', 'add', address, 'dev', cable, ...(address.includes(':') ? ['nodad'] : []))
      end.ip('link', 'set', cable, 'up')
    }
  }

  /** Drops arriving packets that match, like a firewall that says nothing: `udp dport 9000-9100`. */
  drop(match: string): void {
    this.#rule(`${match} drop`)
  }

  /** Drops all arriving packets but those that match, instead of what was dropped before. */
  dropAllBut(...matches: string[]): void {
    this.#rule('iif lo accept')
    this.#nft('flush chain inet firewall arriving')
    for (const match of ['iif lo', ...matches]) this.#rule(`${match} accept`)
    this.#rule('drop')
  }

  #rule(rule: string): void {
    this.#nft('add table inet firewall')
    this.#nft('add chain inet firewall arriving { type filter hook input priority 0; }')
    this.#nft(`add rule inet firewall arriving ${rule}`)
  }

  #nft(command: string): void {
    run(...(this.prefix as [string]), 'nft', command)
  }

  /** A file that runs this program inside. */
  wrap(program: string): string {
    const file = join(this.#folder, `${made++}`)
    writeFileSync(file, `#!/bin/sh\nexec ${this.prefix.join(' ')} '${program}' "$@"\n`, { mode: 0o755 })
    return file
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true })
    run('ip', 'netns', 'delete', this.name)
  }
}
