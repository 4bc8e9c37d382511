import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { checkLicences, isAccepted, licenceOf, readAudit } from './dependencies.mjs'

const nothing = () => ({})

test('names each package whose licence is not on the list', () => {
  for (const license of [
    'GPL-3.0',
    'MIT AND GPL-3.0',
    'SEE LICENSE IN x',
    'UNLICENSED',
    '',
    '(MIT OR (GPL-3.0))',
  ]) {
    const { wrong } = checkLicences({ 'node_modules/a': { version: '1.0.0', license } }, nothing)
    assert.equal(wrong.length, 1, license)
    assert.match(wrong[0], /^a 1\.0\.0: /)
  }
  assert.deepEqual(checkLicences({ 'node_modules/a': { version: '1.0.0' } }, nothing).wrong, [
    'a 1.0.0: states none',
  ])
})

test('an exception made for tests does not apply to code that runs', () => {
  const path = 'node_modules/@videosdk.live/js-sdk'
  assert.equal(checkLicences({ [path]: { version: '1.0.0' } }, nothing).wrong.length, 1)
  assert.deepEqual(checkLicences({ [path]: { version: '1.0.0', dev: true } }, nothing).wrong, [])
})

test('judges a package installed under another name by its own licence', () => {
  const alias = { version: '0.0.1', dev: true, name: '@videosdk.live/js-sdk' }
  assert.deepEqual(checkLicences({ 'node_modules/js-sdk-0.0.1': alias }, nothing).wrong, [])
  const disguised = { version: '1.0.0', dev: true, name: 'a' }
  assert.deepEqual(checkLicences({ 'node_modules/@videosdk.live/js-sdk': disguised }, nothing).wrong, [
    'a 1.0.0: states none',
  ])
})

test('understands licence choices, combinations and the old spelling', () => {
  for (const licence of ['MIT', 'MIT OR GPL-3.0', '(Apache-2.0 AND BSD-3-Clause)', 'BlueOak-1.0.0'])
    assert.ok(isAccepted(licence), licence)
  assert.equal(licenceOf({ licenses: [{ type: 'MIT' }, { type: 'ISC' }] }), 'MIT AND ISC')
})

test('reads from the package what the lock file leaves out, and does not judge our own package', () => {
  const packages = { '': {}, 'node_modules/a/node_modules/b': { version: '1.0.0' } }
  const { counts, wrong } = checkLicences(packages, () => ({ license: 'ISC' }))
  assert.deepEqual([[...counts], wrong], [[['what runs: ISC', 1]], []])
})

test('separates severe findings, and does not accept an answer that is not a report', () => {
  const of = (name, severity) => ({ name, severity, range: '<2' })
  const report = { vulnerabilities: { a: of('a', 'critical'), b: of('b', 'moderate'), c: of('c', 'high') } }
  assert.deepEqual(readAudit(JSON.stringify(report)), {
    severe: ['critical: a <2', 'high: c <2'],
    mild: ['moderate: b <2'],
  })
  for (const text of ['', 'not found', '{"message":"405 Method Not Allowed"}', 'null'])
    assert.equal(readAudit(text), undefined, text)
})

const root = fileURLToPath(new URL('..', import.meta.url))
test('npm ci runs only one script of ours, postinstall', () => {
  // The scripts that npm runs by itself during an install; "dependencies" is one of them.
  const names = ['install', 'dependencies', 'prepare', 'prepublish']
  const run = [...names, ...names.flatMap((name) => [`pre${name}`, `post${name}`])]
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  assert.deepEqual(
    run.filter((name) => Object.hasOwn(scripts, name)),
    ['postinstall'],
  )
})
