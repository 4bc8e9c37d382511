import { readdir, readlink } from 'node:fs/promises'
import { udpSockets } from '../udp-sockets.ts'

/**
 * Datagrams that this program's open sockets dropped because it was too slow: not losses of the server. Undefined if
 * the system does not report them.
 */
export async function ownDrops(): Promise<number | undefined> {
  const sockets = await udpSockets()
  if (!sockets) return undefined
  const open = await readdir('/proc/self/fd')
  const links = await Promise.all(open.map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => '')))
  const own = new Set(links.flatMap((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? []))
  return sockets.reduce((sum, { inode, dropped }) => sum + (own.has(inode) ? dropped : 0), 0)
}
