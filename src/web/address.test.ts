import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newKey, parseAddress, parseJoinText, pathOf, withKey } from './address.ts'

test('the address names the meeting, and the part behind # the credentials', () => {
  assert.deepEqual(parseAddress('/', ''), {})
  assert.deepEqual(parseAddress('/', '#sign-in=abc'), { signIn: 'abc' })
  assert.deepEqual(parseAddress('/m/abcd-efgh-ijkl', '#invite=xyz'), {
    meetingId: 'abcd-efgh-ijkl',
    invite: 'xyz',
  })
  assert.deepEqual(parseAddress('/prefix/m/my%20meeting/', '#token=a.b.c'), {
    meetingId: 'my meeting',
    token: 'a.b.c',
  })
  assert.deepEqual(parseAddress('/m/%zz', ''), { meetingId: '%zz' })
})

test('accepts a pasted link or id, and ignores other text', () => {
  assert.equal(parseJoinText('  '), undefined)
  assert.equal(parseJoinText('two words'), undefined)
  assert.equal(parseJoinText('https://example.org/'), undefined)
  assert.deepEqual(parseJoinText(' abcd-efgh-ijkl '), { meetingId: 'abcd-efgh-ijkl' })
  assert.deepEqual(parseJoinText('https://example.org/m/abcd-efgh-ijkl#invite=q'), {
    meetingId: 'abcd-efgh-ijkl',
    invite: 'q',
  })
})

test('the key of a meeting travels in the fragment, behind the credential', () => {
  const key = newKey()
  assert.match(key, /^[\w-]{22}$/)
  assert.notEqual(key, newKey())
  const meetingId = 'abcd-efgh-ijkl'
  for (const one of [key, 'ein & Schlüssel=']) {
    const path = pathOf('/prefix/', { meetingId, key: one })
    const { pathname, hash } = new URL(path, 'https://example.org')
    assert.equal(pathname, '/prefix/m/abcd-efgh-ijkl')
    assert.deepEqual(parseAddress(pathname, hash), { meetingId, key: one })
    const link = new URL(withKey('https://example.org/m/abcd-efgh-ijkl#invite=xyz', one))
    assert.deepEqual(parseAddress(link.pathname, link.hash), { meetingId, invite: 'xyz', key: one })
  }
  assert.equal(pathOf('/', { meetingId }), '/m/abcd-efgh-ijkl')
  assert.equal(withKey('https://example.org/m/a#invite=x', undefined), 'https://example.org/m/a#invite=x')
})
