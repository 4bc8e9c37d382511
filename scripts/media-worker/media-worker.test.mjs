import assert from 'node:assert/strict'
import { execFile, execFileSync } from 'node:child_process'
import * as fs from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { prepareSources, whyNoBuild } from './build.mjs'
import { groupsOf, ownNames, uniteSources } from './unity.mjs'
import { cacheFolders, installed, locateWorker, WORKER_NAME, workerIn } from './locate.mjs'

const scripts = fileURLToPath(new URL('..', import.meta.url))
const mediasoup = installed('mediasoup')
const worker = locateWorker()
const root = fs.mkdtempSync(join(tmpdir(), 'anteroom-media-worker-'))
after(() => fs.rmSync(root, { recursive: true, force: true }))

const VERSION = '9.9.9'
/** The first choice of the place to keep a worker. */
const cachedWorker = (env, version) => workerIn(cacheFolders(env)[0], version)
/** Answers the probe as a worker does, and nothing else. */
const IMPOSTOR = '#!/bin/sh\nexit 41\n'
const BROKEN = '#!/bin/sh\nexit 127\n'
const FAILS = 'process.exit(1)'

/** An installer that provides the worker `bin`, and counts its runs in the package's folder. */
function brings(bin) {
  return `
    import { appendFileSync, cpSync } from 'node:fs'
    appendFileSync(new URL('runs', import.meta.url), '.')
    await new Promise((resolve) => setTimeout(resolve, 300))
    cpSync(${JSON.stringify(bin)}, 'worker/out/Release/${WORKER_NAME}')`
}

/** The scripts next to a mediasoup package that is real except for its installer, with their own cache. */
function project(name, installer = FAILS) {
  const folder = join(root, name)
  const modules = join(folder, 'node_modules')
  const packaged = join(modules, 'mediasoup')
  fs.cpSync(scripts, join(folder, 'scripts'), { recursive: true })
  put(
    join(packaged, 'package.json'),
    JSON.stringify({ name: 'mediasoup', version: VERSION, main: 'index.cjs' }),
  )
  put(join(packaged, 'index.cjs'), `module.exports = require(${JSON.stringify(mediasoup)})`)
  put(join(packaged, 'npm-scripts.mjs'), installer)
  const node = installed('.bin/node')
  if (node) {
    fs.mkdirSync(join(modules, '.bin'))
    fs.symlinkSync(fs.realpathSync(node), join(modules, '.bin/node'))
  }
  const env = { PATH: process.env.PATH, HOME: folder, XDG_CACHE_HOME: join(folder, 'cache') }
  const run = (args = [], extra = {}) => runScript(folder, ['--no-build', ...args], { ...env, ...extra })
  const runs = () => fs.readFileSync(join(packaged, 'runs'), 'utf8').length
  return { folder, packaged, env, run, runs, cached: cachedWorker(env, VERSION) }
}

function put(path, text, mode = 0o644) {
  fs.mkdirSync(dirname(path), { recursive: true, mode: 0o755 })
  fs.writeFileSync(path, text, { mode })
  return path
}

function runScript(folder, args, env) {
  const script = join(folder, 'scripts/media-worker.mjs')
  return new Promise((resolve) => {
    execFile(process.execPath, [script, ...args], { env }, (error, stdout, stderr) => {
      resolve({ code: error ? error.code : 0, stdout, stderr })
    })
  })
}

test('prefers the worker named by the operator, then the cached one, then the packaged one', () => {
  const { packaged: folder, env, cached } = project('order')
  assert.equal(locateWorker({ env, folder }), undefined)
  const inPackage = put(join(folder, 'worker/out/Release', WORKER_NAME), IMPOSTOR, 0o755)
  assert.deepEqual(locateWorker({ env, folder }), { bin: inPackage, source: 'package' })
  put(cached, IMPOSTOR, 0o755)
  assert.deepEqual(locateWorker({ env, folder }), { bin: cached, source: 'cache' })
  assert.deepEqual(locateWorker({ env, version: VERSION }), { bin: cached, source: 'cache' })
  const named = { ...env, MEDIASOUP_WORKER_BIN: '/opt/worker' }
  assert.deepEqual(locateWorker({ env: named, folder }), { bin: '/opt/worker', source: 'env' })
})

test('ignores a cached worker of another version, or one that is not executable', () => {
  const { packaged: folder, env, cached } = project('other')
  put(cachedWorker(env, '9.9.8'), IMPOSTOR, 0o755)
  put(cached, IMPOSTOR, 0o644)
  assert.equal(locateWorker({ env, folder }), undefined)
})

