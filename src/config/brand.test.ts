import assert from 'node:assert/strict'
import { test } from 'node:test'
import { brandColour, brandLinks, brandName } from './brand.ts'

test('a name is one line of visible characters', () => {
  for (const wrong of ['', 'a\nb', 'a\u202eb', 'x'.repeat(61)])
    assert.throws(() => brandName(wrong), /must be 1 to 60 visible characters/, JSON.stringify(wrong))
  assert.equal(brandName('Müller & Söhne <GmbH>'), 'Müller & Söhne <GmbH>')
})

test('a colour has six hexadecimal digits', () => {
  for (const wrong of ['', 'teal', '#fff', '#0e6e6', '0e6e64', '#0e6e64;}', 'rgb(1,2,3)', '#0E6E64FF'])
    assert.throws(() => brandColour(wrong), /must be a colour such as #0e6e64/, wrong)
  assert.equal(brandColour('#0E6E64'), '#0e6e64')
})

test('a link has a label and an address that runs nothing', () => {
  for (const wrong of [
    'Imprint',
    '=https://a.example',
    'Imprint=',
    'Imprint=a.example',
    'Imprint=javascript:alert(1)',
    'Imprint=data:text/html,x',
    'Imprint=//a.example',
    'Imprint=/\\a.example',
    'Imprint=https://',
    'Imprint=https://a.example/ b',
    'Imprint=mailto:',
    `${'x'.repeat(41)}=https://a.example`,
    'a\u202e=https://a.example',
    Array.from({ length: 9 }, (_, at) => `${at}=https://a.example`).join(),
  ])
    assert.throws(() => brandLinks(wrong), /must be at most 8 of label=address/, wrong)
  assert.deepEqual(brandLinks(''), [])
  assert.deepEqual(
    brandLinks('Imprint=https://a.example/?a=b, Privacy = /privacy ,Help=mailto:help@a.example,'),
    [
      { label: 'Imprint', url: 'https://a.example/?a=b' },
      { label: 'Privacy', url: '/privacy' },
      { label: 'Help', url: 'mailto:help@a.example' },
    ],
  )
})
