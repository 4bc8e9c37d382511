/** Datagrams that reached a UDP port of this machine and were dropped because its socket's buffer was full. */
import { readFile } from 'node:fs/promises'

/** By port, over the sockets that are open now; undefined where the system does not tell, which Linux does. */
export async function droppedByPort(): Promise<ReadonlyMap<number, number> | undefined> {
  try {
    const tables = await Promise.all(
      ['udp', 'udp6'].map((name) =>
        readFile(`/proc/self/net/${name}`, 'utf8').catch((error: unknown) => {
          // Without IPv6 there is no such table.
          if (name === 'udp6' && (error as NodeJS.ErrnoException).code === 'ENOENT') return ''
          throw error
        }),
      ),
    )
    return dropsIn(tables.join('\n'))
  } catch {
    return undefined
  }
}

const LINE = /^\s*\d+: [0-9A-F]+:([0-9A-F]{4}) .* (\d+)\s*$/gm

/** @param table as `/proc/net/udp` has it */
export function dropsIn(table: string): ReadonlyMap<number, number> {
  const drops = new Map<number, number>()
  for (const [, port, count] of table.matchAll(LINE)) {
    const at = parseInt(port!, 16)
    drops.set(at, (drops.get(at) ?? 0) + Number(count))
  }
  return drops
}
