// Computes which lines the tests run, from the counts of V8 in each process (NODE_V8_COVERAGE).
import { globSync, readFileSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { stripTypeScriptTypes } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { kindOf, loadedBy } from './kinds.mjs'

/** The minimum share of lines per folder, in percent, that tests must run. */
export const FLOORS = { 'src/meeting': 90, 'src/project': 90, 'src/token': 90 }

/**
 * The tests of whole servers whose lines are counted, beside those in src/. To count costs each process seconds, because it
 * cannot use the compile cache, and more files would run the same lines.
 */
export const COUNTED = [
  'test/breakouts.test.ts',
  'test/door.test.ts',
  'test/entry.test.ts',
  'test/hosting.test.ts',
  'test/import.test.ts',
  'test/names.test.ts',
  'test/offers.test.ts',
  'test/old-clients.test.ts',
  'test/outputs.test.ts',
  'test/own-client.test.ts',
  'test/polls.test.ts',
  'test/whiteboard.test.ts',
  'test/wire.test.ts',
]

/** Whether the lines that a test file runs are counted. */
export function isCounted(file, read) {
  if (COUNTED.includes(file)) return true
  if (!file.startsWith('src/') || kindOf(file, read) === 'browser') return false
  const folders = Object.keys(FLOORS)
  return [...loadedBy(file, read)].some((loaded) => folders.some((folder) => loaded.startsWith(`${folder}/`)))
}

/** Adds up the coverage of many processes. */
export class Coverage {
  #floors
  /** Keyed by the URL that V8 uses for a file. */
  #files = new Map()

  constructor(root, floors = FLOORS) {
    this.#floors = floors
    const sources = globSync(
      Object.keys(floors).map((folder) => `${folder}/**/*.ts`),
      { cwd: root },
    ).filter((path) => !path.endsWith('.test.ts'))
    for (const path of sources.sort()) {
      const lines = linesOf(readFileSync(join(root, path), 'utf8'))
      const missed = new Set(lines.map(({ line }) => line))
      this.#files.set(pathToFileURL(join(root, path)).href, { path, lines, missed })
    }
  }

  /** Adds the coverage that the processes of one run wrote into their folder. */
  async add(folder) {
    for (const name of await readdir(folder).catch(() => [])) {
      const { result } = JSON.parse(await readFile(join(folder, name), 'utf8'))
      for (const { url, functions } of result) {
        const file = this.#files.get(url)
        if (file) for (const line of linesRun(file.lines, functions)) file.missed.delete(line)
      }
    }
  }

  /** Returns a row per folder, the files below its minimum, and whether a folder is below it. */
  summary() {
    const text = ['', 'Lines run by tests']
    let failed = false
    for (const [folder, floor] of Object.entries(this.#floors)) {
      const files = [...this.#files.values()].filter(({ path }) => path.startsWith(`${folder}/`))
      const share = shareOf(files)
      failed ||= share < floor
      text.push(`  ${percent(share)}  ${folder}/${share < floor ? `: the floor is ${floor} %` : ''}`)
      for (const file of files)
        if (shareOf([file]) < floor)
          text.push(`  ${percent(shareOf([file]))}    ${file.path}, without lines ${spans(file.missed)}`)
    }
    return { text: text.join('\n'), failed }
  }
}

/**
 * Returns the lines that contain code other than types and comments, with the offsets of their first and last
 * character.
 */
export function linesOf(source) {
  // Replaces what it removes by spaces, so that offsets stay valid.
  const code = stripTypeScriptTypes(source).replaceAll(
    /\/\*[\s\S]*?\*\/|(?<![:'"`\\])\/\/[^\n]*/g,
    (comment) => comment.replaceAll(/[^\n]/g, ' '),
  )
  let offset = 0
  return code.split('\n').flatMap((text, index) => {
    const start = offset
    offset += text.length + 1
    // A line of brackets runs with the block that it closes.
    if (!/[\w'"`]/.test(text)) return []
    return [{ line: index + 1, first: start + text.search(/\S/), last: start + text.trimEnd().length - 1 }]
  })
}

/** Returns the numbers of the lines that ran, from V8's ranges of functions and blocks. */
export function linesRun(lines, functions) {
  // Ranges are nested. Sorted with outer ones first, the last range that contains an offset is the innermost.
  const ranges = functions
    .flatMap((one) => one.ranges)
    .sort((a, b) => a.startOffset - b.startOffset || b.endOffset - a.endOffset)
  const countAt = (offset) => {
    let count = 0
    for (const range of ranges) {
      if (range.startOffset > offset) break
      if (offset < range.endOffset) count = range.count
    }
    return count
  }
  // One end is enough: `} else {` begins in a block that did not run, `if (…) throw …` ends in one.
  return lines.filter(({ first, last }) => countAt(first) > 0 || countAt(last) > 0).map(({ line }) => line)
}

function shareOf(files) {
  const sum = (count) => files.reduce((total, file) => total + count(file), 0)
  const lines = sum((file) => file.lines.length)
  return lines === 0 ? 100 : (100 * (lines - sum((file) => file.missed.size))) / lines
}

function percent(share) {
  // Rounded down, so that a value just below the minimum does not look like it.
  return `${(Math.floor(share * 10) / 10).toFixed(1).padStart(5)} %`
}

/** Formats line numbers like `3-5, 9`. */
function spans(lines) {
  const found = []
  for (const line of lines) {
    const last = found.at(-1)
    if (last?.[1] === line - 1) last[1] = line
    else found.push([line, line])
  }
  return found.map(([from, to]) => (from === to ? from : `${from}-${to}`)).join(', ')
}