test(
  'ignores and replaces a cached worker that other users could have written',
  { skip: !process.getuid },
  async () => {
    const { packaged: folder, env, run, cached } = project('open-cache', brings(worker?.bin ?? ''))
    put(cached, IMPOSTOR, 0o755)
    for (const path of [cached, dirname(cached), dirname(dirname(cached))]) {
      for (const mode of [0o775, 0o757]) {
        fs.chmodSync(path, mode)
        assert.equal(locateWorker({ env, folder }), undefined, path)
      }
      fs.chmodSync(path, 0o755)
      assert.equal(locateWorker({ env, folder })?.source, 'cache')
    }
    fs.chmodSync(cached, 0o777)
    fs.chmodSync(dirname(cached), 0o777)
    if (worker) {
      await run()
      assert.equal(locateWorker({ env, folder })?.source, 'cache')
      assert.notEqual(fs.readFileSync(cached, 'latin1'), IMPOSTOR)
      assert.equal(fs.statSync(dirname(cached)).mode & 0o777, 0o755)
    }
    if (process.getuid() === 0) {
      fs.chownSync(dirname(cached), 65534, 65534)
      assert.equal(locateWorker({ env, folder }), undefined)
      const ran = await run(['--require'])
      assert.equal(ran.code, 0)
      assert.match(ran.stdout, /kept in .*\.cache.*belongs to another user/)
    }
  },
)

test('a relative XDG_CACHE_HOME is ignored', () => {
  assert.equal(cachedWorker({ XDG_CACHE_HOME: 'cache' }, VERSION), cachedWorker({}, VERSION))
})

test('without a worker the install succeeds with one sentence, and fails with --require', async () => {
  const { folder, run: runWith, cached } = project('none')
  // A system on which the worker cannot be built.
  const PATH = join(folder, 'tools')
  put(join(PATH, 'dpkg-query'), '#!/bin/sh\nexit 1\n', 0o755)
  put(join(folder, 'unbuildable.mjs'), 'process.getuid = () => 1000')
  const NODE_OPTIONS = `--import ${join(folder, 'unbuildable.mjs')}`
  const run = (args = []) => runWith(args, { PATH, NODE_OPTIONS })
  const plain = await run()
  assert.equal(plain.code, 0)
  assert.match(
    plain.stdout,
    /^Media is off, all else works: the prebuilt .*, and the tools to build it are missing.*; mend one of these.* start the server, which tries again\.$/m,
  )
  const required = await run(['--require', '--json'])
  assert.equal(required.code, 1)
  const { reason, ...result } = JSON.parse(required.stdout)
  assert.match(reason, /only root can install them/)
  assert.deepEqual(result, { bin: null, source: 'none', passing: true, version: VERSION })
  for (const { code } of await Promise.all([run(['--path']), run(['--check'])])) assert.equal(code, 1)
  assert.deepEqual(fs.readdirSync(dirname(dirname(cached))), [basename(dirname(cached))])
})

test('refuses by name a binary that the operator named and that is not a worker', async () => {
  const { folder, run } = project('named')
  const bad = put(join(folder, 'bad'), '#!/bin/sh\nexit 0\n', 0o755)
  const refused = await run(['--require'], { MEDIASOUP_WORKER_BIN: bad })
  assert.equal(refused.code, 1)
  assert.match(
    refused.stdout,
    new RegExp(`MEDIASOUP_WORKER_BIN names ${bad}, which is not a media worker.*correct or unset it`),
  )
  const absent = await run([], { MEDIASOUP_WORKER_BIN: join(folder, 'absent') })
  assert.equal(absent.code, 0)
  assert.match(absent.stdout, /absent, which does not exist/)
})

test(
  'moves a downloaded worker to the cache, replacing a broken one, and finds it on the next run',
  { skip: !worker },
  async () => {
    const { packaged, run, runs, cached } = project('download', brings(worker.bin))
    put(cached, BROKEN, 0o755)
    const first = await run(['--require'])
    assert.equal(first.code, 0, first.stdout)
    assert.match(first.stdout, /ready \(download\)/)
    assert.equal(fs.existsSync(join(packaged, 'worker')), false)
    assert.equal((await run(['--path'])).stdout.trim(), cached)
    assert.deepEqual(JSON.parse((await run(['--json'])).stdout), {
      bin: cached,
      source: 'cache',
      version: VERSION,
    })
    assert.equal(runs(), 1)
  },
)

