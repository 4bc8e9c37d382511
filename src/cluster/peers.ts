/**
 * The connections between nodes: mutual TLS 1.3. A node accepts the certificates whose fingerprints are in the table `nodes`, so whoever
 * may write to that table is a node; there is no other secret.
 */
import { request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { Duplex } from 'node:stream'
import { connect, TLSSocket } from 'node:tls'
import { StartError } from '../errors.ts'
import type { HomeRecord, NodeName, NodeRecord } from '../store/cluster.ts'
import { decode, encode } from './frames.ts'
import { plain, type Credentials } from './credentials.ts'

export interface PeersOptions {
  address: string
  port: number
  credentials: Credentials
  /** The size limit of a call and of an answer. */
  maxMessageBytes: number
  readNodes: () => Promise<NodeRecord[]>
  /** Answers a call of another node. */
  answer: (method: string, args: unknown[]) => Promise<Answered>
  /** Gives another node a file of this one. */
  giveFile: (request: IncomingMessage, response: ServerResponse) => Promise<void>
  /** Somebody who is not a node opened a connection, which was closed. */
  onStranger: (address: string) => void
  onError: (error: unknown, doing: string) => void
  newId: () => string
}

export interface Answered {
  value: unknown
  /** Called after the answer was sent. */
  afterwards?: () => void
}

/** The other node did not answer; it is unknown whether it carried the call out. */
export class Unreachable extends Error {
  override readonly name = 'Unreachable'
}

/**
 * The purpose of a connection, agreed by ALPN before its first byte: bytes that clients send on a carried connection must never be
 * taken for a call.
 */
export type Purpose = 'anteroom-call' | 'anteroom-carry' | 'anteroom-media' | 'anteroom-file'
const PURPOSES: Purpose[] = ['anteroom-call', 'anteroom-carry', 'anteroom-media', 'anteroom-file']

const CONNECT_MS = 2000
/** How long somebody may stay connected without sending a request. */
const HEADERS_MS = 5000
const REQUEST_MS = 30_000
const ANSWER_MS = 5000
const KEPT_ANSWERS = 10_000
const KEPT_MS = 60_000

export class Peers {
  readonly #options: PeersOptions
  readonly server: Server
  #nodes: NodeRecord[] = []
  /** When the table `nodes` was last read, on the monotonic clock. */
  readAt = performance.now()
  #reading: Promise<void> = Promise.resolve()
  #nextReading: Promise<void> | undefined
  #isStopping = false
  readonly #carried = new Map<Duplex, { to: NodeName; cut: () => void }>()
  /** The connections over which files come, and the nodes that send them. */
  readonly #files = new Map<Duplex, NodeName>()
  /** Answers by the key of their call, so that a repeated call is carried out once. */
  readonly #answers = new Map<string, { at: number; answer: Promise<Answered> }>()

  constructor(options: PeersOptions) {
    this.#options = options
    const { cert, key } = options.credentials
    this.server = createServer({
      cert,
      key,
      requestCert: true,
      // The certificates are self-signed; `#isNode` checks their fingerprints before any request is read.
      rejectUnauthorized: false,
      minVersion: 'TLSv1.3',
      ALPNProtocols: PURPOSES,
      handshakeTimeout: HEADERS_MS,
      headersTimeout: HEADERS_MS,
      requestTimeout: REQUEST_MS,
      connectionsCheckingInterval: HEADERS_MS,
    })
    // Somebody who is not a node is disconnected at once, and not only after a request.
    this.server.on('secureConnection', (socket) => {
      const { remoteAddress = 'unknown' } = socket
      void this.#isNode(socket).then((isNode) => {
        if (isNode) return
        socket.destroy()
        options.onStranger(remoteAddress)
      })
    })
    this.server.on('request', (request, response) => void this.#receive(request, response))
  }

  get nodes(): readonly NodeRecord[] {
    return this.#nodes
  }

  /** The other nodes with a lease. */
  get others(): NodeRecord[] {
    const { fingerprint } = this.#options.credentials
    return this.#nodes.filter((one) => one.isLive && one.fingerprint !== fingerprint)
  }

  get carried(): number {
    return this.#carried.size
  }

  get isStopping(): boolean {
    return this.#isStopping
  }

  /** @throws {StartError} */
  async listen(): Promise<void> {
    const { address, port, onError } = this.#options
    await new Promise<void>((resolve, reject) => {
      this.server.once('error', (cause: NodeJS.ErrnoException) =>
        reject(
          new StartError(
            cause.code === 'EADDRINUSE'
              ? `Port ${port} at ${address} is taken: set CLUSTER_PORT or NODE_ADDRESS to another one.`
              : `No other node can reach this one at ${address}, port ${port} (${cause.code}): set NODE_ADDRESS to an address of this machine.`,
            { cause },
          ),
        ),
      )
      this.server.listen(port, address, resolve)
    })
    this.server.on('error', (error) => onError(error, 'failed to listen to other nodes'))
    // A failed handshake says nothing about this node.
    this.server.on('tlsClientError', () => undefined)
  }

  /**
   * Reads the table `nodes`, and closes the connections to nodes that have no lease any more. All who ask during a reading share the next
   * one, because the present one may have begun before a new node registered.
   */
  refresh(): Promise<void> {
    return (this.#nextReading ??= this.#reading
      .catch(() => undefined)
      .then(() => {
        this.#nextReading = undefined
        return (this.#reading = this.#read())
      }))
  }

  async #read(): Promise<void> {
    const askedAt = performance.now()
    this.#nodes = await this.#options.readNodes()
    this.readAt = askedAt
    for (const { to, cut } of [...this.#carried.values()]) if (!this.#live(to)) cut()
    for (const [socket, from] of [...this.#files]) if (!this.#live(from)) socket.destroy()
  }

  /** Whether the other end is a node with a lease that opened the connection for this purpose. */
  async isKnown(socket: Duplex, purpose: Purpose): Promise<boolean> {
    return socket instanceof TLSSocket && socket.alpnProtocol === purpose && this.#isNode(socket)
  }

  async #isNode(socket: TLSSocket): Promise<boolean> {
    // Null if the connection is already closed.
    const certificate = socket.getPeerCertificate() as { fingerprint256?: string } | null
    const shown = plain(certificate?.fingerprint256 ?? '')
    const matches = (): boolean => this.#nodes.some((one) => one.isLive && one.fingerprint === shown)
    if (shown === '') return false
    if (!matches()) await this.refresh().catch(() => undefined)
    return matches()
  }

  /** Forwards an upgrade, and every byte after it, to the home of its meeting. */
  async carry(
    home: HomeRecord,
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    more: Record<string, string>,
  ): Promise<void> {
    const node = this.#live(home) ?? (await this.refresh().then(() => this.#live(home)))
    if (!node) throw new Unreachable('The home has no lease any more.')
    const upstream = await this.#connect(node, 'anteroom-carry')
    const cut = (): void => {
      socket.destroy()
      upstream.destroy()
      this.#carried.delete(socket)
    }
    for (const end of [socket, upstream]) end.on('error', cut).on('close', cut)
    if (socket.destroyed || this.#isStopping) {
      cut()
      return
    }
    this.#carried.set(socket, { to: node, cut })
    const lines = [`${request.method} ${request.url} HTTP/1.1`]
    for (let at = 0; at < request.rawHeaders.length; at += 2) {
      const name = request.rawHeaders[at]!
      if (!Object.hasOwn(more, name.toLowerCase())) lines.push(`${name}: ${request.rawHeaders[at + 1]}`)
    }
    for (const [name, value] of Object.entries(more)) lines.push(`${name}: ${value}`)
    // Node.js reads headers as latin1.
    upstream.write(`${lines.join('\r\n')}\r\n\r\n`, 'latin1')
    if (head.length > 0) upstream.write(head)
    socket.pipe(upstream).pipe(socket)
  }

  /** @throws {Unreachable} @throws what the other node threw */
  async call(
    to: NodeName,
    method: string,
    args: unknown[],
    key = this.#options.newId(),
    answerMs = ANSWER_MS,
  ): Promise<unknown> {
    const node = this.#live(to)
    if (!node) throw noLease()
    const socket = await this.#connect(node, 'anteroom-call')
    try {
      return decode(await this.#post(socket, encode({ method, args, key }), answerMs))
    } finally {
      socket.destroy()
    }
  }

  /**
   * Asks a node for a file. The body may take as long as its reader wants; it fails when the node has no lease any more.
   * @throws {Unreachable}
   */
  async askForFile(
    from: NodeName,
    { method, path, headers }: { method: 'GET' | 'HEAD'; path: string; headers: Record<string, string> },
  ): Promise<IncomingMessage> {
    const node = this.#live(from)
    if (!node) throw noLease()
    const socket = await this.#connect(node, 'anteroom-file')
    this.#files.set(socket, node)
    socket.once('close', () => this.#files.delete(socket))
    return new Promise((resolve, reject) => {
      const patience = setTimeout(() => socket.destroy(), ANSWER_MS)
      const asked = httpRequest(
        {
          createConnection: () => socket,
          method,
          path,
          headers: { ...headers, connection: 'close' },
        },
        (response) => {
          clearTimeout(patience)
          resolve(response)
        },
      )
      asked.on('error', (cause) => {
        clearTimeout(patience)
        reject(new Unreachable(`The node ${node.nodeId} gave no file.`, { cause }))
      })
      asked.end()
    })
  }

  /** Opens a connection that stays open, for the media of wide meetings. @throws {Unreachable} */
  async openMedia(to: NodeName): Promise<Duplex> {
    const node = this.#live(to)
    if (!node) throw noLease()
    const socket = await this.#connect(node, 'anteroom-media')
    socket.setNoDelay(true)
    socket.write('GET /media HTTP/1.1\r\nhost: anteroom\r\nconnection: upgrade\r\nupgrade: media\r\n\r\n')
    return socket
  }

  /** Closes all carried connections; their clients reconnect through another node. */
  cutCarried(): void {
    this.#isStopping = true
    for (const { cut } of [...this.#carried.values()]) cut()
    for (const socket of [...this.#files.keys()]) socket.destroy()
  }

  close(): void {
    this.cutCarried()
    this.server.close()
    this.server.closeAllConnections()
  }

  #live({ nodeId, incarnation }: NodeName): NodeRecord | undefined {
    return this.#nodes.find((one) => one.isLive && one.nodeId === nodeId && one.incarnation === incarnation)
  }

  #connect({ address: host, port, fingerprint, nodeId }: NodeRecord, purpose: Purpose): Promise<TLSSocket> {
    const { cert, key } = this.#options.credentials
    const socket = connect({
      host,
      port,
      cert,
      key,
      minVersion: 'TLSv1.3',
      rejectUnauthorized: false,
      ALPNProtocols: [purpose],
    })
    return new Promise((resolve, reject) => {
      const fail = (why: string, cause?: unknown): void => {
        clearTimeout(patience)
        socket.destroy()
        reject(new Unreachable(why, { cause }))
      }
      const patience = setTimeout(() => fail(`The node ${nodeId} does not answer.`), CONNECT_MS)
      socket.once('error', (cause) => fail(`The node ${nodeId} cannot be reached.`, cause))
      socket.once('secureConnect', () => {
        if (plain(socket.getPeerCertificate().fingerprint256) !== fingerprint) {
          fail(
            `At the address of the node ${nodeId} something else answers: it shows another certificate than the node registered.`,
          )
          return
        }
        clearTimeout(patience)
        resolve(socket)
      })
    })
  }

  async #receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // An aborted request has no socket any more.
    const { socket } = request
    try {
      if (await this.isKnown(socket, 'anteroom-file')) {
        await this.#options.giveFile(request, response)
        return
      }
      if (!(await this.isKnown(socket, 'anteroom-call'))) {
        socket.destroy()
        return
      }
      const { method, args, key } = decode(await bytesOf(request, this.#options.maxMessageBytes)) as {
        method: string
        args: unknown[]
        key: string
      }
      let answered: Answered | undefined
      let body: Buffer
      try {
        answered = await this.#once(key, method, args)
        body = encode(answered.value)
      } catch (error) {
        body = encode(error)
      }
      response.end(body, () => answered?.afterwards?.())
    } catch (error) {
      this.#options.onError(error, 'failed to answer another node')
      socket.destroy()
    }
  }

  #once(key: string, method: string, args: unknown[]): Promise<Answered> {
    const now = performance.now()
    for (const [known, { at }] of this.#answers) {
      if (now - at < KEPT_MS && this.#answers.size < KEPT_ANSWERS) break
      this.#answers.delete(known)
    }
    const before = this.#answers.get(key)
    if (before) return before.answer.then(({ value }) => ({ value }))
    const answer = this.#options.answer(method, args)
    this.#answers.set(key, { at: now, answer })
    // A refused call had no effect, and this node may be the home when it is repeated.
    answer.catch(() => this.#answers.delete(key))
    return answer
  }

  #post(socket: TLSSocket, body: Buffer, answerMs: number): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const fail = (cause: unknown): void =>
        reject(new Unreachable('The other node gave no answer.', { cause }))
      const asked = httpRequest(
        { createConnection: () => socket, method: 'POST', path: '/call', headers: { connection: 'close' } },
        (response) => void bytesOf(response, this.#options.maxMessageBytes).then(resolve, fail),
      )
      asked.setTimeout(answerMs, () => asked.destroy(new Error('no answer in time')))
      asked.on('error', fail)
      asked.end(body)
    })
  }
}

const noLease = (): Unreachable => new Unreachable('The node has no lease any more.')

async function bytesOf(message: IncomingMessage, most: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of message) {
    bytes += (chunk as Buffer).length
    if (bytes > most) throw new Error('a message between nodes is too large')
    chunks.push(chunk as Buffer)
  }
  return Buffer.concat(chunks)
}
