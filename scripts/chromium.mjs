// Finds the browser that the tests drive, or installs the distribution's.
import { execFileSync, spawnSync } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { pathToFileURL } from 'node:url'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']

/** The path of a Chromium, or undefined. `CHROMIUM_BIN` wins. */
export function findChromium(env = process.env) {
  const named = env.CHROMIUM_BIN
  if (named) return named
  for (const folder of (env.PATH ?? '').split(':')) {
    for (const name of NAMES) {
      const path = `${folder}/${name}`
      try {
        accessSync(path, constants.X_OK)
        return path
      } catch {
        continue
      }
    }
  }
  return undefined
}

function installChromium() {
  const root = process.getuid?.() === 0
  const asRoot = root ? [] : ['sudo', '-n']
  const run = (...command) => {
    const [file, ...rest] = [...asRoot, ...command]
    return spawnSync(file, rest, {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    })
  }
  try {
    execFileSync('apt-get', ['--version'], { stdio: 'ignore' })
  } catch {
    return false
  }
  console.log('installing Chromium for the browser tests (apt-get, about a minute)')
  run('apt-get', 'update', '-qq')
  return run('apt-get', 'install', '-y', '-qq', '--no-install-recommends', 'chromium').status === 0
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  if (!findChromium() && !(installChromium() && findChromium())) {
    console.error(
      'The browser tests need Chromium, and it could not be installed here: install it, or name one in CHROMIUM_BIN.',
    )
    process.exit(1)
  }
  console.log(`browser: ${findChromium()}`)
}
