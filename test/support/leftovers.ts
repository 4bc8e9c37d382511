/** What a server keeps of outputs: processes, open files, and folders of browsers. */
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import type { RealServer } from './real-server.ts'

export interface Held {
  /** Children of the server, ended ones that nobody waited for included. */
  processes: number
  /** Files, sockets and ports. */
  descriptors: number
  /** In its data folder and where temporary files are. */
  folders: string[]
}

export function heldBy(server: RealServer): Held {
  const pid = String(server.pid)
  const children = execFileSync('ps', ['--ppid', pid, '-o', 'pid='], { encoding: 'utf8' }).trim().split('\n')
  const browsers = join(server.env.DATA_DIR!, 'browsers')
  const names = existsSync(browsers) ? readdirSync(browsers) : []
  return {
    processes: children.length,
    descriptors: readdirSync(`/proc/${pid}/fd`).length,
    folders: [...names, ...temporaryFolders()],
  }
}

/** Browsers of outputs have their temporary files in folders that are named by 24 hex digits. */
function temporaryFolders(): string[] {
  return readdirSync(tmpdir()).filter((name) => /^anteroom-[0-9a-f]{24}$/.test(basename(name)))
}
