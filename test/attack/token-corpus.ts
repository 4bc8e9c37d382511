/** Tokens that are nearly valid: every way we know to change a valid one, in any number. */
import { createHmac } from 'node:crypto'
import type { SigningKey } from '../../src/token/token.ts'
import { deepJson, oddTexts, oddValues } from './odd-values.ts'
import { Random } from './random.ts'

export const NOW_MS = 1_800_000_000_500
const NOW = NOW_MS / 1000

export const keys: readonly SigningKey[] = [
  { apiKey: 'key-1', projectId: 'one', secret: 'the-secret-of-key-1-is-long-enough', revoked: false },
  { apiKey: 'key-2', projectId: 'two', secret: 'the-secret-of-key-2-is-another-one', revoked: false },
  { apiKey: 'revoked', projectId: 'one', secret: 'the-secret-of-a-revoked-key', revoked: true },
  { apiKey: 'short', projectId: 'one', secret: 'x', revoked: false },
  { apiKey: 'block', projectId: 'one', secret: 'b'.repeat(64), revoked: false },
  { apiKey: 'long', projectId: 'one', secret: 'l'.repeat(200), revoked: false },
  { apiKey: 'clé 🗝', projectId: 'one', secret: 'пароль-🗝-é', revoked: false },
  { apiKey: 'empty', projectId: 'one', secret: '', revoked: false },
]

/** The configurations of the verifier. */
export const settings = [
  { allowWithoutExpiry: false, clockSkewSeconds: 60 },
  { allowWithoutExpiry: true, clockSkewSeconds: 60 },
  { allowWithoutExpiry: false, clockSkewSeconds: 0 },
] as const

export interface TokenCase {
  family: string
  token: unknown
  /** The index in `settings`. */
  setting: number
  /** Known from the construction, because a parser does not reveal it afterwards. */
  duplicateHeaderKey?: true
}

const encode = (value: string | Uint8Array): string => Buffer.from(value).toString('base64url')
const secretOf = (apiKey: unknown): string => keys.find((key) => key.apiKey === apiKey)?.secret ?? 'nobody'

function signed(
  header: string | Uint8Array,
  payload: string | Uint8Array,
  secret: string,
  digest = 'sha256',
) {
  const text = `${encode(header)}.${encode(payload)}`
  return `${text}.${createHmac(digest, secret).update(text).digest('base64url')}`
}

const HEADER = '{"alg":"HS256","typ":"JWT"}'
const goodClaims = (): Record<string, unknown> => ({
  apikey: 'key-1',
  permissions: ['allow_join'],
  iat: Math.floor(NOW) - 10,
  exp: Math.floor(NOW) + 3600,
  jti: 'c3c9e6a0-3c1b-4a0e-9a52-3a8f9a3f0a11',
})

const withClaims = (changes: Record<string, unknown>): string => {
  const claims = { ...goodClaims(), ...changes }
  return signed(HEADER, JSON.stringify(claims), secretOf(claims.apikey))
}

type Made = Omit<TokenCase, 'setting'> & { setting?: number }

function* signatures(): Generator<Made> {
  const good = withClaims({})
  const end = good.lastIndexOf('.') + 1
  const [text, signature] = [good.slice(0, end), good.slice(end)]
  yield { family: 'good', token: good }
  const bytes = Buffer.from(signature, 'base64url')
  for (let at = 0; at < bytes.length; at++) {
    for (let other = 1; other < 256; other++) {
      const changed = Buffer.from(bytes)
      changed[at]! ^= other
      yield { family: 'signature byte', token: text + changed.toString('base64url') }
    }
  }
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/= .\n\0é'
  for (let at = 0; at < signature.length; at++) {
    for (const character of alphabet) {
      yield {
        family: 'signature character',
        token: text + signature.slice(0, at) + character + signature.slice(at + 1),
      }
    }
  }
  for (let length = 0; length < signature.length; length++)
    yield { family: 'signature length', token: text + signature.slice(0, length) }
  for (const more of ['A', 'AAAA', signature, '=', '==', '%3D', ' ', '\n', '\0', '.'])
    yield { family: 'signature length', token: good + more }
  for (const length of [0, 1, 16, 31, 33, 64])
    for (const fill of [0, 255])
      yield { family: 'signature fill', token: text + Buffer.alloc(length, fill).toString('base64url') }
  for (const secret of ['', 'nobody', ...keys.map((key) => key.secret), 'key-1', HEADER]) {
    for (const digest of ['sha256', 'sha384', 'sha512', 'sha1', 'md5'])
      yield { family: 'another secret', token: signed(HEADER, JSON.stringify(goodClaims()), secret, digest) }
    for (const apiKey of ['', 'unknown', undefined, null])
      yield {
        family: 'another secret',
        token: signed(HEADER, JSON.stringify({ ...goodClaims(), apikey: apiKey }), secret),
      }
  }
  const key1 = keys[0]!.secret
  for (const form of ['base64', 'hex', 'latin1'] as const) {
    yield {
      family: 'another secret',
      token: (() => {
        const unsigned = `${encode(HEADER)}.${encode(JSON.stringify(goodClaims()))}`
        return `${unsigned}.${createHmac('sha256', Buffer.from(key1, form)).update(unsigned).digest('base64url')}`
      })(),
    }
  }
}

