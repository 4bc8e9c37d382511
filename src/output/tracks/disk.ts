import { statfs } from 'node:fs/promises'

/** This much is left to the rest of the machine. */
export const DISK_RESERVE_BYTES = 512 * 2 ** 20

export async function freeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder)
  return bavail * bsize
}
