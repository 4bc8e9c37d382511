import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withLinks } from './links.ts'

test('addresses become links, and nothing else does', () => {
  assert.deepEqual(withLinks('see https://a.example/x?y=1, and (http://b.example).'), [
    { text: 'see ' },
    { text: 'https://a.example/x?y=1', href: 'https://a.example/x?y=1' },
    { text: ', and (' },
    { text: 'http://b.example', href: 'http://b.example' },
    { text: ').' },
  ])
  for (const text of ['javascript:alert(1)', 'data:text/html,x', '<a href="x">', 'ftp://a.example', '']) {
    assert.ok(
      withLinks(text).every(({ href }) => href === undefined),
      text,
    )
    assert.equal(
      withLinks(text)
        .map((part) => part.text)
        .join(''),
      text,
    )
  }
})