function* envelopes(): Generator<Made> {
  const good = withClaims({})
  const [header, payload, signature] = good.split('.') as [string, string, string]
  for (let at = 0; at < good.length; at++) {
    for (let bit = 1; bit < 256; bit <<= 1) {
      const changed = String.fromCharCode(good.charCodeAt(at) ^ bit)
      yield { family: 'envelope bit', token: good.slice(0, at) + changed + good.slice(at + 1) }
    }
    yield { family: 'envelope cut', token: good.slice(0, at) }
    yield { family: 'envelope cut', token: good.slice(at) }
    yield { family: 'envelope cut', token: good.slice(0, at) + good.slice(at + 1) }
    for (const more of ['.', '=', ' ', '\0', '%', 'é', 'Ā', '\ud800'])
      yield { family: 'envelope insert', token: good.slice(0, at) + more + good.slice(at) }
    // Encoding as Latin-1 would turn this into the original character.
    yield {
      family: 'envelope fold',
      token: good.slice(0, at) + String.fromCharCode(good.charCodeAt(at) + 0x100) + good.slice(at + 1),
    }
  }
  const parts = ['', '.', 'e30', header, payload, signature, 'null', '{}']
  for (const a of parts)
    for (const b of parts) for (const c of parts) yield { family: 'envelope parts', token: `${a}.${b}.${c}` }
  for (const token of [
    `Bearer ${good}`,
    `bearer ${good}`,
    ` ${good}`,
    `${good} `,
    `\ufeff${good}`,
    `"${good}"`,
    encodeURIComponent(good),
    encode(good),
    good.toUpperCase(),
    good.toLowerCase(),
    good.replaceAll('.', ','),
    `${good}.${good}`,
    `${header}..${signature}`,
    `${header}.${payload}.${signature}.${payload}.${signature}`,
    JSON.stringify({ payload, protected: header, signature }),
    JSON.stringify({ payload, signatures: [{ protected: header, signature }] }),
    `${header}.${payload}.`,
    `.${payload}.${signature}`,
    `${header}.${payload}`,
  ])
    yield { family: 'envelope form', token }
  for (const token of [undefined, null, 0, 1, NaN, true, {}, [], [good], { token: good }, Buffer.from(good)])
    yield { family: 'no text', token }
  yield { family: 'no text', token: new String(good) }
  yield { family: 'no text', token: Symbol('token') }
  yield { family: 'no text', token: () => good }
}

