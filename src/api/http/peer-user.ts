/** Finds the local user who opened a loopback connection. Works on Linux only. */
import { readFileSync } from 'node:fs'
import type { Socket } from 'node:net'

/** The user id that Linux shows for users outside this process's namespace. */
const NOBODY = -1
const known = new WeakMap<Socket, number>()

/** The user id of the process at the other end; -1 if this machine has no such process, undefined if the system does not say. */
export function userOfPeer(socket: Socket): number | undefined {
  const there = known.get(socket)
  if (there !== undefined) return there
  const { remotePort, localPort } = socket
  if (remotePort === undefined || localPort === undefined) return undefined
  const connections = ['/proc/net/tcp', '/proc/net/tcp6'].flatMap(readConnections)
  const peers = connections.filter(({ local, remote }) => local === remotePort && remote === localPort)
  const isOurEndShown = connections.some(({ local, remote }) => local === localPort && remote === remotePort)
  if (peers.length === 0 && !isOurEndShown) return undefined
  // Two loopback addresses may use the same pair of ports; then neither is trusted.
  const users = new Set(peers.map(({ userId }) => userId))
  const user = users.size === 1 ? peers[0]!.userId : NOBODY
  known.set(socket, user)
  return user
}

interface Connection {
  local: number
  remote: number
  userId: number
}

const LOOPBACK = /^(?:[0-9A-F]{6}7F|0{24}01000000|0{16}FFFF0000[0-9A-F]{6}7F):/

function readConnections(file: string): Connection[] {
  let text: string
  try {
    text = readFileSync(file, 'latin1')
  } catch {
    return []
  }
  return text
    .split('\n')
    .slice(1)
    .flatMap((line) => {
      const [, local = '', remote = '', , , , , userId = ''] = line.trim().split(/\s+/)
      return LOOPBACK.test(local) && LOOPBACK.test(remote)
        ? [{ local: portOf(local), remote: portOf(remote), userId: Number(userId) }]
        : []
    })
}

const portOf = (end: string): number => parseInt(end.slice(end.lastIndexOf(':') + 1), 16)
