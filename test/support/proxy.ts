/** A TCP proxy between a client and a server that can be cut. It forwards bytes unread, so it works with TLS too. */
import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'

export class Cable {
  readonly #server: Server
  /** In the order of opening. */
  readonly #pairs: { client: Socket; upstream: Socket }[] = []
  #opened = 0

  private constructor(server: Server) {
    this.#server = server
  }

  static async to(port: number): Promise<Cable> {
    const server = createServer()
    const cable = new Cable(server)
    server.on('connection', (client) => cable.#join(client, port))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return cable
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port
  }

  /** The number of connections that were ever opened. */
  get opened(): number {
    return this.#opened
  }

  /** Closes all connections to clients; with `unnoticed`, the connections to the server stay open. */
  cut(options: { unnoticed?: boolean } = {}): void {
    for (const pair of [...this.#pairs]) this.#cut(pair, options)
  }

  /** Cuts only the newest connection. */
  cutNewest(): void {
    this.#cut(this.#pairs.at(-1)!, {})
  }

  close(): void {
    this.#server.close()
    for (const { client, upstream } of this.#pairs) {
      client.destroy()
      upstream.destroy()
    }
  }

  #cut({ client, upstream }: { client: Socket; upstream: Socket }, { unnoticed = false }): void {
    if (unnoticed) client.unpipe(upstream)
    client.destroy()
    if (unnoticed) upstream.resume()
    else upstream.destroy()
  }

  #join(client: Socket, port: number): void {
    this.#opened++
    const upstream = connect(port, '127.0.0.1')
    const pair = { client, upstream }
    this.#pairs.push(pair)
    client.pipe(upstream)
    upstream.pipe(client)
    for (const socket of [client, upstream]) socket.on('error', () => undefined)
    upstream.on('close', () => {
      client.destroy()
      this.#pairs.splice(this.#pairs.indexOf(pair), 1)
    })
    client.on('close', () => upstream.unpipe(client))
  }
}