function* encodings(): Generator<Made> {
  const claims = JSON.stringify(goodClaims())
  const sign = (header: string, payload: string): string => {
    const text = `${header}.${payload}`
    return `${text}.${createHmac('sha256', keys[0]!.secret).update(text).digest('base64url')}`
  }
  // All have a valid signature over their content; only the encoding differs.
  const spellings = (text: string): string[] => {
    const canonical = encode(text)
    const last = canonical.at(-1)!
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    return [
      canonical,
      Buffer.from(text).toString('base64'),
      `${canonical}=`,
      `${canonical}==`,
      `${canonical}A`,
      `${canonical}AA`,
      `${canonical.slice(0, 8)}\n${canonical.slice(8)}`,
      `${canonical.slice(0, 8)} ${canonical.slice(8)}`,
      `${canonical.slice(0, 8)}~${canonical.slice(8)}`,
      canonical.replaceAll('-', '+').replaceAll('_', '/'),
      text,
      Buffer.from(text).toString('hex'),
      ...alphabet.split('').map((character) => canonical.slice(0, -1) + character),
      `${canonical}${last}`,
    ]
  }
  for (const padding of ['', ' ', '  ']) {
    for (const header of spellings(HEADER + padding))
      for (const payload of [encode(claims), `${encode(claims)}=`])
        yield { family: 'spelling', token: sign(header, payload) }
    for (const payload of spellings(claims + padding))
      yield { family: 'spelling', token: sign(encode(HEADER), payload) }
  }
  const bytesCases: [string, Buffer][] = [
    ['byte order mark', Buffer.from('\ufeff')],
    ['utf-16', Buffer.from([0xff, 0xfe])],
    ['overlong', Buffer.from([0xc0, 0xaf])],
    ['surrogate', Buffer.from([0xed, 0xa0, 0x80])],
    ['beyond', Buffer.from([0xf4, 0x90, 0x80, 0x80])],
    ['cut', Buffer.from([0xe2, 0x82])],
    ['latin', Buffer.from([0xe9])],
    ['nul', Buffer.from([0])],
    ['white space', Buffer.from('\t\r\n ')],
    ['other white space', Buffer.from('\u00a0\u2003')],
  ]
  for (const [name, bytes] of bytesCases) {
    for (const text of [HEADER, claims]) {
      for (const at of [0, 1, 2, text.indexOf(':') + 2, text.length - 1, text.length]) {
        const changed = Buffer.concat([Buffer.from(text.slice(0, at)), bytes, Buffer.from(text.slice(at))])
        const token =
          text === HEADER
            ? signed(changed, claims, keys[0]!.secret)
            : signed(HEADER, changed, keys[0]!.secret)
        yield { family: `bytes: ${name}`, token }
      }
    }
  }
  yield {
    family: 'bytes: utf-16',
    token: signed(HEADER, Buffer.from(claims, 'utf16le'), keys[0]!.secret),
  }
}

const algorithms: readonly unknown[] = [
  ...['none', 'None', 'NONE', 'nOnE', '', 'hs256', 'Hs256', 'HS256 ', ' HS256', 'HS256\0', 'ΗS256', 'HS 256'],
  ...['HS384', 'HS512', 'RS256', 'RS384', 'RS512', 'ES256', 'ES384', 'ES512', 'PS256', 'EdDSA', 'Ed25519'],
  ...['A128KW', 'dir', 'PBES2-HS256+A128KW', 'HS1', 'HS256,none', 'https://example.org/alg'],
  ...[undefined, null, true, 0, 1, [], ['HS256'], {}, { alg: 'HS256' }, { toString: 'HS256' }],
]

