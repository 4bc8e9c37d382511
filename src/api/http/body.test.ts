import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { Refusal } from '../../protocol/errors.ts'
import { parseBody, problemOfData } from './body.ts'

const json = 'application/json'
const form = 'application/x-www-form-urlencoded'
const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1')

suite('reads a body as UTF-8 or refuses it', () => {
  const read: [name: string, body: Buffer, type: string | undefined, value: object][] = [
    ['JSON', Buffer.from('{"id":"büro"}'), json, { id: 'büro' }],
    ['JSON without a type', Buffer.from('{"id":"büro"}'), undefined, { id: 'büro' }],
    ['JSON that says so', Buffer.from('{"id":"büro"}'), `${json}; charset=UTF-8`, { id: 'büro' }],
    ['JSON after a byte-order mark', Buffer.from('\ufeff{"id":"büro"}'), json, { id: 'büro' }],
    ['ASCII that says it is Latin-1', Buffer.from('{"id":"b"}'), `${json};charset=ISO-8859-1`, { id: 'b' }],
    ['escapes that make one character', Buffer.from('{"id":"\\ud83d\\ude00"}'), json, { id: '😀' }],
    ['a form', Buffer.from('id=b%C3%BCro&x=1+2'), form, { id: 'büro', x: '1 2' }],
    ['nothing', Buffer.alloc(0), json, {}],
  ]
  for (const [name, body, type, value] of read)
    test(`${name} is read`, () => assert.deepEqual(parseBody(body, type), value))

  const refused: [name: string, body: Buffer, type: string | undefined][] = [
    ['JSON in Latin-1', latin1('{"id":"b\xfcro"}'), json],
    ['JSON in Latin-1 without a type', latin1('{"id":"b\xfcro"}'), undefined],
    ['JSON in Latin-1 that says so', latin1('{"id":"b\xfcro"}'), `${json}; charset=iso-8859-1`],
    ['UTF-8 that says it is Latin-1', Buffer.from('{"id":"büro"}'), `${json}; charset="iso-8859-1"`],
    ['UTF-16', Buffer.from('{"id":"b"}', 'utf16le'), `${json}; charset=utf-16`],
    ['half a character', Buffer.from('{"id":"\\ud83d"}'), json],
    ['two halves the wrong way round', Buffer.from('{"id":"\\ude00\\ud83d"}'), json],
    ['half a character in a name', Buffer.from('{"\\udc00":1}'), json],
    ['U+0000', Buffer.from('{"id":"a\\u0000"}'), json],
    ['U+0000 in a form', Buffer.from('id=a%00'), 'application/x-www-form-urlencoded'],
    ['half a character deep inside', Buffer.from('{"a":[{"b":["\\ud83d"]}]}'), json],
    ['half a character in bytes', Buffer.from([0x7b, 0x22, 0xed, 0xa0, 0xbd, 0x22, 0x3a, 0x31, 0x7d]), json],
    ['a form in Latin-1', latin1('id=b\xfcro'), form],
    ['a form with an escape of Latin-1', Buffer.from('id=b%FCro'), form],
    ['a form with half a character', Buffer.from('id=%ED%A0%BD'), form],
    ['a form with a broken escape', Buffer.from('id=%zz'), form],
  ]
  for (const [name, body, type] of refused) {
    test(`${name} is refused`, () => {
      assert.throws(
        () => parseBody(body, type),
        (error) =>
          error instanceof Refusal &&
          error.code === 'INVALID_REQUEST' &&
          /^[A-Z][^.]*\.$/.test(error.message),
      )
    })
  }
})

test('accepts data as deep as what can be stored, and no deeper', () => {
  let deep: object = {}
  for (let depth = 0; depth < 40; depth++) deep = [deep]
  assert.equal(problemOfData(deep), 'too deep')
  assert.equal(problemOfData({ a: ['\ud83d'] }), 'not well-formed')
  assert.equal(problemOfData({ '\ud83d': 1 }), 'not well-formed')
  assert.equal(problemOfData({ a: ['😀', 1, null, true], b: Buffer.from([0xff]) }), undefined)
})
