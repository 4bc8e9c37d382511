// The processor time of a process and of everything that it starts: a control group counts what no parent waits for
// too, such as the processes of a browser. Linux, and a user who may create groups.
import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export class ProcessorTime {
  #folder
  #followed = 0

  constructor() {
    try {
      const mount = readFileSync('/proc/self/mounts', 'utf8')
        .split('\n')
        .map((line) => line.split(' '))
        .find(([, , type]) => type === 'cgroup2')[1]
      const [, own] = /^0::(.*)$/m.exec(readFileSync('/proc/self/cgroup', 'utf8'))
      const folder = join(mount, own, `anteroom-tests-${process.pid}`)
      mkdirSync(folder)
      this.#folder = folder
    } catch {
      // Nothing is measured.
    }
  }

  /** Follows a process from its start. The returned function tells the milliseconds so far, or undefined. */
  follow(pid) {
    if (this.#folder === undefined) return () => undefined
    const folder = join(this.#folder, String((this.#followed += 1)))
    try {
      mkdirSync(folder)
      writeFileSync(join(folder, 'cgroup.procs'), String(pid))
    } catch {
      return () => undefined
    }
    return () => {
      const [, us] = /^usage_usec (\d+)$/m.exec(readFileSync(join(folder, 'cpu.stat'), 'utf8'))
      remove(folder)
      return Number(us) / 1000
    }
  }

  close() {
    if (this.#folder !== undefined) remove(this.#folder)
  }
}

function remove(folder) {
  try {
    rmdirSync(folder)
  } catch {
    // A process in it has not ended.
  }
}
