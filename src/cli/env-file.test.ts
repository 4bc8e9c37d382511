/** A settings file is read as its author means it, or refused in one sentence. */
import assert from 'node:assert/strict'
import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { readEnvFile } from './env-file.ts'

const folder = mkdtempSync(join(tmpdir(), 'anteroom-env-'))
after(() => rmSync(folder, { recursive: true }))
const path = join(folder, '.env')
const KNOWN = ['PORT', 'HOST', 'DATA_DIR', 'METRICS_TOKEN']
const read = (bytes: string | Buffer) => {
  writeFileSync(path, bytes)
  return readEnvFile(path, KNOWN)
}
const utf16 = (text: string, bigEndian = false): Buffer => {
  const bytes = Buffer.from(`\ufeff${text}`, 'utf16le')
  return bigEndian ? bytes.swap16() : bytes
}

const good: [what: string, bytes: string | Buffer, settings: Record<string, string>][] = [
  ['plain', 'PORT=1\nHOST=::\n', { PORT: '1', HOST: '::' }],
  ['a byte-order mark', '\ufeffPORT=1\nHOST=::\n', { PORT: '1', HOST: '::' }],
  ['lines of Windows', 'PORT=1\r\nHOST=::\r\n', { PORT: '1', HOST: '::' }],
  ['lines of an old Macintosh', 'PORT=1\rHOST=::\r', { PORT: '1', HOST: '::' }],
  ['a mark and lines of Windows', '\ufeffPORT=1\r\nHOST=::', { PORT: '1', HOST: '::' }],
  ['UTF-16, little end first', utf16('PORT=1\r\nHOST=::\r\n'), { PORT: '1', HOST: '::' }],
  ['UTF-16, big end first', utf16('PORT=1\nHOST=::\n', true), { PORT: '1', HOST: '::' }],
  ['quotes', `PORT="1"\nHOST='::'\nDATA_DIR=\`/a b\`\n`, { PORT: '1', HOST: '::', DATA_DIR: '/a b' }],
  ['quotes around what looks like more', `DATA_DIR="a # b"\n`, { DATA_DIR: 'a # b' }],
  ['export', 'export PORT=1\n  export HOST=::\n', { PORT: '1', HOST: '::' }],
  ['blanks', '  PORT = 1  \n\n\tHOST=\t::\n', { PORT: '1', HOST: '::' }],
  ['comments', '# HOST=1\n#PORT=2\nPORT=1 # the port\n', { PORT: '1' }],
  ['nothing', '', {}],
  ['an empty value', 'PORT=\n', { PORT: '' }],
  ['twice: the last', 'PORT=1\nPORT=2\n', { PORT: '2' }],
  [
    "another program's lines",
    'PEM="a\nPORT of call\nb"\nwhat: ever\nPORT=1\n',
    { PEM: 'a\nPORT of call\nb', PORT: '1' },
  ],
]
test('reads every spelling that editors write', () => {
  for (const [what, bytes, settings] of good) {
    const file = read(bytes)
    assert.ok(file && 'settings' in file, `${what}: ${JSON.stringify(file)}`)
    assert.deepEqual({ ...file.settings }, settings, what)
  }
})

const bad: [what: string, bytes: string | Buffer, problem: RegExp][] = [
  ['a colon', 'HOST=::\nPORT: 1\n', /line 2 names PORT and does not set it: write PORT=value\.$/],
  ['a blank', 'PORT 1\n', /line 1 names PORT/],
  ['no value', 'export PORT\n', /line 1 names PORT/],
  ['an invisible sign before it', '\u200bPORT=1\n', /line 1 names PORT/],
  ['a no-break space before it', '\u00a0PORT=1\n', /line 1 names PORT/],
  ['a second mark', '\ufeff\ufeffPORT=1\n', /line 1 names PORT/],
  ['Latin-1', Buffer.from('DATA_DIR=/b\xfcro\n', 'latin1'), /is not UTF-8 text/],
  ['UTF-16 without a mark', Buffer.from('PORT=1\n', 'utf16le'), /is not UTF-8 text/],
  ['a program', Buffer.from([0x7f, 0x45, 0x4c, 0x46, 0, 0]), /is not UTF-8 text/],
]
test('refuses a line that names a setting without setting it, and a file that is not text', () => {
  for (const [what, bytes, problem] of bad) {
    const file = read(bytes)
    assert.ok(file && 'problem' in file, `${what}: ${JSON.stringify(file)}`)
    assert.match(file.problem, problem, what)
    assert.ok(file.problem.startsWith(path))
  }
  const asFolder = join(folder, 'folder')
  mkdirSync(asFolder)
  const file = readEnvFile(asFolder, KNOWN)
  assert.match(file && 'problem' in file ? file.problem : '', /cannot be read \(EISDIR\)/)
  assert.equal(readEnvFile(join(folder, 'none'), KNOWN), undefined)
})