function* headers(): Generator<Made> {
  const claims = JSON.stringify(goodClaims())
  const sign = (header: unknown, digest?: string): string =>
    signed(typeof header === 'string' ? header : JSON.stringify(header), claims, keys[0]!.secret, digest)
  for (const alg of algorithms) {
    for (const digest of ['sha256', 'sha384', 'sha512']) {
      for (const more of [{}, { typ: 'JWT' }, { kid: 'key-1' }])
        yield { family: 'alg', token: sign({ alg, ...more }, digest) }
    }
    const unsigned = `${encode(JSON.stringify({ alg, typ: 'JWT' }))}.${encode(claims)}.`
    yield { family: 'alg', token: unsigned }
    yield { family: 'alg', token: `${unsigned}AAAA` }
  }
  for (const typ of [
    ...['JWT', 'jwt', 'Jwt', 'application/jwt', 'APPLICATION/JWT', 'at+jwt', 'JOSE', 'JWT ', ' JWT', 'JWT\n'],
    ...['application/', 'application/jwt;x=1', 'JWT\0', 'ＪＷＴ', ...oddValues],
  ])
    yield { family: 'typ', token: sign({ alg: 'HS256', typ }) }
  for (const value of [...oddValues, ['b64'], ['exp'], ['crit'], [''], 'b64', ['alg', 'typ']]) {
    yield { family: 'crit', token: sign({ alg: 'HS256', crit: value }) }
    yield { family: 'crit', token: sign({ alg: 'HS256', b64: true, crit: value }) }
    yield { family: 'b64', token: sign({ alg: 'HS256', b64: value }) }
    for (const name of ['kid', 'jku', 'jwk', 'x5u', 'x5c', 'x5t', 'cty', 'zip', 'enc', 'epk', 'nonce', 'url'])
      yield { family: 'other header', token: sign({ alg: 'HS256', [name]: value }) }
  }
  const rawText = `${encode('{"alg":"HS256","b64":false,"crit":["b64"]}')}.${claims}`
  yield {
    family: 'b64',
    token: `${rawText}.${createHmac('sha256', keys[0]!.secret).update(rawText).digest('base64url')}`,
  }
  for (const header of [
    '{"alg":"none","alg":"HS256"}',
    '{"alg":"HS256","alg":"none"}',
    '{"alg":"HS256","alg":"HS256"}',
    '{"alg":"HS256","\\u0061lg":"none"}',
    '{"\\u0061lg":"none","alg":"HS256"}',
    '{"alg":"HS256","typ":"JWT","typ":"JWT"}',
    '{"alg":"HS256","x":{"a":1,"a":2}}',
    '{"alg":"HS256","x":[{"a":1},{"a":1,"\\u0061":1}]}',
    '{"alg":"HS256","":1,"":2}',
    '{"alg":"HS256","__proto__":1,"__proto__":2}',
  ])
    yield { family: 'duplicate header key', token: sign(header), duplicateHeaderKey: true }
  for (const header of [
    '{"\\u0061lg":"HS256"}',
    '{"alg":"\\u0048S256"}',
    '{"alg":"HS256"\n}',
    ' {"alg":"HS256"}',
    '{"typ":"JWT","alg":"HS256"}',
    '{"alg":"HS256","x":[{"a":1},{"a":1}]}',
    '{"alg":"HS256","x":"\\"alg\\":\\"none\\""}',
    '{"ALG":"HS256"}',
    '{"Alg":"none","alg":"HS256"}',
    '{"__proto__":{"alg":"HS256"}}',
    '{"alg":"HS256","__proto__":{"crit":["x"]}}',
    '{"alg":"HS256",}',
    "{'alg':'HS256'}",
    '{"alg":"HS256"}{}',
    '{"alg":"HS256"}//',
    '[]',
    '["HS256"]',
    'null',
    'true',
    '1',
    '"HS256"',
    '',
    '{}',
    '{',
    'NaN',
    '{"alg":HS256}',
  ])
    yield { family: 'header form', token: sign(header) }
  for (const depth of [1, 10, 100, 1000, 2500])
    for (const kind of ['array', 'object'] as const)
      yield { family: 'depth', token: sign(`{"alg":"HS256","x":${deepJson(depth, kind)}}`) }
}

const claimNames = ['apikey', 'permissions', 'roomId', 'participantId', 'roles', 'exp', 'nbf', 'iat', 'jti']
const permissionNames = ['allow_join', 'allow_mod', 'ask_join', 'ALLOW_JOIN', 'allow_join ', 'admin', '']
const roleNames = ['crawler', 'rtc', 'CRAWLER', 'Rtc', 'rtc ', 'RTC', 'admin', '', 'ｒｔｃ']

function* claims(): Generator<Made> {
  for (const name of [...claimNames, 'version', 'aud', 'iss', 'sub', '__proto__', 'constructor']) {
    for (const value of oddValues) yield { family: `claim ${name}`, token: withClaims({ [name]: value }) }
    const { [name]: _, ...without } = goodClaims()
    yield { family: `claim ${name}`, token: signed(HEADER, JSON.stringify(without), keys[0]!.secret) }
  }
  for (const { apiKey } of keys) yield { family: 'key', token: withClaims({ apikey: apiKey }) }
  for (const apiKey of ['KEY-1', 'key-1 ', ' key-1', 'key-1\0', 'ｋey-1', 'kéy-1', 'cle\u0301 🗝'])
    for (const { secret } of keys)
      yield {
        family: 'key',
        token: signed(HEADER, JSON.stringify({ ...goodClaims(), apikey: apiKey }), secret),
      }
  // Every set of up to three permissions, in every order.
  for (const one of permissionNames)
    for (const other of [undefined, ...permissionNames])
      for (const third of [undefined, ...permissionNames])
        yield {
          family: 'permissions',
          token: withClaims({ permissions: [one, other, third].filter((name) => name !== undefined) }),
        }
  for (const one of roleNames)
    for (const other of [undefined, ...roleNames])
      yield {
        family: 'roles',
        token: withClaims({ roles: [one, other].filter((name) => name !== undefined) }),
      }
  for (const name of ['roomId', 'participantId'])
    for (const value of [
      'aaaa-bbbb-cccc',
      'ann',
      'AAAA-BBBB-CCCC',
      ' aaaa-bbbb-cccc',
      '\u00a0',
      '\u2028',
      '*',
    ])
      yield { family: `claim ${name}`, token: withClaims({ [name]: value }) }
  for (const payload of ['[]', 'null', 'true', '7', '"text"', '', ' ', '{', '{"apikey":"key-1"', 'NaN'])
    yield { family: 'payload form', token: signed(HEADER, payload, keys[0]!.secret) }
  // If a payload contains a key twice, the last value counts, for us and for every parser.
  const body = JSON.stringify(goodClaims())
  for (const more of [
    '"permissions":["allow_mod"]',
    '"apikey":"key-2"',
    '"apikey":"revoked"',
    '"exp":1',
    '"\\u0065xp":1',
    '"roomId":""',
    '"exp":1e999',
    '"exp":-1e999',
    '"exp":1E3',
    '"exp":0.1e-999',
    '"exp":99999999999999999999999',
  ])
    for (const secret of keys.map((key) => key.secret))
      yield { family: 'claim twice', token: signed(HEADER, `${body.slice(0, -1)},${more}}`, secret) }
}

