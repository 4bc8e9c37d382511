import assert from 'node:assert/strict'
import { test } from 'node:test'
import { adviceFor, browserOf, type BrowserKind } from './device-advice.ts'

test('browsers are told apart, those that call themselves by several names too', () => {
  const agents: [BrowserKind, string][] = [
    [
      'chrome',
      'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36',
    ],
    [
      'chrome',
      'Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0',
    ],
    [
      'chrome',
      'Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36',
    ],
    ['firefox', 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'],
    [
      'safari',
      'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/605.1.15',
    ],
    [
      'iphone',
      'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1',
    ],
    [
      'iphone',
      'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/140.0 Mobile/15E148 Safari/604.1',
    ],
    ['other', 'Lynx/2.9'],
  ]
  for (const [kind, agent] of agents) assert.equal(browserOf(agent), kind, agent)
})

test('each problem has a cure of its own in each browser, for the device in question', () => {
  for (const browser of ['chrome', 'firefox', 'safari', 'iphone', 'other'] as const) {
    const cures = (['denied', 'busy', 'missing', 'insecure'] as const).map((one) =>
      adviceFor(one, 'microphone', browser),
    )
    assert.equal(new Set(cures).size, 4)
    for (const cure of cures) assert.doesNotMatch(cure, /camera/)
  }
  assert.match(adviceFor('denied', 'camera', 'firefox'), /crossed-out camera/)
  assert.match(adviceFor('insecure', 'camera', 'chrome'), /https:/)
})
