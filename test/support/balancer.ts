/** A TCP balancer over several nodes, without stickiness: new connections go to the nodes that say they are ready, in turn. */
import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'

const CHECK_MS = 250
const CHECK_TIMEOUT_MS = 2000

export class Balancer {
  readonly #server: Server
  readonly #ports: number[]
  #ready: number[]
  #turn = 0
  readonly #open = new Set<Socket>()
  readonly #timer: NodeJS.Timeout

  private constructor(server: Server, ports: number[]) {
    this.#server = server
    this.#ports = ports
    this.#ready = ports
    this.#timer = setInterval(() => void this.#check(), CHECK_MS)
  }

  static async over(urls: readonly string[]): Promise<Balancer> {
    const server = createServer()
    const balancer = new Balancer(
      server,
      urls.map((url) => Number(new URL(url).port)),
    )
    server.on('connection', (client) => balancer.#serve(client))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return balancer
  }

  get url(): string {
    return `http://localhost:${(this.#server.address() as { port: number }).port}`
  }

  close(): void {
    clearInterval(this.#timer)
    this.#server.close()
    for (const socket of this.#open) socket.destroy()
  }

  async #check(): Promise<void> {
    const states = await Promise.all(
      this.#ports.map((port) =>
        fetch(`http://127.0.0.1:${port}/health/ready`, {
          signal: AbortSignal.timeout(CHECK_TIMEOUT_MS),
        }).then(
          ({ ok }) => ok,
          () => false,
        ),
      ),
    )
    this.#ready = this.#ports.filter((_, at) => states[at])
  }

  #serve(client: Socket): void {
    const port = this.#ready[this.#turn++ % Math.max(1, this.#ready.length)]
    client.on('error', () => undefined)
    if (port === undefined) {
      client.destroy()
      return
    }
    const upstream = connect(port, '127.0.0.1')
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
