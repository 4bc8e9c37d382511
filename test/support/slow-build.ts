/**
 * A machine without a media worker whose build advances when the test says so: the compiler is replaced, everything
 * else is real, and the result is the worker of this machine.
 */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { locateWorker, WORKER_NAME } from '../../scripts/media-worker/locate.mjs'

export class SlowBuild {
  readonly folder = mkdtempSync(join(tmpdir(), 'anteroom-build-'))
  /** Environment of the program that builds. */
  readonly env: NodeJS.ProcessEnv

  /** @param steps the number of build steps */
  constructor(steps: number) {
    const tools = join(this.folder, 'tools')
    mkdirSync(tools)
    const tool = (name: string, script: string): void =>
      writeFileSync(join(tools, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 })
    tool('dpkg-query', 'echo installed')
    tool('meson', '[ "$1" = --version ] && echo 1.0.1; [ "$1" = setup ] && mkdir build; exit 0')
    tool('strip', '')
    tool(
      'ninja',
      `echo $$ >> ${this.folder}/ninjas
cd "$2" || exit 1
if [ -e ${this.folder}/says ]; then cat ${this.folder}/says; exit 1; fi
done=$(cat ${WORKER_NAME}.done 2> /dev/null || echo 0)
while [ $done -lt ${steps} ]; do
  until [ -e ${this.folder}/step$((done + 1)) ]; do sleep 0.05; done
  done=$((done + 1)); echo $done > ${WORKER_NAME}.done
  echo "[$done/${steps}] Compiling C++ object $done"
done
cp ${locateWorker()!.bin} ${WORKER_NAME}`,
    )
    this.env = {
      PATH: `${tools}${delimiter}${process.env.PATH}`,
      XDG_CACHE_HOME: join(this.folder, 'cache'),
      MEDIASOUP_SKIP_WORKER_PREBUILT_DOWNLOAD: '1',
    }
  }

  /** Lets the build reach the end of this step. */
  reach(step: number): void {
    for (let at = 1; at <= step; at++) writeFileSync(join(this.folder, `step${at}`), '')
  }

  /** From now on, the compiler prints this text and fails. */
  fail(says: string): void {
    writeFileSync(join(this.folder, 'says'), says)
  }

  heal(): void {
    rmSync(join(this.folder, 'says'))
  }

  /** As for another version of the server: no worker, and no part of it has been built. */
  forget(): void {
    rmSync(join(this.folder, 'cache'), { recursive: true, force: true })
    for (const name of readdirSync(this.folder)) if (/^step\d+$/.test(name)) rmSync(join(this.folder, name))
  }

  /** The processes of all builds that were started. */
  get builds(): number[] {
    const file = join(this.folder, 'ninjas')
    return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n').map(Number) : []
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true })
  }
}
