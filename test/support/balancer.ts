/**
 * A TCP balancer over several nodes, without stickiness: new connections go to the nodes that say they are ready, in turn.
 * With `secure` it passes TLS on to their own HTTPS ports.
 */
import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'

const CHECK_MS = 250
const CHECK_TIMEOUT_MS = 2000

interface Target {
  /** Where its health is checked. */
  url: string
  port: number
}

export class Balancer {
  readonly url: string
  readonly #server: Server
  readonly #nodes: readonly Target[]
  #ready: readonly Target[]
  #turn = 0
  readonly #open = new Set<Socket>()
  readonly #timer: NodeJS.Timeout

  private constructor(server: Server, url: string, nodes: readonly Target[]) {
    this.#server = server
    this.url = url
    this.#nodes = nodes
    this.#ready = nodes
    this.#timer = setInterval(() => void this.#check(), CHECK_MS)
  }

  static async over(
    nodes: readonly { url: string; secureUrl?: string }[],
    { secure = false } = {},
  ): Promise<Balancer> {
    const server = createServer()
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as { port: number }
    const targets = nodes.map(({ url, secureUrl }) => ({
      url,
      port: Number(new URL(secure ? secureUrl! : url).port),
    }))
    const balancer = new Balancer(server, `${secure ? 'https' : 'http'}://localhost:${port}`, targets)
    server.on('connection', (client) => balancer.#serve(client))
    return balancer
  }

  close(): void {
    clearInterval(this.#timer)
    this.#server.close()
    for (const socket of this.#open) socket.destroy()
  }

  async #check(): Promise<void> {
    const states = await Promise.all(
      this.#nodes.map(({ url }) =>
        fetch(`${url}/health/ready`, { signal: AbortSignal.timeout(CHECK_TIMEOUT_MS) }).then(
          ({ ok }) => ok,
          () => false,
        ),
      ),
    )
    this.#ready = this.#nodes.filter((_, at) => states[at])
  }

  #serve(client: Socket): void {
    const node = this.#ready[this.#turn++ % Math.max(1, this.#ready.length)]
    client.on('error', () => undefined)
    if (node === undefined) {
      client.destroy()
      return
    }
    const upstream = connect(node.port, '127.0.0.1')
    upstream.on('error', () => undefined)
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      this.#open.add(one)
      one.pipe(other)
      one.on('close', () => {
        this.#open.delete(one)
        other.destroy()
      })
    }
  }
}
