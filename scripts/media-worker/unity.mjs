// Combines many sources into one before compiling (a unity build), because most of the build time goes into headers
// that each source reads again.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'

/** Larger groups need more memory at once, and leave less to compile in parallel. */
const MOST_SOURCES = 12
/** Patterns of names that a source defines for itself. A name after `::` belongs to a class. */
const OWN = [
  // In the outermost scope, or one level deeper in a namespace.
  /^(?:\t| {2})?(?!using|namespace|return|if|for|while|switch|case|public|private)(?=[a-zA-Z])[^\n;=({]*?(?<!::)\b([A-Za-z_]\w*)(?:\[[^\]]*\])?\s*[({=;]/gm,
  // Deeper, where definitions look like statements, only these keywords are certain.
  /^\t{2,3}(?:static|constexpr|inline|thread_local) [^\n;=({]*?(?<!::)\b(\w+)(?:\[[^\]]*\])?\s*[({=;]/gm,
  /^\t{2,3}(?!return|new|delete|throw|else|case|using)[a-z][\w:<>,&*]*(?: [\w:<>,&*]+)* [&*]*(\w+)\(/gm,
  /^\s*(?:struct|class|enum)(?: class)? (\w+)\s*[:{\n]/gm,
  // Each source defines MS_CLASS for its log; the define is undone after each.
  /^\s*#\s*define\s+(?!MS_CLASS)(\w+)/gm,
]
/** `'src/a.cpp',` on a line of its own, as Meson's files list them. */
const LISTED = /^ *'([^']+\.(?:cpp|cc))',\n/gm

/**
 * Replaces the listed sources of a `meson.build` by files that include them in groups.
 * @param {string} file
 * @param {string} list - the variable of the list
 */
export function uniteSources(file, list) {
  const text = readFileSync(file, 'utf8')
  const found = new RegExp(`^${list} = \\[\\n((?: *'[^']+',\\n)+)\\]`, 'm').exec(text)
  if (!found) throw new Error(`${file} is not as expected: it lacks the list ${list}`)
  const folder = dirname(file)
  const sources = [...found[1].matchAll(LISTED)].map(([, name]) => name)
  const united = groupsOf(
    sources.map((name) => ({ name, names: ownNames(readFileSync(join(folder, name), 'utf8')) })),
  )
  mkdirSync(join(folder, 'united'), { recursive: true })
  const lines = united.map((names, at) => {
    const name = `united/${basename(folder)}-${at}.cpp`
    const includes = names.map((source) => `#include "../${source}"\n#undef MS_CLASS\n`)
    writeFileSync(join(folder, name), includes.join(''))
    return `  '${name}',\n`
  })
  writeFileSync(
    file,
    text.replace(found[0], () => `${list} = [\n${lines.join('')}]`),
  )
}

/**
 * Splits the sources into groups in which no two define the same name.
 * @param {{ name: string, names: Set<string> }[]} sources
 * @returns {string[][]}
 */
export function groupsOf(sources) {
  /** @type {{ members: string[], names: Set<string> }[]} */
  const groups = []
  for (const { name, names } of sources) {
    let group = groups.find(
      (one) => one.members.length < MOST_SOURCES && ![...names].some((own) => one.names.has(own)),
    )
    if (!group) groups.push((group = { members: [], names: new Set() }))
    group.members.push(name)
    for (const one of names) group.names.add(one)
  }
  return groups.map(({ members }) => members)
}

/**
 * Returns the names that a source defines for itself outside of classes and functions: constants, functions, types,
 * macros. It errs on the side of too many.
 * @param {string} text
 */
export function ownNames(text) {
  const names = new Set()
  for (const pattern of OWN) for (const [, name] of text.matchAll(pattern)) names.add(name)
  return names
}
