/** Datagrams that reached this program's sockets and were never read, because it was too slow: no loss of the server's. */
import { readdir, readFile, readlink } from 'node:fs/promises'

/** Of the UDP sockets that are open now; undefined where the system does not tell, which Linux does. */
export async function ownDrops(): Promise<number | undefined> {
  try {
    const open = await readdir('/proc/self/fd')
    const links = await Promise.all(open.map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => '')))
    const own = new Set(links.flatMap((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? []))
    const tables = await Promise.all(
      ['udp', 'udp6'].map((name) => readFile(`/proc/self/net/${name}`, 'utf8')),
    )
    return tables.reduce((sum, table) => sum + dropsOf(table, own), 0)
  } catch {
    return undefined
  }
}

/** @param table as `/proc/net/udp` has it; the first line names the columns */
export function dropsOf(table: string, inodes: ReadonlySet<string>): number {
  return table
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => inodes.has(fields[9]!))
    .reduce((sum, fields) => sum + Number(fields.at(-1)), 0)
}
