/** Makes this server one of several nodes, if NODE_ADDRESS is set. */
import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Logger } from 'pino'
import { CARRIED, markCarried } from '../api/http/carried.ts'
import { hostGiven } from '../api/http/base-url.ts'
import { socketOf } from '../api/http/server.ts'
import { namedBy, routeUpgrades, type Route } from '../api/http/upgrade-router.ts'
import type { Gate } from '../api/limits/gate.ts'
import { makeCredentials } from '../cluster/credentials.ts'
import { whyNotJoin } from '../cluster/joining.ts'
import { ClusterNode } from '../cluster/node.ts'
import { WideSfu } from '../cluster/edges/wide-sfu.ts'
import { Unreachable } from '../cluster/peers.ts'
import { WIRE } from '../cluster/wire.ts'
import { StartError } from '../errors.ts'
import type { Config } from '../config/read.ts'
import type { Catalogue } from '../project/catalogue.ts'
import type { Sfu } from '../media/sfu.ts'
import { openFileStore } from '../output/files/open.ts'
import { lookForNodes, openClusterTables } from '../store/open.ts'
import type { Verifier } from '../token/token.ts'
import { version } from '../version.ts'
import { outputsFolder } from './files.ts'

/** How long a connection waits for a home: as long as a lease of a dead node may last, and a claim. */
const PARKED_MS = 8000
const PARKED_RETRY_MS = 200

/**
 * Undefined for a server alone.
 * @throws {StartError} if the database does not answer, or this server may not become one of its nodes; then nothing is changed
 */
export async function openCluster(
  config: Config,
  now: () => number,
  log: Logger,
): Promise<ClusterNode | undefined> {
  const { nodeAddress: address, databaseUrl, clusterPort: port } = config
  if (address === undefined || databaseUrl === undefined) return undefined
  const nodeId = config.nodeId ?? address
  const node = { nodeId, address, port, version }
  const { clock, nodes } = await lookForNodes(databaseUrl)
  const why = whyNotJoin({ node: { ...node, ...WIRE }, behindMs: Math.round(clock - now()), nodes })
  if (why !== undefined) throw new StartError(why)
  log.warn(
    { nodeId },
    'started as one of several nodes, which is not complete: nobody can switch to, or relay media into, a meeting that another node holds',
  )
  return new ClusterNode({
    tables: openClusterTables(databaseUrl),
    credentials: await makeCredentials(nodeId),
    node,
    maxFileBytes: config.maxFileBytes,
    outputFiles: openFileStore({ kind: 'folder', folder: outputsFolder(config.dataDir) }, undefined),
    newId: randomUUID,
    random: Math.random,
    drainMs: config.drainSeconds * 1000,
    alone: config.clusterAlone,
    log,
  })
}

/** Lets a meeting of this node go on at others, and serves the meetings of others. */
export function widen(local: Sfu, cluster: ClusterNode, config: Config, log: Logger): Sfu {
  return (cluster.edges = new WideSfu({
    local,
    nodeId: cluster.nodeId,
    version,
    edges: config.edges,
    share: config.edgeShare,
    nodes: () => cluster.peers.nodes,
    connect: (node) => cluster.peers.openMedia(node),
    onError: (err, doing) => log.warn({ err }, doing),
  }))
}

export interface RouteParts {
  cluster: ClusterNode
  gate: Gate
  verifier: Verifier
  catalogue: Catalogue
  log: Logger
}

/** Sends the sockets that clients open to the home of their meeting. */
export function routeOf({ cluster, gate, verifier, catalogue, log }: RouteParts): Route {
  /** Undefined: whoever refuses it here says why. */
  const meetingOf = async (
    request: IncomingMessage,
  ): Promise<{ meetingId: string; mayClaim: boolean } | undefined> => {
    const named = namedBy(request)
    if (named === undefined) return undefined
    if ('meetingId' in named) return { ...named, mayClaim: false }
    try {
      const { projectId } = verifier.verify(named.token, { outOfTime: true })
      const meeting = await catalogue
        .find(projectId, named.anyId)
        // The database is away, perhaps.
        .catch(() => cluster.findLive(projectId, named.anyId))
      return meeting && { meetingId: meeting.meetingId, mayClaim: true }
    } catch {
      return undefined
    }
  }
  return async (request, socket, head) => {
    const asked = await meetingOf(request)
    if (!asked) return true
    const { meetingId, mayClaim } = asked
    const giveUpAt = performance.now() + PARKED_MS
    for (;;) {
      try {
        const place = await (mayClaim ? cluster.placeOf(meetingId) : cluster.find(meetingId))
        if (place === 'here' || (place === undefined && !mayClaim)) return true
        if (place !== undefined) {
          await cluster.peers.carry(place, request, socket, head, {
            host: hostGiven(request.headers.host, request.socket),
            [CARRIED.caller]: gate.callerOf(request),
            [CARRIED.node]: cluster.nodeId,
            [CARRIED.scheme]: 'encrypted' in request.socket ? 'https' : 'http',
          })
          // The home counts whether it waits to be admitted.
          gate.setOutside(request, false)
          return false
        }
      } catch (error) {
        // The home has just died, perhaps: until its lease has lapsed nobody may take its meetings.
        if (!(error instanceof Unreachable)) log.debug({ err: error }, 'failed to find the home of a meeting')
      }
      if (performance.now() > giveUpAt || socket.destroyed || cluster.peers.isStopping) {
        socket.destroy()
        return false
      }
      await new Promise((next) => setTimeout(next, PARKED_RETRY_MS))
    }
  }
}

/** Serves the sockets that other nodes carry here. Call this when everything that serves sockets is attached to the port. */
export function serveCarried({ peers, edges }: ClusterNode, gate: Gate): void {
  routeUpgrades(peers.server, async (request, socket, head) => {
    if (edges && (await peers.isKnown(request.socket, 'anteroom-media'))) {
      edges.serve(socket, head)
      return false
    }
    if (!(await peers.isKnown(request.socket, 'anteroom-carry'))) {
      socket.destroy()
      return false
    }
    markCarried(request)
    if (gate.mayUpgrade(request, { waits: socketOf(request) === 'meeting' })) return true
    socket.end('HTTP/1.1 429 Too Many Requests\r\nconnection: close\r\n\r\n')
    return false
  })
}
