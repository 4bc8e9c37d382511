/** Disks that fail on purpose: a small one if this user may mount it, otherwise a limit on a running program. */
import { execFileSync } from 'node:child_process'
import { chmodSync, closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export class SmallDisk {
  readonly folder: string

  private constructor(folder: string) {
    this.folder = folder
  }

  /** Returns undefined if this user may not mount. */
  static mount(megabytes: number): SmallDisk | undefined {
    const folder = mkdtempSync(join(tmpdir(), 'anteroom-disk-'))
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=0777`, 'tmpfs', folder], {
        stdio: 'ignore',
      })
      return new SmallDisk(folder)
    } catch {
      rmSync(folder, { recursive: true })
      return undefined
    }
  }

  get #ballast(): string {
    return join(this.folder, 'ballast')
  }

  /** Fills the disk to the last byte. */
  fill(): void {
    const file = openSync(this.#ballast, 'a')
    try {
      for (let size = 1 << 20; size > 0; size >>= 1) {
        for (let rounds = 0; rounds < 1000; rounds++) {
          try {
            if (writeSync(file, Buffer.alloc(size)) < size) break
          } catch {
            break
          }
        }
      }
    } finally {
      closeSync(file)
    }
  }

  free(): void {
    rmSync(this.#ballast, { force: true })
  }

  unmount(): void {
    execFileSync('umount', [this.folder])
    rmSync(this.folder, { recursive: true })
  }
}

/**
 * Limits the size of the files that a program writes from now on; without a number, removes the limit. Returns false if
 * it cannot be set.
 */
export function limitFileSize(pid: number, bytes?: number): boolean {
  try {
    execFileSync('prlimit', ['--pid', String(pid), `--fsize=${bytes ?? 'unlimited'}:unlimited`], {
      stdio: 'ignore',
    })
    return true
  } catch {
    return false
  }
}

/** Returns a function that makes the folder writable again; undefined if this user may not do either. */
export function makeReadOnly(folder: string): (() => void) | undefined {
  // File modes do not restrict root.
  if (process.getuid?.() !== 0) {
    chmodSync(folder, 0o500)
    return () => chmodSync(folder, 0o700)
  }
  const mount = (...args: string[]): unknown => execFileSync('mount', [...args, folder], { stdio: 'ignore' })
  try {
    mount('--bind', folder)
  } catch {
    return undefined
  }
  // Lazily, because the program under test may still have files open.
  const undo = (): void => void execFileSync('umount', ['-l', folder])
  try {
    mount('-o', 'remount,bind,ro')
  } catch {
    undo()
    return undefined
  }
  return undo
}
