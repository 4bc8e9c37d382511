/** nginx with its RTMP module, with its own port and folder. */
import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findFfmpeg } from '../../scripts/ffmpeg.mjs'
import { freePorts } from './ports.ts'

const MODULE = '/usr/lib/nginx/modules/ngx_rtmp_module.so'

export const hasRtmpServer = existsSync(MODULE)

/** Why outputs cannot be tested here; false if they can. */
export const noOutputs: string | false =
  (!findFfmpeg() && 'ffmpeg is not installed') ||
  (!hasRtmpServer && 'nginx with its RTMP module is not installed')

export class RtmpServer {
  readonly url: string
  readonly #folder: string
  readonly #port: number
  #child: ChildProcess | undefined

  private constructor(folder: string, port: number) {
    this.#folder = folder
    this.#port = port
    this.url = `rtmp://127.0.0.1:${port}/live`
  }

  static async start(): Promise<RtmpServer> {
    const server = new RtmpServer(await mkdtemp(join(tmpdir(), 'anteroom-rtmp-')), await freePorts(1))
    await server.run()
    return server
  }

  async run(): Promise<void> {
    const file = join(this.#folder, 'nginx.conf')
    const root = process.getuid?.() === 0 ? 'user root;' : ''
    await writeFile(
      file,
      `load_module ${MODULE}; ${root} daemon off; pid ${join(this.#folder, 'nginx.pid')}; error_log ${join(this.#folder, 'error.log')};
events {}
rtmp { server { listen 127.0.0.1:${this.#port}; application live { live on; record all; record_path ${this.#folder}; } } }`,
    )
    this.#child = spawn('nginx', ['-c', file, '-p', this.#folder], { stdio: 'ignore' })
    for (let tries = 0; ; tries++) {
      const socket = connect(this.#port, '127.0.0.1')
      const isOpen = await once(socket, 'connect').then(
        () => true,
        () => false,
      )
      socket.destroy()
      if (isOpen) return
      if (tries > 100) throw new Error('nginx did not start')
      await new Promise((next) => setTimeout(next, 100))
    }
  }

  get port(): number {
    return this.#port
  }

  /** What was sent to it with this key. */
  recorded(key: string): string {
    return join(this.#folder, `${key}.flv`)
  }

  async end(): Promise<void> {
    const child = this.#child!
    this.#child = undefined
    const exited = once(child, 'exit')
    child.kill('SIGQUIT')
    setTimeout(() => child.kill('SIGTERM'), 500)
    await exited
  }

  async stop(): Promise<void> {
    if (this.#child) await this.end()
    await rm(this.#folder, { recursive: true, force: true })
  }
}