test('does not cache a binary that answers the probe but cannot do a handshake', async () => {
  const { folder, run, cached } = project('impostor', brings(join(root, 'impostor/bin')))
  put(join(folder, 'bin'), IMPOSTOR, 0o755)
  const { code, stdout } = await run(['--require'])
  assert.equal(code, 1)
  assert.match(stdout, /the prebuilt media worker is not sound/)
  assert.equal(fs.existsSync(cached), false)
})

test(
  'of two simultaneous installs one fetches the worker, and a lock whose owner is gone is ignored',
  { skip: !worker },
  async () => {
    const { run, runs, cached } = project('two', brings(worker.bin))
    const place = `${hostname()} ${fs.readlinkSync('/proc/self/ns/pid')}`
    // Above the largest possible process id.
    put(join(`${dirname(cached)}.lock`, 'holder'), JSON.stringify({ pid: 4194305, place, startedAt: '1' }))
    for (const { code } of await Promise.all([run(['--require']), run(['--require'])])) assert.equal(code, 0)
    assert.equal(runs(), 1)
  },
)

/** Replaces the compiler: prints `says` and fails, or, without it, builds the real worker. */
function building(name, says) {
  const made = project(name)
  const tools = join(made.folder, 'tools')
  const tool = (file, script) => put(join(tools, file), `#!/bin/sh\n${script}\n`, 0o755)
  tool('dpkg-query', 'echo installed')
  tool('meson', '[ "$1" = --version ] && echo 1.0.1; [ "$1" = setup ] && mkdir build; exit 0')
  tool('strip', '')
  tool(
    'ninja',
    says === undefined
      ? `echo . >> ${made.folder}/builds; echo '[1/2] one'; echo '[2/2] two'; cp ${worker?.bin} $2/${WORKER_NAME}`
      : `echo '${says}'; exit 1`,
  )
  fs.cpSync(join(mediasoup, 'worker'), join(made.packaged, 'worker'), { recursive: true })
  const env = { ...made.env, PATH: `${tools}:${process.env.PATH}` }
  const builds = () => fs.readFileSync(join(made.folder, 'builds'), 'utf8').trim().split('\n').length
  return {
    ...made,
    env,
    builds,
    run: (args = [], extra = {}) => runScript(made.folder, args, { ...env, ...extra }),
  }
}

test(
  'an install does not build, and says when building happens; --rebuild builds and says how long it took',
  { skip: !worker },
  async () => {
    const { run, builds, cached } = building('later')
    const installed = await run(['--no-build'])
    assert.equal(installed.code, 0)
    assert.match(installed.stdout, /the server builds it when it starts.*"npm run worker" builds it now/)
    assert.equal(fs.existsSync(cached), false)
    const now = await run(['--require'])
    assert.equal(now.code, 0, now.stdout)
    assert.match(
      now.stdout,
      /building the media worker: 2\/2[^]*built in \d+ s, with \d+ s of processor[^]*ready \(build\)/,
    )
    assert.match((await run(['--require'])).stdout, /ready \(cache\)/)
    assert.equal(builds(), 1)
    assert.match((await run(['--rebuild'])).stdout, /ready \(build\)/)
    assert.equal(builds(), 2)
  },
)

test(
  'of two simultaneous builds one builds, and the other reports its progress',
  { skip: !worker },
  async () => {
    const { run, builds } = building('both')
    for (const { code, stdout } of await Promise.all([run(['--require']), run(['--require'])]))
      assert.equal(code, 0, stdout)
    assert.equal(builds(), 1)
  },
)

test(
  'an install waits only briefly for another process that builds',
  { skip: !worker || process.platform !== 'linux' },
  async () => {
    const { run, cached } = building('busy')
    const lock = `${dirname(cached)}.lock`
    const stat = fs.readFileSync('/proc/self/stat', 'utf8')
    const startedAt = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
    const place = `${hostname()} ${fs.readlinkSync('/proc/self/ns/pid')}`
    put(join(lock, 'holder'), JSON.stringify({ pid: process.pid, place, startedAt }))
    const { code, stdout } = await run(['--no-build'])
    assert.equal(code, 0)
    assert.match(stdout, /another process is bringing it; the server waits for that/)
  },
)

test(
  'a full disk is reported in one sentence, leaves nothing behind, and the next run succeeds',
  { skip: !worker },
  async () => {
    const full = building('full', 'fatal error: error writing to worker.o: No space left on device')
    const { code, stdout } = await full.run(['--require'])
    assert.equal(code, 1)
    assert.match(stdout, /^Media is off, all else works: the disk of .* is full; make room and run/m)
    assert.deepEqual(fs.readdirSync(dirname(dirname(full.cached))), [basename(dirname(full.cached))])
  },
)

