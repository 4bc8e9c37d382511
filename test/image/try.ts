/**
 * Builds the image, runs it as compose.yaml does, and takes two windows through a meeting in it: `npm run try:image`.
 *
 *  --stand-in      builds on a base made of Debian's packages (debootstrap) and this Node, for use without a registry
 *  --image <name>  tests an existing image, and builds none
 *  --runtime <oci> the program that runs containers, for podman
 */
import { execFile, spawnSync } from 'node:child_process'
import { appendFile, chmod, copyFile, cp, mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs, promisify } from 'node:util'
import { launchBrowser, Person } from '../support/browser.ts'
import { freePorts } from '../support/ports.ts'

const root = join(import.meta.dirname, '../..')
const PATIENCE_MS = 60_000
const PASSWORD = 'a password of enough length'
/** From compose.yaml: the confinement of a container of this image. */
const CONFINED = [
  '--init',
  '--network=host',
  '--read-only',
  '--tmpfs=/tmp',
  '--cap-drop=ALL',
  '--security-opt=no-new-privileges',
]

const { values: options } = parseArgs({
  options: {
    'stand-in': { type: 'boolean', default: false },
    image: { type: 'string' },
    runtime: { type: 'string' },
  },
})
const runs = (command: string, ...args: string[]): boolean =>
  spawnSync(command, args, { stdio: 'ignore' }).status === 0
const engine = ['docker', 'podman'].find((name) => runs(name, 'info'))
if (engine === undefined) {
  console.error(
    'Neither docker nor podman runs here, and one of them must: start the Docker daemon, or install podman (Debian: apt-get install podman).',
  )
  process.exit(1)
}
if (options['stand-in'] && !runs('debootstrap', '--version')) {
  console.error('--stand-in needs debootstrap, and root (Debian: apt-get install debootstrap).')
  process.exit(1)
}

const call = promisify(execFile)
const global = engine === 'podman' && options.runtime !== undefined ? ['--runtime', options.runtime] : []
/** Runs the container engine; resolves with its output of both kinds. */
async function container(...args: string[]): Promise<string> {
  const { stdout, stderr } = await call(engine!, [...global, ...args], { maxBuffer: 64 * 2 ** 20, cwd: root })
  return stdout + stderr
}

const startedAt = Date.now()
let failed = 0
async function check(what: string, work: () => Promise<string | undefined>): Promise<void> {
  const seconds = (): string => `${((Date.now() - startedAt) / 1000).toFixed(0)} s`
  try {
    const seen = await work()
    console.log(`✓ ${what}${seen === undefined ? '' : `: ${seen}`} (${seconds()})`)
  } catch (error) {
    failed++
    console.log(`✗ ${what}: ${error instanceof Error ? error.message : String(error)} (${seconds()})`)
  }
}
function expect(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(what)
}
async function until(find: () => Promise<boolean>, otherwise: () => Promise<string>): Promise<void> {
  const giveUpAt = Date.now() + PATIENCE_MS
  while (!(await find().catch(() => false))) {
    if (Date.now() > giveUpAt) throw new Error(await otherwise())
    await delay(200)
  }
}

/**
 * Makes a substitute of the published base, as far as this project uses it: Debian 12, Node with npm, a user `node`.
 * Returns its name.
 */
