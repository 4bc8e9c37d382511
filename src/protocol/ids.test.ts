import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { cleanName, isReadable, problemOfName, problemOfParticipantId, problemOfRoomId } from './ids.ts'

const show = (text: string): string => JSON.stringify(text.length > 20 ? `${text.slice(0, 20)}…` : text)

suite('an id is the same text however it is sent', () => {
  const good = [
    'a',
    'team-weekly',
    '87i6-bvw8-dtn1',
    'ann@example.org',
    'a+b&c=d#e?f%g;h/i\\j',
    '3f2504e0-4f89-41d3-9a0c-0305e82c3301',
    '65f0c0ffee65f0c0ffee65f0',
    '__proto__',
    '...',
    'büro',
    'Καφές',
    'غرفة',
    '会議室',
    '😀'.repeat(128),
    'x'.repeat(128),
  ]
  for (const id of good) {
    test(`${show(id)} is an id`, () => {
      assert.equal(problemOfRoomId(id), undefined)
      assert.equal(problemOfParticipantId(id), undefined)
      assert.ok(isReadable(id))
    })
  }

  const bad: [id: string, why: RegExp][] = [
    ['', /1 to 128/],
    ['x'.repeat(129), /1 to 128/],
    ['😀'.repeat(129), /1 to 128/],
    ['.', /"\."/],
    ['..', /"\."/],
    ['\ud83d', /well-formed/],
    ['a\udc00\ud800', /well-formed/],
    ['b\ufffdro', /replacement/],
    ['bu\u0308ro', /normal form C/],
    ['\u212a', /normal form C/],
    ['ann\u200b', /invisible/],
    ['ann\u200d', /invisible/],
    ['ann\u00ad', /invisible/],
    ['\ufeffann', /invisible/],
    ['\u3164', /invisible/],
    ['\u2800', /invisible/],
    ['❤️', /invisible/],
    ['\u202eann', /invisible/],
    ['\u2066ann\u2069', /invisible/],
    ['a\nb', /control/],
    ['a\0', /control/],
    ['a\u0085b', /control/],
    ['a\u2028b', /control/],
    ['\ufdd0', /invisible/],
  ]
  for (const [id, why] of bad) {
    test(`${show(id)} is not an id`, () => {
      assert.match(problemOfRoomId(id)!, why)
      assert.match(problemOfParticipantId(id)!, why)
    })
  }

  test('a custom id may contain blanks, a participantId may not', () => {
    for (const id of ['team one', 'Große Runde', '会議\u3000室']) {
      assert.equal(problemOfRoomId(id), undefined)
      assert.match(problemOfParticipantId(id)!, /white space/)
    }
    for (const id of [' ', ' a', 'a ', '\u00a0a'])
      assert.match(problemOfRoomId(id)!, /begin or end with white space/)
  })

  test('refuses ids that mean something else in an address', () => {
    assert.match(problemOfRoomId('validate')!, /in an address/)
    assert.match(problemOfParticipantId('active')!, /in an address/)
    for (const id of ['live', 'deactivate', 'end']) assert.equal(problemOfRoomId(id), undefined)
  })

  test('refuses a participantId that is reserved for the server', () => {
    for (const id of ['server', 'Server', 'SERVER', 'ｓｅｒｖｅｒ'])
      assert.match(problemOfParticipantId(id)!, /name of the server/)
    for (const id of ['server-1', 'my-server']) assert.equal(problemOfParticipantId(id), undefined)
  })
})

test('a lookup accepts ids from before the rule', () => {
  for (const id of ['.', 'b\ufffdro', 'ann\u200b', ' a ', 'x'.repeat(256), '😀'.repeat(256)])
    assert.ok(isReadable(id), show(id))
  for (const id of ['', 'x'.repeat(257), '😀'.repeat(257), 'a\ud83d', undefined, 7, ['a']])
    assert.equal(isReadable(id), false)
})

test('a name is one readable line, and keeps its script and emoji', () => {
  for (const name of ['Ann', 'Zoë  B'.replace('  ', ' '), 'می‌خواهم', '👨‍👩‍👧', '❤️', 'נועה', '=1+1', '<b>'])
    assert.equal(cleanName(name), name)
  for (const [name, clean] of [
    [' Ann\n', 'Ann'],
    ['Ann\r\nBob\tC', 'Ann Bob C'],
    ['A\u202enn\u2069', 'Ann'],
    ['\u200bAnn\ufeff', 'Ann'],
    ['Zoe\u0308', 'Zoë'],
    ['e\u200b\u0301', 'é'],
    ['\u200b', ''],
    ['\u200d\ufe0f \u200f', ''],
    ['a\ud83d', 'a\ufffd'],
  ] as const) {
    assert.equal(cleanName(name), clean, show(name))
    assert.equal(cleanName(clean), clean)
  }
})

test('refuses names given by operators that cannot be read', () => {
  for (const name of ['Our app', 'Ünï', '👨‍👩‍👧', ' a ']) assert.equal(problemOfName(name), undefined)
  for (const name of ['', ' ', '\u200b', 'a\nb', 'a\u202eb', 'a\ud83d'])
    assert.ok(problemOfName(name), show(name))
})