test('names a missing compiler and how to install it', () => {
  const { folder, env } = building('bare')
  put(join(folder, 'tools/dpkg-query'), '#!/bin/sh\nexit 1\n', 0o755)
  put(join(folder, 'tools/sudo'), '#!/bin/sh\nexit 1\n', 0o755)
  const script = `
    process.getuid = () => 1000
    const { whyNoBuild } = await import(${JSON.stringify(join(folder, 'scripts/media-worker/build.mjs'))})
    console.log(whyNoBuild({ platform: 'linux', osRelease: 'ID=debian\\nVERSION_ID="12"\\n' }))`
  const said = execFileSync(process.execPath, ['--input-type=module', '-e', script], {
    env,
    encoding: 'utf8',
  })
  assert.match(said, /only root can install them \(sudo apt-get install g\+\+ .*meson/)
})

test(
  'a failed build is reported in one sentence with the path of the log, and the next one continues from the first source',
  { skip: !worker },
  async () => {
    const failing = building('failing', 'FAILED: worker.o')
    const { code, stdout } = await failing.run(['--require'])
    assert.equal(code, 1)
    assert.match(
      stdout,
      /FAILED: worker\.o[^]*could not be built \("ninja -C" ended with 1\); see .*build\.log/,
    )
    put(join(failing.folder, 'tools/ninja'), `#!/bin/sh\ncp ${worker.bin} $2/${WORKER_NAME}\n`, 0o755)
    const { stdout: then } = await failing.run(['--require'])
    assert.match(then, /preparing the sources[^]*ready \(build\)/)
  },
)

test('ignores and replaces a file that was only half written to the cache', { skip: !worker }, async () => {
  const { run, cached } = building('half')
  put(cached, fs.readFileSync(worker.bin).subarray(0, 10_000), 0o755)
  put(`${cached}.next`, 'half')
  const { code, stdout } = await run(['--require'])
  assert.equal(code, 0, stdout)
  assert.match(stdout, /ready \(build\)/)
  assert.deepEqual(fs.readdirSync(dirname(cached)), [basename(cached)])
})

test(
  'keeps the worker in the project, or else in the data folder, if the home folder is not writable',
  { skip: !worker },
  async () => {
    const { folder, packaged, env, run } = building('unwritable')
    const XDG_CACHE_HOME = put(join(folder, 'file'), '')
    const first = await run(['--require'], { XDG_CACHE_HOME })
    assert.equal(first.code, 0, first.stdout)
    assert.match(first.stdout, /file.anteroom cannot be written \(ENOTDIR\)/)
    const { stdout } = await run(['--path'], { XDG_CACHE_HOME })
    assert.ok(stdout.startsWith(join(folder, '.cache')), stdout)

    fs.rmSync(join(folder, '.cache'), { recursive: true })
    put(join(folder, '.cache'), '')
    const DATA_DIR = join(folder, 'data')
    assert.equal((await run(['--require'], { XDG_CACHE_HOME, DATA_DIR })).code, 0)
    const found = await run(['--path'], { XDG_CACHE_HOME, DATA_DIR })
    assert.ok(found.stdout.startsWith(DATA_DIR), found.stdout)

    const none = await run([], { XDG_CACHE_HOME })
    assert.equal(none.code, 0)
    assert.match(
      none.stdout,
      /^Media is off, all else works: .*anteroom cannot be written \(ENOTDIR\), and .*\.cache/m,
    )
    assert.equal(locateWorker({ env: { ...env, XDG_CACHE_HOME }, folder: packaged }), undefined)
  },
)

test('an unknown option is refused', async () => {
  const { run } = project('unknown')
  const { code, stderr } = await run(['--chekc'])
  assert.equal(code, 2)
  assert.match(stderr, /--chekc/)
})

test('names the systems for which it cannot build', () => {
  const on = (osRelease) => whyNoBuild({ platform: 'linux', osRelease })
  assert.match(
    on('ID=alpine\nPRETTY_NAME="Alpine Linux v3.22"\n'),
    /and newer only, and this is Alpine Linux v3\.22$/,
  )
  assert.match(
    on('ID=ubuntu\nID_LIKE=debian\nVERSION_ID="22.04"\nPRETTY_NAME="Ubuntu 22.04 LTS"\n'),
    /Ubuntu 22\.04 LTS$/,
  )
  assert.match(whyNoBuild({ platform: 'darwin' }), /this is macOS$/)
  for (const known of [
    'ID=debian\nVERSION_ID="12"\n',
    'ID=debian\n',
    'ID=linuxmint\nID_LIKE="ubuntu debian"\nVERSION_ID="22"\n',
  ]) {
    assert.doesNotMatch(on(known) ?? '', /newer only/)
  }
})

test('prepares the sources of the installed mediasoup as the build needs them', { skip: !mediasoup }, () => {
  const source = join(root, 'source')
  prepareSources({ mediasoup, source, mesonVersion: '1.0.1' })
  const read = (file) => fs.readFileSync(join(source, file), 'utf8')
  assert.match(read('src/RTC/DtlsTransport.cpp'), /operationType & BIO_CB_RETURN/)
  assert.match(read('meson.build'), /meson_version: '>= 1\.0\.1'/)
  assert.equal(fs.existsSync(join(source, 'subprojects/openssl.wrap')), false)
  for (const [name] of read('meson.build').matchAll(/(?<=subproject\(\s*')[^']+/g)) {
    if (name === 'wingetopt') continue
    assert.ok(
      fs.existsSync(join(source, 'subprojects', name, 'meson.build')),
      `there is no subproject ${name}`,
    )
  }
  fs.rmSync(source, { recursive: true })
  prepareSources({ mediasoup, source, mesonVersion: '1.10.0' })
  assert.match(read('meson.build'), /meson_version: '>= 1\.1\.0'/)
})

test('compiles sources together if none defines what another does', () => {
  assert.deepEqual(
    ownNames(
      `#define MS_CLASS "A"
#define LIMIT 5
static void onClose(uv_handle_t* handle)
{
}
namespace RTC
{
	static constexpr size_t Most{ 5 };
	thread_local static uint8_t Buffer[65536];
	void A::Method(int x)
	{
		return helper(x);
	}
	namespace Deep
	{
		static constexpr int64_t Least{ 5000 };
		uint32_t count(uint16_t of)
		{
`,
    ),
    new Set(['onClose', 'Most', 'Buffer', 'Least', 'count', 'LIMIT']),
  )
  const source = (name, ...names) => ({ name, names: new Set(names) })
  assert.deepEqual(groupsOf([source('a', 'x'), source('b', 'x', 'y'), source('c', 'z'), source('d', 'y')]), [
    ['a', 'c', 'd'],
    ['b'],
  ])
})

test('compiles each source of the installed mediasoup once', { skip: !mediasoup }, () => {
  const source = join(root, 'united-source')
  prepareSources({ mediasoup, source, mesonVersion: '1.0.1' })
  for (const [file, list] of [
    ['meson.build', 'common_sources'],
    ['deps/libwebrtc/meson.build', 'libwebrtc_sources'],
  ]) {
    const listed = () =>
      [
        ...new RegExp(`^${list} = \\[([^\\]]*)`, 'm')
          .exec(fs.readFileSync(join(source, file), 'utf8'))[1]
          .matchAll(/'([^']+)'/g),
      ].map(([, name]) => name)
    const before = listed()
    uniteSources(join(source, file), list)
    const units = listed()
    const folder = dirname(join(source, file))
    const included = units.flatMap((unit) =>
      [...fs.readFileSync(join(folder, unit), 'utf8').matchAll(/#include "\.\.\/([^"]+)"/g)].map(
        ([, name]) => name,
      ),
    )
    assert.deepEqual(included.toSorted(), before.toSorted())
    assert.ok(units.length * 3 < before.length, `${units.length} of ${before.length}`)
  }
})

test('compiles sources separately if they do not compile together', { skip: !worker }, async () => {
  const { folder, run } = building('apart')
  const ninja = `#!/bin/sh
[ -d united ] && { echo 'error: redefinition'; exit 1; }
cp ${worker.bin} $2/${WORKER_NAME}
`
  put(join(folder, 'tools/ninja'), ninja, 0o755)
  const { code, stdout } = await run(['--require'])
  assert.equal(code, 0, stdout)
  assert.match(stdout, /compiling each by itself[^]*ready \(build\)/)
})

test('the worker of this machine completes a real handshake', { skip: !worker }, async () => {
  const { code, stdout } = await runScript(join(scripts, '..'), ['--check', '--json'], process.env)
  assert.equal(code, 0)
  assert.deepEqual(JSON.parse(stdout), { ...worker, sound: true })
})
