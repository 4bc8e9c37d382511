import { udpSockets } from '../../udp-sockets.ts'

/** Returns the datagrams that the open UDP sockets of each port dropped; undefined if the system does not report it. */
export async function droppedByPort(): Promise<ReadonlyMap<number, number> | undefined> {
  const sockets = await udpSockets()
  if (!sockets) return undefined
  const drops = new Map<number, number>()
  for (const { port, dropped } of sockets) drops.set(port, (drops.get(port) ?? 0) + dropped)
  return drops
}
