import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { accentOf, contrast, LEAST_CONTRAST, surfaces, type Theme } from './colours.ts'

test('contrast is that of WCAG', () => {
  assert.equal(contrast('#000000', '#ffffff'), 21)
  assert.equal(contrast('#ffffff', '#ffffff'), 1)
  assert.equal(contrast('#767676', '#ffffff').toFixed(2), '4.54')
})

const cases: [colour: string, theme: Theme, accent: string, onAccent: string][] = [
  ['#0e6e64', 'light', '#0e6e64', '#ffffff'],
  ['#0e6e64', 'dark', '#4f958e', '#000000'],
  ['#ffff00', 'light', '#696900', '#ffffff'],
  ['#ffff00', 'dark', '#ffff00', '#000000'],
  ['#000000', 'light', '#000000', '#ffffff'],
  ['#000000', 'dark', '#8a8a8a', '#000000'],
  ['#ffffff', 'light', '#636363', '#ffffff'],
  ['#ffffff', 'dark', '#ffffff', '#000000'],
  ['#e30613', 'light', '#cc0511', '#ffffff'],
  ['#e30613', 'dark', '#ec535c', '#000000'],
]
for (const [colour, theme, accent, onAccent] of cases)
  test(`${colour} becomes ${accent} under ${onAccent} in the ${theme} theme`, () => {
    assert.deepEqual(accentOf(colour, theme), { accent, onAccent })
  })

test('whatever the colour, it can be read on the page, and text on it', () => {
  const digits = ['00', '33', '66', '99', 'cc', 'ff']
  for (const red of digits)
    for (const green of digits)
      for (const blue of digits)
        for (const theme of ['light', 'dark'] as const) {
          const { accent, onAccent } = accentOf(`#${red}${green}${blue}`, theme)
          for (const other of [onAccent, ...surfaces[theme]])
            assert.ok(contrast(accent, other) >= LEAST_CONTRAST, `${red}${green}${blue} ${theme} ${other}`)
        }
})

test('the surfaces are those of the page', () => {
  const css = readFileSync(join(import.meta.dirname, '../../../web/base.css'), 'utf8')
  const found = ['paper', 'card', 'stage'].map((name) =>
    new RegExp(`--${name}: light-dark\\((#\\w{6}), (#\\w{6})\\)`).exec(css)!.slice(1, 3),
  )
  assert.deepEqual({ light: found.map(([light]) => light), dark: found.map(([, dark]) => dark) }, surfaces)
})
