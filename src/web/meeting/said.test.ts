import assert from 'node:assert/strict'
import { test } from 'node:test'
import { completed, completions, mentions, partsOf } from './said.ts'

test('a text is code, addresses, mentions and plain text', () => {
  const names = ['Ann', 'Ann Baker', 'a+b', '']
  const cases: [said: string, parts: string[]][] = [
    ['', []],
    ['hello', ['text:hello']],
    ['<b>hi</b>', ['text:<b>hi</b>']],
    ['use `a < b` here', ['text:use ', 'code:a < b', 'text: here']],
    ['one ` alone', ['text:one ` alone']],
    ['`` nothing', ['text:`` nothing']],
    ['`not\nover lines`', ['text:`not\nover lines`']],
    ['```\na\n  b\n```', ['block:a\n  b']],
    ['see ```js\nlet a\n``` there', ['text:see ', 'block:let a', 'text: there']],
    ['```one line```', ['block:one line']],
    ['``````', ['text:``````']],
    ['```\nnever ends', ['text:```\nnever ends']],
    ['`https://a.example @Ann`', ['code:https://a.example @Ann']],
    ['https://a.example/@Ann', ['link:https://a.example/@Ann']],
    ['@ann, hello', ['mention:@ann', 'text:, hello']],
    ['@Ann Baker and @Ann', ['mention:@Ann Baker', 'text: and ', 'mention:@Ann']],
    ['@Anna', ['text:@Anna']],
    ['mail@Ann', ['text:mail@Ann']],
    ['(@a+b)', ['text:(', 'mention:@a+b', 'text:)']],
    ['@@Ann', ['text:@', 'mention:@Ann']],
    ['@', ['text:@']],
  ]
  for (const [said, parts] of cases)
    assert.deepEqual(
      partsOf(said, names).map(({ kind, text }) => `${kind}:${text}`),
      parts,
      said,
    )
})

test('many backticks take no longer than they are long', () => {
  const startedAt = performance.now()
  partsOf('`'.repeat(4000), [])
  partsOf('```a\n'.repeat(800), [])
  partsOf('@'.repeat(4000), ['Ann'])
  assert.ok(performance.now() - startedAt < 2000)
})

test('a name is mentioned as a whole, outside of code', () => {
  const cases: [said: string, is: boolean][] = [
    ['hello @Ann!', true],
    ['@ANN', true],
    ['hello Ann', false],
    ['`@Ann`', false],
    ['@Annabel', false],
    ['@Ann Baker', false],
  ]
  for (const [said, is] of cases) assert.equal(mentions(said, 'Ann', ['Ann Baker']), is, said)
})

test('a mention that is being written can be completed', () => {
  const names = ['Ann', 'Ann Baker', 'Bob', 'Bob', '']
  const cases: [said: string, names: string[]][] = [
    ['', []],
    ['hello', []],
    ['@', ['Ann', 'Ann Baker', 'Bob']],
    ['hello @b', ['Bob']],
    ['@ann b', ['Ann Baker']],
    ['@Ann', ['Ann Baker']],
    ['@Bob', []],
    ['@Bob ', []],
    ['mail@b', []],
  ]
  for (const [said, expected] of cases) assert.deepEqual(completions(said, names), expected, said)
  assert.equal(completed('@x hello @an', 'Ann Baker'), '@x hello @Ann Baker ')
})
