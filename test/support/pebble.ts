/** Debian's `pebble`, an ACME server for tests, with its DNS server, behind a gate that can refuse or be away. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, request, type Server } from 'node:https'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { generate } from 'selfsigned'
import { freePorts } from './ports.ts'

/** Why tests with pebble are skipped; false if they can run. */
export const noPebble: string | false = ((): string | false => {
  try {
    execFileSync('which', ['pebble', 'pebble-challtestsrv'])
    return false
  } catch {
    return 'pebble is not installed'
  }
})()

export interface PebbleOptions {
  /** Where it looks for challenges: the ports of the server under test. */
  httpPort: number
  tlsPort: number
  validSeconds: number
}

/** What the gate does with a request to a path: passes it on, answers itself, or closes the connection. */
export type Behaviour = 'pass' | 'away' | { path: RegExp; status: number; type: string; retryAfter?: number }

export class Pebble {
  behaviour: Behaviour = 'pass'
  readonly directory: string
  /** File of the authority that signed the certificate of the directory. */
  readonly caFile: string
  /** Requests that reached the gate. */
  requests: string[] = []
  readonly #gate: Server
  readonly #children: readonly ChildProcess[]
  readonly #folder: string
  readonly #managementPort: number
  readonly #rootsPort: number

  private constructor(parts: {
    folder: string
    caFile: string
    gate: Server
    children: readonly ChildProcess[]
    managementPort: number
    rootsPort: number
  }) {
    this.#folder = parts.folder
    this.caFile = parts.caFile
    this.#gate = parts.gate
    this.#children = parts.children
    this.#managementPort = parts.managementPort
    this.#rootsPort = parts.rootsPort
    this.directory = `https://localhost:${(parts.gate.address() as AddressInfo).port}/dir`
  }

  static async start({ httpPort, tlsPort, validSeconds }: PebbleOptions): Promise<Pebble> {
    const folder = await mkdtemp(join(tmpdir(), 'anteroom-pebble-'))
    const { cert, private: key } = await generate([{ name: 'commonName', value: 'localhost' }], {
      keyType: 'ec',
      extensions: [
        { name: 'basicConstraints', cA: true },
        { name: 'subjectAltName', altNames: [{ type: 2, value: 'localhost' }] },
      ],
    })
    const [caFile, keyFile, config] = ['cert.pem', 'key.pem', 'pebble.json'].map((name) =>
      join(folder, name),
    ) as [string, string, string]
    const port = await freePorts(4)
    const [acmePort, rootsPort, dnsPort, managementPort] = [port, port + 1, port + 2, port + 3]
    await writeFile(caFile, cert)
    await writeFile(keyFile, key)
    await writeFile(
      config,
      JSON.stringify({
        pebble: {
          listenAddress: `127.0.0.1:${acmePort}`,
          managementListenAddress: `127.0.0.1:${rootsPort}`,
          certificate: caFile,
          privateKey: keyFile,
          httpPort,
          tlsPort,
          certificateValidityPeriod: validSeconds,
        },
      }),
    )
    const children = [
      spawn(
        'pebble-challtestsrv',
        [
          ...['-http01', '', '-https01', '', '-tlsalpn01', '', '-defaultIPv6', ''],
          ...['-dns01', `127.0.0.1:${dnsPort}`, '-management', `127.0.0.1:${managementPort}`],
        ],
        { stdio: 'ignore' },
      ),
      spawn('pebble', ['-config', config, '-dnsserver', `127.0.0.1:${dnsPort}`], {
        stdio: 'ignore',
        env: { ...process.env, PEBBLE_VA_NOSLEEP: '1', PEBBLE_WFE_NONCEREJECT: '0', PEBBLE_AUTHZREUSE: '0' },
      }),
    ]
    for (const one of [acmePort, managementPort]) await opened(one)
    const state: { pebble?: Pebble } = {}
    const gate = createServer({ cert, key }, (asked, answer) => {
      const { behaviour = 'away', requests = [] } = state.pebble ?? {}
      requests.push(`${asked.method} ${asked.url}`)
      if (behaviour === 'away') return void asked.socket.destroy()
      if (behaviour !== 'pass' && behaviour.path.test(asked.url!)) {
        if (behaviour.retryAfter !== undefined) answer.setHeader('retry-after', behaviour.retryAfter)
        answer.writeHead(behaviour.status, { 'content-type': 'application/problem+json' })
        answer.end(
          JSON.stringify({
            type: `urn:ietf:params:acme:error:${behaviour.type}`,
            detail: 'as the test says',
          }),
        )
        return
      }
      const { method, url, headers } = asked
      // The addresses that pebble hands out follow from the header `host`.
      const upstream = request(
        { host: '127.0.0.1', port: acmePort, method, path: url, headers, ca: cert, servername: 'localhost' },
        (reply) => {
          answer.writeHead(reply.statusCode!, reply.headers)
          reply.pipe(answer)
        },
      )
      upstream.on('error', () => answer.destroy())
      asked.pipe(upstream)
    })
    gate.listen(0, '127.0.0.1')
    await once(gate, 'listening')
    state.pebble = new Pebble({ folder, caFile, gate, children, managementPort, rootsPort })
    return state.pebble
  }

  /** The authority whose certificates it issues, PEM. */
  root(): Promise<string> {
    return new Promise((resolve, reject) => {
      request(
        { host: '127.0.0.1', port: this.#rootsPort, path: '/roots/0', rejectUnauthorized: false },
        (answer) => {
          let text = ''
          answer.on('data', (chunk: Buffer) => (text += String(chunk)))
          answer.on('end', () => resolve(text))
        },
      )
        .on('error', reject)
        .end()
    })
  }

  /** Sets the IPv4 addresses of a name. */
  async resolveTo(host: string, addresses: readonly string[]): Promise<void> {
    for (const [path, body] of [
      ['/set-default-ipv4', { ip: '' }],
      ['/clear-a', { host: `${host}.` }],
      ...(addresses.length > 0 ? [['/add-a', { host: `${host}.`, addresses }] as const] : []),
    ] as const)
      await fetch(`http://127.0.0.1:${this.#managementPort}${path}`, {
        method: 'POST',
        body: JSON.stringify(body),
      })
  }

  async stop(): Promise<void> {
    this.#gate.closeAllConnections()
    this.#gate.close()
    for (const child of this.#children) {
      if (child.exitCode !== null || child.signalCode !== null) continue
      const gone = once(child, 'exit')
      child.kill('SIGKILL')
      await gone
    }
    await rm(this.#folder, { recursive: true, force: true })
  }
}

/** Resolves when something listens on the port of this machine. */
async function opened(port: number): Promise<void> {
  for (;;) {
    const socket: Socket = connect({ port, host: '127.0.0.1' })
    const isOpen = await once(socket, 'connect').then(
      () => true,
      () => false,
    )
    socket.destroy()
    if (isOpen) return
    await delay(20)
  }
}
