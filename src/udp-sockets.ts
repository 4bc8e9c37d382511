/** The UDP sockets of this machine, and how many datagrams each lost because its buffer was full. Only Linux tells. */
import { readFile } from 'node:fs/promises'

export interface UdpSocket {
  port: number
  inode: string
  /** Datagrams that reached it and were dropped unread, since it was opened. */
  dropped: number
}

/** Those that are open now; undefined where the system does not tell. */
export async function udpSockets(): Promise<UdpSocket[] | undefined> {
  try {
    const tables = await Promise.all([
      readFile('/proc/self/net/udp', 'utf8'),
      // Without IPv6 there is no such table.
      readFile('/proc/self/net/udp6', 'utf8').catch(() => ''),
    ])
    return tables.flatMap(udpSocketsIn)
  } catch {
    return undefined
  }
}

/** @param table as `/proc/net/udp` has it; the first line names the columns */
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