function* claimsByChance(random: Random): Generator<Made> {
  for (;;) {
    const changes: Record<string, unknown> = {}
    for (const name of random.some(claimNames, 4)) changes[name] = random.pick(oddValues)
    if (random.chance(0.3)) changes.permissions = random.some(permissionNames, 4)
    if (random.chance(0.3)) changes.roles = random.some(roleNames, 3)
    if (random.chance(0.2)) changes.apikey = random.pick(keys).apiKey
    yield { family: 'claims together', token: withClaims(changes), setting: random.below(settings.length) }
  }
}

function edgesOfTime(): number[] {
  const edges = [0, 60, -60, 1, -1, 59, -59, 61, -61, 3600, -3600].flatMap((offset) => [
    ...[0, 0.0005, -0.0005, 0.4995, 0.5, 0.5005, -0.5].map((more) => Math.floor(NOW) + offset + more),
  ])
  edges.push(0, -0, -1, 1, 0.5, 1e-9, NOW_MS, NOW_MS * 1000, 253_402_300_799, 253_402_300_799.5)
  edges.push(253_402_300_800, 2 ** 31, 2 ** 32, 2 ** 53, 2 ** 63, 1e308, -1e308, 5e-324)
  return edges
}

function* times(): Generator<Made> {
  const edges = edgesOfTime()
  for (let setting = 0; setting < settings.length; setting++) {
    for (const at of edges) {
      for (const name of ['exp', 'nbf', 'iat'])
        yield { family: `time ${name}`, token: withClaims({ [name]: at }), setting }
      yield { family: 'time nbf', token: withClaims({ nbf: at, exp: at }), setting }
      yield { family: 'time alone', token: withClaims({ exp: undefined, iat: at }), setting }
    }
  }
}

function* timesByChance(random: Random): Generator<Made> {
  const edges = edgesOfTime()
  for (;;) {
    yield {
      family: 'times together',
      token: withClaims({
        exp: random.chance(0.9) ? random.pick(edges) : undefined,
        nbf: random.chance(0.5) ? random.pick(edges) : undefined,
        iat: random.chance(0.5) ? random.pick(edges) : undefined,
      }),
      setting: random.below(settings.length),
    }
  }
}

function padded(length: number, fill: string): string {
  // Found by trying, because base64 lengths grow in steps.
  let pad = Math.floor(((length - 300) * 3) / 4 / Buffer.byteLength(fill))
  while (withClaims({ pad: fill.repeat(pad + 1) }).length <= length) pad++
  return withClaims({ pad: fill.repeat(Math.max(pad, 0)) })
}

