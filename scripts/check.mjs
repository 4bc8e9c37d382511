// Runs types, lint, unused code (knip.json) and format. Types and lint share one program, because the lint needs the
// types too. Files that passed are not checked again until one of them changes.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { glob } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { ESLint } from 'eslint'
import ts from 'typescript'

process.chdir(join(import.meta.dirname, '..'))
/** Holds the hash of the files that passed last. */
const PASSED = 'node_modules/.cache/checked'
const NOT_CHECKED = ['node_modules', 'dist', 'data', 'test-failures', '.cache', '.git']

const inputs = await hashOfInputs()
if (inputs !== lastPassed()) {
  const program = createProgram()
  const passed = [checkTypes(program), await lint(program), run('knip')]
  if (passed.includes(false)) process.exitCode = 1
  else {
    mkdirSync(dirname(PASSED), { recursive: true })
    writeFileSync(PASSED, inputs)
  }
}
if (!run('prettier', '--check', '--log-level', 'warn', '--cache', '--cache-strategy', 'content', '.'))
  process.exitCode = 1

/** Returns whether a program of node_modules/.bin succeeded. */
function run(program, ...parameters) {
  return spawnSync(`node_modules/.bin/${program}`, parameters, { stdio: 'inherit' }).status === 0
}

/**
 * The hash of everything that types and lint depend on: our files, the settings, and the packages in package-lock.json.
 */
async function hashOfInputs() {
  const hash = createHash('sha256')
  const files = []
  const exclude = (name) => NOT_CHECKED.includes(name)
  for await (const file of glob('**/*.{ts,tsx,mjs,js,json}', { exclude })) files.push(file)
  for (const file of files.sort()) hash.update(`${file}\0`).update(readFileSync(file)).update('\0')
  return hash.digest('hex')
}

function lastPassed() {
  try {
    return readFileSync(PASSED, 'utf8')
  } catch {
    return undefined
  }
}

function createProgram() {
  const { config, error } = ts.readConfigFile('tsconfig.json', ts.sys.readFile)
  if (error) throw new Error(ts.flattenDiagnosticMessageText(error.messageText, '\n'))
  const { options, fileNames } = ts.parseJsonConfigFileContent(config, ts.sys, process.cwd())
  return ts.createProgram(fileNames, options)
}

function checkTypes(program) {
  const found = ts.getPreEmitDiagnostics(program)
  const format = {
    getCanonicalFileName: (name) => name,
    getCurrentDirectory: () => process.cwd(),
    getNewLine: () => '\n',
  }
  process.stdout.write(ts.formatDiagnostics(found, format))
  return found.length === 0
}

async function lint(program) {
  const eslint = new ESLint({
    overrideConfig: [
      {
        files: ['**/*.ts', '**/*.tsx'],
        languageOptions: { parserOptions: { projectService: false, programs: [program] } },
      },
    ],
  })
  const results = await eslint.lintFiles('.')
  const formatter = await eslint.loadFormatter()
  process.stdout.write(await formatter.format(results))
  return results.every(({ errorCount }) => errorCount === 0)
}
