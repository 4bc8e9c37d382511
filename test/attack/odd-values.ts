/** Values that break code written for well-formed ones. */

export const oddTexts: readonly string[] = [
  '',
  ' ',
  '\0',
  'a',
  'allow_join',
  'crawler',
  'aaaa-bbbb-cccc',
  '__proto__',
  'constructor',
  'toString',
  'null',
  'undefined',
  '../../etc/passwd',
  '%2e%2e%2f',
  "' OR 1=1 --",
  '"; DROP TABLE meetings; --',
  '<img src=x onerror=alert(1)>',
  '{{7*7}}${7*7}',
  '=1+1',
  'é',
  'e\u0301',
  '\u202e\u2066evil',
  '\ufeff',
  '\u2028\u2029',
  '\ud800',
  '\udc00\ud800',
  '𝒜'.repeat(60),
  `${'a'.repeat(99)}𝒜`,
  '👩‍👩‍👧‍👦'.repeat(12),
  'ﬀ'.repeat(128),
  'İıſK',
  'x'.repeat(129),
  'x'.repeat(257),
  'x'.repeat(5000),
  '1e999',
  '-0',
  'data:text/html,<script>alert(1)</script>',
  'javascript:alert(1)',
  'http://169.254.169.254/',
  '\r\nset-cookie: a=b',
]

export const oddNumbers: readonly number[] = [
  0,
  -0,
  -1,
  1,
  1.5,
  255,
  65_536,
  2 ** 31,
  2 ** 32,
  2 ** 53,
  -(2 ** 53),
  1e21,
  1e308,
  5e-324,
]

export const oddValues: readonly unknown[] = [
  undefined,
  null,
  true,
  false,
  ...oddNumbers,
  ...oddTexts,
  [],
  [''],
  [null],
  [[]],
  ['a', 1],
  {},
  { length: 1, 0: 'allow_join' },
  { toString: 'x' },
  { toJSON: 'x' },
  JSON.parse('{"__proto__":{"admin":true}}'),
  JSON.parse('{"constructor":{"prototype":{"x":1}}}'),
]

/** Arrays and objects nested to this depth. */
export function deepJson(depth: number, kind: 'array' | 'object' = 'array'): string {
  return kind === 'array'
    ? '['.repeat(depth) + ']'.repeat(depth)
    : `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`
}
