// Builds the worker from the sources in the mediasoup package against the distribution's libraries.
import { spawn, spawnSync } from 'node:child_process'
import { cpSync, createWriteStream, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const APT_PACKAGES = [
  'g++',
  'pkg-config',
  'meson',
  'ninja-build',
  'binutils',
  'openssl',
  'libssl-dev',
  'libuv1-dev',
  'libsrtp2-dev',
  'libabsl-dev',
  'libflatbuffers-dev',
  'flatbuffers-compiler',
]
const meson = fileURLToPath(new URL('./meson', import.meta.url))

/** Why this machine cannot build, as a sentence; undefined when it can. */
export function whyNoBuild(osRelease = readOsRelease()) {
  if (process.platform !== 'linux') return `this is ${process.platform}, and the build from source is for Debian and Ubuntu`
  if (!/^(ID|ID_LIKE)=.*\b(debian|ubuntu)\b/m.test(osRelease)) return 'this is neither Debian nor Ubuntu'
  if (!asRoot()) return 'it takes root, or sudo without a password, to install the build tools'
  return undefined
}

function readOsRelease() {
  try {
    return readFileSync('/etc/os-release', 'utf8')
  } catch {
    return ''
  }
}

function asRoot() {
  if (process.getuid?.() === 0) return []
  return spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status === 0 ? ['sudo', '-n'] : undefined
}

/**
 * Builds into `folder` and returns the path of the stripped worker.
 * `progress(text)` is told of each step, `log` is the file that holds everything the tools said.
 */
export async function buildWorker({ mediasoupFolder, folder, log, progress }) {
  const out = createWriteStream(log)
  try {
    await installTools(out, progress)
    const source = join(folder, 'worker')
    progress('preparing the sources')
    prepareSources(mediasoupFolder, source)
    await run('meson', ['setup', 'build', '--buildtype', 'release', '-Db_ndebug=true'], { cwd: source, out })
    await run('meson', ['compile', '-C', 'build', 'flatbuffers-generator'], { cwd: source, out })
    const jobs = ['-j', String(availableParallelism())]
    await run('ninja', ['-C', 'build', ...jobs, 'mediasoup-worker'], {
      cwd: source,
      out,
      onText: (text) => {
        const steps = text.match(/\[(\d+)\/(\d+)\]/g)
        if (steps) progress(`building the media worker: ${steps.at(-1).slice(1, -1)}`)
      },
    })
    const built = join(source, 'build/mediasoup-worker')
    await run('strip', [built], { cwd: source, out })
    return built
  } finally {
    out.end()
  }
}

async function installTools(out, progress) {
  progress('installing the build tools (apt-get)')
  const prefix = asRoot()
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const apt = (...args) => {
    const [file, ...rest] = [...prefix, 'apt-get', ...args]
    return run(file, rest, { out, env })
  }
  // The lists may be absent or old; a first try without them is quick where they are good.
  try {
    await apt('install', '-y', '-qq', '--no-install-recommends', ...APT_PACKAGES)
  } catch {
    await apt('update', '-qq')
    await apt('install', '-y', '-qq', '--no-install-recommends', ...APT_PACKAGES)
  }
}

/** A copy of the worker's sources whose libraries are the system's; `node_modules` itself stays as it is. */
function prepareSources(mediasoupFolder, source) {
  mkdirSync(dirname(source), { recursive: true })
  cpSync(join(mediasoupFolder, 'worker'), source, { recursive: true })
  const subprojects = join(source, 'subprojects')
  for (const name of readdirSync(subprojects)) {
    if (name.endsWith('.wrap')) rmSync(join(subprojects, name))
  }
  cpSync(meson, subprojects, { recursive: true })
  edit(join(source, 'meson.build'), /meson_version: '[^']*'/, "meson_version: '>= 1.0.0'")
  // The operation is a bit mask. Compared as a whole, the callback answers 1 to every control call, an OpenSSL with kernel
  // TLS believes that it is on, and the worker dies at the first DTLS handshake.
  edit(join(source, 'src/RTC/DtlsTransport.cpp'), /operationType (==|&) BIO_CB_RETURN/, 'operationType & BIO_CB_RETURN')
}

function edit(file, pattern, replacement) {
  const text = readFileSync(file, 'utf8')
  if (!pattern.test(text)) throw new Error(`${file} is not as expected: ${pattern} is not in it`)
  writeFileSync(file, text.replace(pattern, replacement))
}

function run(file, args, { cwd, out, env = process.env, onText }) {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
    const hear = (chunk) => {
      out.write(chunk)
      onText?.(String(chunk))
    }
    child.stdout.on('data', hear)
    child.stderr.on('data', hear)
    child.on('error', reject)
    child.on('close', (code) => (code === 0 ? resolve() : reject(new Error(`${file} ${args[0]} ended with ${code}`))))
  })
}