function* sizes(): Generator<Made> {
  for (const fill of ['x', 'é', '👍', '"', '\u0001'])
    for (let length = 8180; length < 8200; length++) yield { family: 'size', token: padded(length, fill) }
  for (const length of [1000, 4000, 8000, 9000, 16_384, 65_536, 1_048_576])
    yield { family: 'size', token: padded(length, 'x') }
  for (const size of [8191, 8192, 8193, 100_000, 1_000_000])
    for (const text of ['a', '.', 'é', '\0', 'e30.'])
      yield { family: 'size', token: text.repeat(Math.ceil(size / text.length)).slice(0, size) }
  for (const depth of [1, 10, 30, 31, 32, 33, 100, 1000, 2500, 2900, 3500, 100_000])
    for (const kind of ['array', 'object'] as const) {
      const body = JSON.stringify(goodClaims())
      yield {
        family: 'depth',
        token: signed(HEADER, `${body.slice(0, -1)},"deep":${deepJson(depth, kind)}}`, keys[0]!.secret),
      }
      yield { family: 'depth', token: signed(HEADER, deepJson(depth, kind), keys[0]!.secret) }
    }
  // The most expensive content that fits into a token: flat objects.
  const body = JSON.stringify(goodClaims()).slice(0, -1)
  for (const count of [10, 50, 100, 200, 250, 260, 1000])
    for (const one of ['[]', '{}', '{"":1}', '1e9', '""', String.raw`"\"[,{"`])
      for (const secret of [keys[0]!.secret, 'another']) {
        const list = Array.from({ length: count }, () => one).join(',')
        yield { family: 'many', token: signed(HEADER, `${body},"x":[${list}]}`, secret) }
      }
  const many = JSON.stringify(Object.fromEntries(Array.from({ length: 600 }, (_, at) => [`k${at}`, at])))
  yield { family: 'size', token: signed(many.replace('{', '{"alg":"HS256",'), '{}', keys[0]!.secret) }
  yield { family: 'size', token: signed(HEADER, many, keys[0]!.secret) }
}

function* sizesByChance(random: Random): Generator<Made> {
  for (;;)
    yield { family: 'size', token: padded(random.below(8200) + 300, random.pick(['x', 'é', '👍', '\u0001'])) }
}

/** Payloads and headers with random bytes changed, with a valid signature over the result. */
function* byChance(random: Random): Generator<Made> {
  const mutate = (text: string): Buffer => {
    let bytes: Buffer = Buffer.from(text)
    for (let changes = 1 + random.below(3); changes > 0; changes--) {
      const at = random.below(bytes.length + 1)
      const [before, after] = [bytes.subarray(0, at), bytes.subarray(at)]
      const kind = random.below(4)
      if (kind === 0) bytes = Buffer.concat([before, random.bytes(1), after.subarray(1)])
      else if (kind === 1) bytes = Buffer.concat([before, after.subarray(1 + random.below(4))])
      else if (kind === 2) bytes = Buffer.concat([before, Buffer.from(random.pick(oddTexts)), after])
      else bytes = Buffer.concat([before, Buffer.from(random.pick('{}[]",:\\01eE-+. '.split(''))), after])
    }
    return bytes
  }
  for (;;) {
    const { apiKey, secret } = random.pick(keys)
    const body = JSON.stringify({ ...goodClaims(), apikey: apiKey, roomId: 'aaaa-bbbb-cccc', roles: ['rtc'] })
    const family = random.pick(['payload by chance', 'header by chance', 'token by chance'])
    const setting = random.below(settings.length)
    if (family === 'payload by chance') yield { family, token: signed(HEADER, mutate(body), secret), setting }
    else if (family === 'header by chance')
      yield { family, token: signed(mutate('{"alg":"HS256","typ":"JWT"}'), body, secret), setting }
    else yield { family, token: mutate(signed(HEADER, body, secret)).toString('latin1'), setting }
  }
}

/** Generates this number of cases from a seed: all systematic ones first, if there is room, then random ones. */
export function* tokenCases(seed: number, count: number): Generator<TokenCase> {
  const random = new Random(seed)
  const finite = [signatures(), envelopes(), encodings(), headers(), claims(), times(), sizes()]
  const endless = [claimsByChance(random), timesByChance(random), sizesByChance(random), byChance(random)]
  const weights = [6, 3, 0.25, 8]
  let made = 0
  const all: Made[] = finite.flatMap((some) => [...some])
  // A short run takes a sample of all of them.
  const share = Math.min(1, (count * 0.5) / all.length)
  for (const one of all) {
    if (share < 1 && !random.chance(share)) continue
    made++
    yield { setting: 0, ...one }
  }
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  const rest = Math.max(0, count - made)
  for (const [at, source] of endless.entries()) {
    let left = Math.ceil((rest * weights[at]!) / total)
    for (const one of source) {
      if (left-- <= 0) break
      yield { setting: 0, ...one }
    }
  }
}
