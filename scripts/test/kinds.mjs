// Derives the kind of a test file from its folder and its imports, so no list has to be kept.
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'

export const kinds = ['unit', 'wire', 'browser', 'attack']

/** Unit tests by their imports, but they wait for processes or timers, too long for a run after each change. */
export const SLOW = [
  'scripts/media-worker/media-worker.test.mjs',
  'scripts/release/release.test.mjs',
  'src/output/tracks/crash.test.ts',
  'src/output/tracks/recorder.test.ts',
  'src/output/tracks/sync.test.ts',
  'src/store/outbox-turns.test.ts',
  'src/store/store.test.ts',
  'src/webhook/dispatcher.test.ts',
]

/** Modules that start or find a server, a database, a media worker or ffmpeg, so a test that loads one is no unit test. */
const SERVER = [
  'src/server/start.ts',
  'src/cli.ts',
  'scripts/ffmpeg.mjs',
  'test/support/real-server.ts',
  'test/support/postgres.ts',
  'mediasoup',
]
const BROWSER = ['playwright-core', 'scripts/chromium.mjs']

/**
 * `unit`: next to the source that it tests, without a server, a database, a media worker, ffmpeg or a browser, and fast. `browser`: pages.
 * `attack`: all in test/attack/. `wire`: everything else.
 */
export function kindOf(file, read = (path) => readFileSync(path, 'utf8')) {
  if (file.startsWith('test/attack/')) return 'attack'
  const loaded = loadedBy(file, read)
  if (BROWSER.some((name) => loaded.has(name))) return 'browser'
  if (file.startsWith('test/') || SLOW.includes(file) || SERVER.some((name) => loaded.has(name)))
    return 'wire'
  return 'unit'
}

/** Returns what a file loads, directly or not: our files by path, packages by name. Type imports load nothing. */
export function loadedBy(file, read = (path) => readFileSync(path, 'utf8')) {
  const loaded = new Set()
  const waiting = [file]
  for (const path of waiting) {
    if (loaded.has(path)) continue
    loaded.add(path)
    if (!/\.(ts|tsx|mjs)$/.test(path)) continue
    const text = read(path)
    const imports =
      /(?:^|\n)\s*(?:import|export)\s+(?!type\b)(?:[^'"`;]*?\sfrom\s+)?['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]/g
    for (const [, named, later] of text.matchAll(imports)) {
      const name = named ?? later
      if (!name.startsWith('.')) loaded.add(name)
      else if (existsSync(join(dirname(path), name))) waiting.push(normalize(join(dirname(path), name)))
    }
  }
  return loaded
}