async function makeStandIn(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'anteroom-base-'))
  const base = join(folder, 'root')
  try {
    await call('debootstrap', ['--variant=minbase', 'bookworm', base], { maxBuffer: 64 * 2 ** 20 })
    await copyFile(process.execPath, join(base, 'usr/local/bin/node'))
    const npmCli = (await call('sh', ['-c', 'readlink -f "$(command -v npm)"'])).stdout.trim()
    const npm = dirname(dirname(await realpath(npmCli)))
    await cp(npm, join(base, 'usr/local/lib/node_modules/npm'), { recursive: true, dereference: true })
    const links = 'ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm'
    await call('chroot', [base, 'sh', '-c', `${links} && useradd --uid 1000 --user-group --create-home node`])
    // As in Debian's image: apt keeps no copies.
    const clean = 'Dir::Cache::pkgcache ""; Dir::Cache::srcpkgcache "";\n'
    await writeFile(join(base, 'etc/apt/apt.conf.d/docker-clean'), clean)
    await rm(join(base, 'var/cache/apt/archives'), { recursive: true })
    await rm(join(base, 'var/lib/apt/lists'), { recursive: true })
    // For a network whose certificates only this machine trusts.
    if (process.env.NODE_EXTRA_CA_CERTS) {
      await mkdir(join(base, 'etc/ssl/certs'), { recursive: true })
      await copyFile(process.env.NODE_EXTRA_CA_CERTS, join(base, 'etc/ssl/certs/extra.crt'))
      await mkdir(join(base, 'usr/local/etc'), { recursive: true })
      await appendFile(join(base, 'usr/local/etc/npmrc'), 'cafile=/etc/ssl/certs/extra.crt\n')
    }
    await call('tar', ['-C', base, '-cf', join(folder, 'base.tar'), '.'])
    const name = 'localhost/anteroom-base:latest'
    await container('import', join(folder, 'base.tar'), name)
    return name
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const image = options.image ?? 'localhost/anteroom:try'
const name = `anteroom-try-${process.pid}`
const port = await freePorts(4)
const url = `http://localhost:${port}`
const settings = [`PORT=${port}`, `HTTPS_PORT=${port + 1}`, `MEDIA_PORT=${port + 2}`, 'MEDIA_WORKERS=2']
const environment = settings.flatMap((setting) => ['--env', setting])
const inside = (...args: string[]): Promise<string> => container('exec', name, ...args)

if (options.image === undefined)
  await check('the image is built', async () => {
    const base = options['stand-in'] ? ['--build-arg', `BASE=${await makeStandIn()}`] : []
    // Without a system for confinement, podman builds in a chroot; only Docker's format has HEALTHCHECK.
    const podman = engine === 'podman' ? ['--isolation', 'chroot', '--format', 'docker'] : []
    await container('build', ...podman, ...base, '--tag', image, '.')
    return `${Math.round(Number(await container('image', 'inspect', '--format', '{{.Size}}', image)) / 1e6)} MB`
  })

const browser = await launchBrowser()
try {
  await check('it starts, confined and without root', async () => {
    await container(
      'run',
      '--detach',
      '--name',
      name,
      ...CONFINED,
      `--volume=${name}:/data`,
      ...environment,
      image,
    )
    await until(
      async () => (await fetch(`${url}/health/ready`)).ok,
      async () => `not ready: ${await container('logs', name)}`,
    )
    expect(/^uid=1000\b/.test(await inside('id')), 'it does not run as user 1000')
    expect((await inside('sh', '-c', 'command -v g++ gcc make git; true')) === '', 'it holds a compiler')
    return (await inside('ls', '-A', '/data')).trim().split('\n').join(' ')
  })
  await check('its log says how to get in, and lets nobody in', async () => {
    const log = await container('logs', name)
    expect(log.includes('"msg":"ready"') && !log.includes('sign-in='), log)
    const hint = log.split('\n').find((line) => line.includes('the dashboard has no password yet'))
    return String((JSON.parse(hint ?? '{}') as { cure?: string }).cure)
  })
  await check('its HEALTHCHECK passes', async () => {
    const told = await container('image', 'inspect', '--format', '{{json .}}', image)
    expect(told.includes('health.mjs'), 'the image has no HEALTHCHECK')
    await inside('node', 'scripts/image/health.mjs')
    return undefined
  })
  await check('anteroom doctor finds nothing wrong', async () => {
    await inside('anteroom', 'doctor')
    return undefined
  })
  await check('two windows see and hear each other', async () => {
    const link = (await inside('anteroom', 'admin', 'reset')).trim()
    const ann = await Person.at(browser, 'Ann')
    await ann.page.goto(link)
    await ann.page.getByLabel('New password').fill(PASSWORD)
    await ann.page.getByLabel('Once more').fill(PASSWORD)
    await ann.page.getByRole('button', { name: 'Save and continue' }).click()
    await ann.page.getByRole('heading', { name: 'Overview' }).waitFor()
    await ann.start(url)
    const bob = await Person.at(browser, 'Bob')
    await bob.open(await ann.invite('direct'))
    await bob.inside()
    await Promise.all([ann.seesAndHears(1), bob.seesAndHears(1)])

    // The container is replaced while people are inside: they return by themselves, to the same session.
    await container('stop', '--time', '10', name)
    for (const { page } of [ann, bob]) await page.getByTestId('reconnecting').waitFor()
    await container('start', name)
    for (const { page } of [ann, bob]) await page.getByTestId('reconnecting').waitFor({ state: 'detached' })
    await Promise.all([ann.seesAndHears(1), bob.seesAndHears(1)])
    const errors = [...ann.errors, ...bob.errors]
    expect(errors.length === 0, errors.join('; '))
    return 'and again after it was stopped and started'
  })
  await check('it stops in order on SIGTERM, within five seconds', async () => {
    const before = Date.now()
    await container('stop', '--time', '10', name)
    const ms = Date.now() - before
    const code = (await container('inspect', '--format', '{{.State.ExitCode}}', name)).trim()
    const log = (await container('logs', '--tail', '5', name)).trim()
    expect(code === '0' && ms < 5000, `it ended with ${code} after ${ms} ms: ${log}`)
    expect(
      ((await container('logs', name)).trim().split('\n').at(-1) ?? '').includes('"msg":"stopped"'),
      'it does not say so',
    )
    return `${ms} ms`
  })
  await check('a folder that it may not write ends it with a sentence', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'anteroom-closed-'))
    // The current user may have the same id as the user in the image.
    await chmod(folder, 0o555)
    try {
      const run = ['run', '--rm', ...CONFINED, `--volume=${folder}:/data`, ...environment, image]
      const { code, stderr } = await container(...run).then(
        () => ({ code: 0, stderr: '' }),
        (error: unknown) => error as { code: number; stderr: string },
      )
      // Without systemd, podman prints complaints of its own first.
      const said = stderr
        .trim()
        .split('\n')
        .filter((line) => !line.startsWith('time="'))
      expect(code === 1 && said.length === 1, `it ended with ${code}: ${stderr}`)
      return said[0]
    } finally {
      await rm(folder, { recursive: true })
    }
  })
} finally {
  await browser.close()
  for (const remove of [
    ['rm', '--force', name],
    ['volume', 'rm', '--force', name],
  ])
    await container(...remove).catch(() => undefined)
}
console.log(failed === 0 ? `The image ${image} works.` : `${failed} of these failed.`)
process.exitCode = failed === 0 ? 0 : 1
