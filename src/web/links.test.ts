import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withLinks } from './links.ts'

const linksIn = (text: string): (string | undefined)[] =>
  withLinks(text)
    .map(({ href }) => href)
    .filter((href) => href !== undefined)

test('addresses become links, and the text around them stays as it is', () => {
  assert.deepEqual(withLinks('see https://a.example/x?y=1, and (http://b.example).'), [
    { text: 'see ' },
    { text: 'https://a.example/x?y=1', href: 'https://a.example/x?y=1' },
    { text: ', and (' },
    { text: 'http://b.example', href: 'http://b.example' },
    { text: ').' },
  ])
})

test('a link ends where its writer ended it', () => {
  const rows: [text: string, ...links: string[]][] = [
    ['https://a.example/Foo_(bar)', 'https://a.example/Foo_(bar)'],
    ['(https://a.example/Foo_(bar))', 'https://a.example/Foo_(bar)'],
    ['[https://a.example/?q=[1]]', 'https://a.example/?q=[1]'],
    ['<https://a.example/x>', 'https://a.example/x'],
    ['「https://a.example/x」', 'https://a.example/x'],
    ['“https://a.example/x”', 'https://a.example/x'],
    ['https://a.example。次', 'https://a.example'],
    ['見て https://a.example/x、y', 'https://a.example/x'],
    ['https://a.example/x！', 'https://a.example/x'],
    ['https://a.example؟', 'https://a.example'],
    ['https://a.example/x،', 'https://a.example/x'],
    ['https://a.example/x।', 'https://a.example/x'],
    ['https://a.example…', 'https://a.example'],
    ['https://a.example/x。https://b.example/y', 'https://a.example/x', 'https://b.example/y'],
    ['https://例え.jp/道', 'https://例え.jp/道'],
    ['http://localhost:3000/x', 'http://localhost:3000/x'],
    ['https://[::1]:3/x', 'https://[::1]:3/x'],
    ['HTTPS://A.example/X', 'HTTPS://A.example/X'],
    ['https://a.example/m/a-b#invite=x_-Y1.', 'https://a.example/m/a-b#invite=x_-Y1'],
  ]
  for (const [text, ...links] of rows) assert.deepEqual(linksIn(text), links, text)
})

test('nothing else becomes a link, and no character is lost', () => {
  for (const text of [
    '',
    'javascript:alert(1)',
    'data:text/html,x',
    '<a href="x">',
    'ftp://a.example',
    'mailto:a@b.example',
    'a@b.example',
    '//a.example',
    'a.example',
    'xhttps://a.example',
    'https://bank.example@other.example/',
    'https://name:word@a.example/',
    'https://a.example/\u202egpj.exe',
    'https://a\u200b.example/',
    'https://',
  ]) {
    assert.deepEqual(linksIn(text), [], text)
    assert.equal(
      withLinks(text)
        .map((part) => part.text)
        .join(''),
      text,
    )
  }
})
