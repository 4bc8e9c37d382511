/** The files of outputs and jobs on the disks of all nodes: each node gives its own to the others. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { pipeline } from 'node:stream/promises'
import type { FileStore, StoredFile } from '../output/files/files.ts'
import { NodeAwayError } from '../output/files/problem.ts'
import type { NodeRecord } from '../store/cluster.ts'
import { Unreachable, type Peers } from './peers.ts'

/** A place from which files are read. */
export type Readable = Pick<FileStore, 'read' | 'sizeOf'>

export class NodeFiles {
  readonly #peers: Pick<Peers, 'askForFile'> & { readonly others: readonly NodeRecord[] }
  readonly #nodeId: string
  readonly #here: Readable

  /** @param here what is on the disk of this node */
  constructor(nodeId: string, peers: Pick<Peers, 'askForFile' | 'others'>, here: Readable) {
    this.#nodeId = nodeId
    this.#peers = peers
    this.#here = here
  }

  /** What is on the disk of a node. Rejects with a `NodeAwayError` if it cannot be reached. */
  on(nodeId: string): Readable {
    if (nodeId === this.#nodeId) return this.#here
    return {
      sizeOf: async (key) => {
        const response = await this.#ask(nodeId, 'HEAD', key)
        response.resume()
        return response.statusCode === 200 ? lengthOf(response) : undefined
      },
      read: async (key, range) => {
        const response = await this.#ask(nodeId, 'GET', key, range)
        const { statusCode, headers } = response
        const [from, to, of] = (headers['content-range']?.match(/\d+/g) ?? []).map(Number)
        if (statusCode === 200) return { body: response, length: lengthOf(response) }
        if (statusCode === 206)
          return { body: response, length: lengthOf(response), part: { from: from!, to: to!, of: of! } }
        response.resume()
        return statusCode === 416 ? { unsatisfiable: from! } : undefined
      },
    }
  }

  /** Answers a request of another node. */
  async give({ method, url = '', headers }: IncomingMessage, response: ServerResponse): Promise<void> {
    const key = decodeURIComponent(url.slice(1))
    // The node that the caller reached has checked the path; it is checked again here, before the disk is read.
    const isInside = key.split('/').every((part) => part !== '' && !part.startsWith('.'))
    if (method === 'HEAD') {
      const size = isInside ? await this.#here.sizeOf(key) : undefined
      response.writeHead(size === undefined ? 404 : 200, { 'content-length': size ?? 0 }).end()
      return
    }
    const found = isInside ? await this.#here.read(key, headers.range) : undefined
    if (found === undefined) response.writeHead(404).end()
    else if ('unsatisfiable' in found)
      response.writeHead(416, { 'content-range': `bytes */${found.unsatisfiable}` }).end()
    else await send(found, response)
  }

  async #ask(nodeId: string, method: 'GET' | 'HEAD', key: string, range?: string): Promise<IncomingMessage> {
    const node = this.#peers.others.find((one) => one.nodeId === nodeId)
    if (!node) throw new NodeAwayError(nodeId)
    const path = `/${encodeURIComponent(key)}`
    const headers: Record<string, string> = range === undefined ? {} : { range }
    try {
      return await this.#peers.askForFile(node, { method, path, headers })
    } catch (error) {
      throw error instanceof Unreachable ? new NodeAwayError(nodeId, { cause: error }) : error
    }
  }
}

async function send({ body, length, part }: StoredFile, response: ServerResponse): Promise<void> {
  const range = part && { 'content-range': `bytes ${part.from}-${part.to}/${part.of}` }
  response.writeHead(part ? 206 : 200, { 'content-length': length, ...range })
  // The reader may close the connection before the end.
  await pipeline(body, response).catch(() => response.destroy())
}

const lengthOf = ({ headers }: IncomingMessage): number => Number(headers['content-length'])
