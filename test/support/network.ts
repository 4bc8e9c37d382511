/**
 * Hosts on this machine, each in a network namespace of its own with a line to its peers, one to the database and one to people; each
 * line can be cut alone. This process is among the people, and the database is here too.
 */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'

/** The lines of a host. */
export type Line = 'people' | 'nodes' | 'store'
const LINES: readonly Line[] = ['people', 'nodes', 'store']

const ip = (...args: string[]): string =>
  execFileSync('ip', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })

function whyNot(): string | false {
  if (process.getuid?.() !== 0) return 'only root may make network namespaces'
  const name = `anteroom-try-${process.pid}`
  try {
    ip('netns', 'add', name)
    ip('netns', 'del', name)
    return false
  } catch (error) {
    return `network namespaces are not allowed here, or iproute2 is not installed: ${String(error).split('\n')[0]}`
  }
}

/** Why tests in network namespaces are skipped here; false if they run. */
export const withoutNamespaces: string | false = whyNot()

const INSIDE = 'TEST_IN_NAMESPACE'
// In the network of the machine, each new device would end the requests of all browsers of tests that run meanwhile
// (net::ERR_NETWORK_CHANGED), so the program starts again in a network of its own.
if (withoutNamespaces === false) {
  if (process.env[INSIDE] === undefined) await startAgainInside()
  ip('link', 'set', 'lo', 'up')
}

async function startAgainInside(): Promise<never> {
  const inside = spawn(
    'unshare',
    ['--net', process.execPath, ...process.execArgv, ...process.argv.slice(1)],
    { stdio: 'inherit', env: { ...process.env, [INSIDE]: 'true' } },
  )
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => inside.kill(signal))
  const [code] = (await once(inside, 'exit')) as [number | null]
  process.exit(code ?? 1)
}

export class Network {
  /** Names of devices have at most 15 characters. */
  readonly #id = process.pid.toString(36)
  readonly #hosts: number
  readonly #net = 64 + (process.pid % 128)

  constructor(hosts: number) {
    this.#hosts = hosts
    try {
      this.#make()
    } catch (error) {
      this.remove()
      throw error
    }
  }

  /** The address of a host on a line; host 0 is this process, which is on the lines to people and to the database. */
  addressOf(host: number, line: Line): string {
    return `10.${this.#net}.${LINES.indexOf(line)}.${host + 1}`
  }

  /** What runs a program on a host. */
  within(host: number): [command: string, ...args: string[]] {
    return ['ip', 'netns', 'exec', this.#name(host)]
  }

  cut(host: number, ...lines: Line[]): void {
    for (const line of lines) ip('link', 'set', this.#device(host, line), 'down')
  }

  mend(host: number, ...lines: Line[]): void {
    for (const line of lines) ip('link', 'set', this.#device(host, line), 'up')
  }

  remove(): void {
    for (let host = 1; host <= this.#hosts; host++) quietly('netns', 'del', this.#name(host))
    for (const line of LINES) quietly('link', 'del', this.#bridge(line))
  }

  #make(): void {
    for (const line of LINES) {
      ip('link', 'add', this.#bridge(line), 'type', 'bridge')
      if (line !== 'nodes') ip('addr', 'add', `${this.addressOf(0, line)}/24`, 'dev', this.#bridge(line))
      ip('link', 'set', this.#bridge(line), 'up')
    }
    for (let host = 1; host <= this.#hosts; host++) {
      const name = this.#name(host)
      ip('netns', 'add', name)
      ip('-n', name, 'link', 'set', 'lo', 'up')
      for (const line of LINES) {
        ip('link', 'add', this.#device(host, line), 'type', 'veth', 'peer', 'name', line, 'netns', name)
        ip('link', 'set', this.#device(host, line), 'master', this.#bridge(line), 'up')
        ip('-n', name, 'addr', 'add', `${this.addressOf(host, line)}/24`, 'dev', line)
        ip('-n', name, 'link', 'set', line, 'up')
      }
    }
  }

  #name(host: number): string {
    return `anteroom-${this.#id}-${host}`
  }

  #bridge(line: Line): string {
    return `an${this.#id}${line[0]}`
  }

  #device(host: number, line: Line): string {
    return `an${this.#id}${line[0]}${host}`
  }
}

function quietly(...args: string[]): void {
  try {
    ip(...args)
  } catch {
    // It was not there.
  }
}
