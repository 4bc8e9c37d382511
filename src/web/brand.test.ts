import assert from 'node:assert/strict'
import { test } from 'node:test'
import { brandOf } from './brand.ts'

test('a page without a brand is ours', () => {
  assert.deepEqual(brandOf(undefined), { name: 'Anteroom', logo: undefined, links: [], isOwn: false })
})

test('what the server wrote is the brand, and links alone are none', () => {
  const logo = { src: '/brand/logo-x', width: 120, height: 40 }
  assert.deepEqual(brandOf(JSON.stringify({ logo })), { name: 'Anteroom', logo, links: [], isOwn: true })
  const links = [{ label: 'Imprint', url: '/imprint' }]
  assert.deepEqual(brandOf(JSON.stringify({ links })), {
    name: 'Anteroom',
    logo: undefined,
    links,
    isOwn: false,
  })
})
