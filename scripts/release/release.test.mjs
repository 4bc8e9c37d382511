/** A release: what it refuses, what a dry run leaves unchanged, and what it commits and tags in a real repository. */
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { released, versionAsked, withVersion } from './rules.mjs'

const script = join(import.meta.dirname, 'release.mjs')
const CHANGELOG = '# Changelog\n\nHow it is kept.\n\n## NEXT\n\n### Media\n\n- Louder.\n'
let folder

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'anteroom-release-'))
  write('package.json', withVersion('{"name":"it"}', '0.1.0'))
  write('package-lock.json', withVersion('{"name":"it","packages":{"":{"name":"it"}}}', '0.1.0'))
  write('CHANGELOG.md', CHANGELOG)
  git('init', '--quiet')
  git('config', 'user.name', 'A test')
  git('config', 'user.email', 'test@localhost')
  git('add', '.')
  git('commit', '--quiet', '--message', 'begin')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const write = (file, text) => writeFileSync(join(folder, file), text)
const read = (file) => readFileSync(join(folder, file), 'utf8')
const git = (...parameters) => execFileSync('git', parameters, { cwd: folder, encoding: 'utf8' }).trim()
const run = (...parameters) =>
  spawnSync(process.execPath, [script, ...parameters], { cwd: folder, encoding: 'utf8' })

function isRefused(parameters, pattern) {
  const before = git('log', '--format=%H')
  const { status, stderr } = run(...parameters)
  assert.equal(status, 1)
  assert.match(stderr, pattern)
  assert.equal(git('log', '--format=%H'), before)
  assert.equal(git('tag', '--list'), '')
}

test('refuses to release changes that are uncommitted, untested or missing from the changelog', () => {
  isRefused([], /usage/)
  isRefused(['minor'], /say --tested/)
  isRefused(['0.0.9', '--tested'], /below the version/)
  isRefused(['soon', '--tested'], /Name a version/)
  write('new.txt', '')
  isRefused(['minor', '--tested'], /git status/)
  git('add', '.')
  isRefused(['minor', '--tested'], /git status/)
  write('CHANGELOG.md', '# Changelog\n\n## NEXT\n\n### Media\n')
  git('commit', '--quiet', '--all', '--message', 'empty it')
  isRefused(['minor', '--tested'], /nothing below "## NEXT"/)
})

test('a dry run prints what it would do and changes nothing', () => {
  const { status, stdout } = run('minor', '--tested', '--dry-run')
  assert.equal(status, 0)
  assert.match(stdout, /version 0\.2\.0 \(now 0\.1\.0\).*tag it v0\.2\.0[\s\S]*- Louder\.$/m)
  assert.equal(git('status', '--porcelain'), '')
  assert.equal(git('tag', '--list'), '')
  assert.equal(read('CHANGELOG.md'), CHANGELOG)
})

test('a release sets the version, dates the changelog, commits and tags, and cannot be repeated', () => {
  const { status, stdout, stderr } = run('0.1.0', '--tested')
  assert.equal(status, 0, stderr)
  assert.match(stdout, /git push --follow-tags/)
  assert.equal(git('log', '-1', '--format=%s'), 'release: 0.1.0')
  assert.equal(git('rev-parse', 'v0.1.0^{commit}'), git('rev-parse', 'HEAD'))
  assert.match(git('tag', '--list', '--format=%(contents)'), /^0\.1\.0\n\n### Media\n\n- Louder\.$/)
  assert.match(
    read('CHANGELOG.md'),
    /^# Changelog\n\nHow it is kept\.\n\n## NEXT\n\n## 0\.1\.0 \(\d{4}-\d\d-\d\d\)\n\n### Media\n\n- Louder\.\n$/,
  )
  assert.match(run('0.1.0', '--tested').stderr, /released already/)
  assert.match(run('patch', '--tested').stderr, /nothing below/)

  write('CHANGELOG.md', read('CHANGELOG.md').replace('## NEXT\n', '## NEXT\n\n- Clearer.\n'))
  git('commit', '--quiet', '--all', '--message', 'work')
  assert.equal(run('patch', '--tested').status, 0)
  assert.equal(JSON.parse(read('package.json')).version, '0.1.1')
  const lock = JSON.parse(read('package-lock.json'))
  assert.deepEqual([lock.version, lock.packages[''].version], ['0.1.1', '0.1.1'])
  assert.match(
    read('CHANGELOG.md'),
    /## NEXT\n\n## 0\.1\.1 \(.*\)\n\n- Clearer\.\n\n## 0\.1\.0 \(.*\)\n\n### Media\n/,
  )
  assert.equal(git('status', '--porcelain'), '')
})

test('computes the next version', () => {
  for (const [asked, is] of [
    ['patch', '1.2.4'],
    ['minor', '1.3.0'],
    ['major', '2.0.0'],
    ['1.10.0', '1.10.0'],
  ])
    assert.equal(versionAsked(asked, '1.2.3', true), is)
  assert.equal(versionAsked('1.2.3', '1.2.3', false), '1.2.3')
  for (const asked of ['1.2.3', '1.2.2', 'v1.2.4', '1.2', '', undefined])
    assert.throws(() => versionAsked(asked, '1.2.3', true))
})

test('refuses a changelog without the expected heading', () => {
  assert.throws(() => released('# Changelog\n\n- NEXT\n', '1.0.0', '2026-01-31'), /no heading "## NEXT"/)
})

test('keeps the layout of the files of this project', () => {
  for (const file of ['package.json', 'package-lock.json']) {
    const text = readFileSync(join(import.meta.dirname, '../..', file), 'utf8')
    assert.equal(withVersion(text, JSON.parse(text).version), text)
  }
})
