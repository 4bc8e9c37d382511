/** The UDP sockets of this machine, and how many datagrams each lost because its buffer was full. Linux only. */
import { readFile } from 'node:fs/promises'

export interface UdpSocket {
  port: number
  inode: string
  /** Datagrams that arrived and were dropped unread since the socket was opened. */
  dropped: number
}

/** Returns the open sockets; undefined if the system does not report them. */
export async function udpSockets(): Promise<UdpSocket[] | undefined> {
  try {
    const tables = await Promise.all([
      readFile('/proc/self/net/udp', 'utf8'),
      // The table does not exist without IPv6.
      readFile('/proc/self/net/udp6', 'utf8').catch(() => ''),
    ])
    return tables.flatMap(udpSocketsIn)
  } catch {
    return undefined
  }
}

/** @param table the content of `/proc/net/udp`; its first line names the columns */
export function udpSocketsIn(table: string): UdpSocket[] {
  const lines = table.trim().split('\n').slice(1)
  return lines.map((line) => {
    const fields = line.trim().split(/\s+/)
    return {
      port: parseInt(fields[1]!.slice(fields[1]!.lastIndexOf(':') + 1), 16),
      inode: fields[9]!,
      dropped: Number(fields.at(-1)),
    }
  })
}
