// Finds ffmpeg, which the tests of recordings need, or installs the distribution's.
import { spawnSync } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { pathToFileURL } from 'node:url'

/** The path of ffmpeg, or undefined. */
export function findFfmpeg(env = process.env) {
  for (const folder of (env.PATH ?? '').split(':')) {
    try {
      accessSync(`${folder}/ffmpeg`, constants.X_OK)
      return `${folder}/ffmpeg`
    } catch {
      continue
    }
  }
  return undefined
}

function installFfmpeg() {
  const asRoot = process.getuid?.() === 0 ? [] : ['sudo', '-n']
  const run = (...command) => {
    const [file, ...rest] = [...asRoot, ...command]
    return spawnSync(file, rest, {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    }).status
  }
  console.log('installing ffmpeg for the tests of recordings (apt-get, about a minute)')
  run('apt-get', 'update', '-qq')
  return run('apt-get', 'install', '-y', '-qq', '--no-install-recommends', 'ffmpeg') === 0
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  if (!findFfmpeg() && !(installFfmpeg() && findFfmpeg())) {
    console.error('The tests of recordings need ffmpeg, and it could not be installed here: install it.')
    process.exit(1)
  }
  console.log(`ffmpeg: ${findFfmpeg()}`)
}
