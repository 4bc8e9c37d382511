import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseAddress, parseJoinText } from './address.ts'

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
