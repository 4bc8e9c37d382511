/**
 * Tokens per second, minted and verified: ours, its peers, and the bare HMAC that all of them need.
 *
 * Every contender runs once in every round, so that other load on the machine affects all of them; the median of the
 * rounds counts. Run: `node bench/token.ts [rounds]`
 */
import { createHmac, createSecretKey, randomUUID, timingSafeEqual } from 'node:crypto'
import { createSigner, createVerifier as createFastVerifier } from 'fast-jwt'
import { jwtVerify, SignJWT } from 'jose'
import jsonwebtoken from 'jsonwebtoken'
import { createMinter, createVerifier, mintToken, type SigningKey } from '../src/token/token.ts'
import { printGoal, printTable } from './table.ts'

const rounds = Number(process.argv[2] ?? 9)
const turnMs = 150
const lifeSeconds = 86_400

const apiKey = randomUUID()
const secret = `${randomUUID()}${randomUUID()}`.replaceAll('-', '')
const keyObject = createSecretKey(Buffer.from(secret))
const signingKey: SigningKey = { apiKey, projectId: 'bench', secret, revoked: false }
const keys = new Map<string, SigningKey>([[apiKey, signingKey]])
const findKey = (name: string) => keys.get(name)

const minter = createMinter({ apiKey, secret, now: Date.now })
const tokens = Array.from({ length: 1024 }, () => minter.mint())
const parts = tokens.map((token) => {
  const end = token.lastIndexOf('.')
  return { text: token.slice(0, end), signature: Buffer.from(token.slice(end + 1), 'base64url') }
})
let turn = 0
const next = () => (turn = (turn + 1) & 1023)

const claims = () => ({ apikey: apiKey, permissions: ['allow_join'] })
const fastSign = createSigner({ key: secret, algorithm: 'HS256', expiresIn: lifeSeconds * 1000 })
const fastVerify = createFastVerifier({ key: secret, algorithms: ['HS256'], cache: false })
const fastVerifyCached = createFastVerifier({ key: secret, algorithms: ['HS256'], cache: 2048 })
const verifier = createVerifier({ findKey, now: Date.now })
const cachedVerifier = createVerifier({ findKey, now: Date.now, cacheSize: 2048 })

type Contender = [name: string, work: () => unknown]

const minting: Contender[] = [
  ['bare HMAC', () => createHmac('sha256', keyObject).update(parts[next()]!.text).digest('base64url')],
  ['anteroom', () => minter.mint()],
  ['anteroom, key not prepared', () => mintToken({ apiKey, secret, now: Date.now() })],
  ['fast-jwt', () => fastSign({ ...claims(), jti: randomUUID() })],
  [
    'jsonwebtoken',
    () =>
      jsonwebtoken.sign(claims(), secret, {
        algorithm: 'HS256',
        expiresIn: lifeSeconds,
        jwtid: randomUUID(),
      }),
  ],
  [
    'jose',
    () =>
      new SignJWT(claims())
        .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
        .setIssuedAt()
        .setExpirationTime('24h')
        .setJti(randomUUID())
        .sign(keyObject),
  ],
]

const verifying: Contender[] = [
  [
    'bare HMAC',
    () => {
      const { text, signature } = parts[next()]!
      return timingSafeEqual(createHmac('sha256', keyObject).update(text).digest(), signature)
    },
  ],
  ['anteroom', () => verifier.verify(tokens[next()])],
  ['anteroom, cached', () => cachedVerifier.verify(tokens[next()])],
  ['fast-jwt', () => fastVerify(tokens[next()]!)],
  ['fast-jwt, cached', () => fastVerifyCached(tokens[next()]!)],
  ['jsonwebtoken', () => jsonwebtoken.verify(tokens[next()]!, secret, { algorithms: ['HS256'] })],
  ['jose', () => jwtVerify(tokens[next()]!, keyObject, { algorithms: ['HS256'] })],
]

async function opsPerSecond(work: () => unknown, ms: number): Promise<number> {
  const asynchronous = work() instanceof Promise
  const start = performance.now()
  let count = 0
  let elapsed = 0
  while (elapsed < ms) {
    // `await` on a synchronous result would cost it a turn of the microtask queue.
    if (asynchronous) for (let index = 0; index < 64; index++) await work()
    else for (let index = 0; index < 64; index++) work()
    count += 64
    elapsed = performance.now() - start
  }
  return (count * 1000) / elapsed
}

const median = (values: number[]) => values.toSorted((a, b) => a - b)[values.length >> 1]!

async function measure(contenders: Contender[]): Promise<Map<string, number>> {
  const results = new Map(contenders.map(([name]) => [name, [] as number[]]))
  for (const [, work] of contenders) await opsPerSecond(work, turnMs)
  for (let round = 0; round < rounds; round++) {
    for (const [name, work] of contenders) results.get(name)!.push(await opsPerSecond(work, turnMs))
  }
  return new Map([...results].map(([name, values]) => [name, median(values)]))
}

function print(title: string, speeds: Map<string, number>): void {
  const bare = speeds.get('bare HMAC')!
  const fast = speeds.get('fast-jwt')!
  printTable(
    [title, 'ops/s', '× bare HMAC', '× fast-jwt'],
    [...speeds].map(([name, speed]) => [
      name,
      Math.round(speed).toLocaleString('en'),
      (speed / bare).toFixed(2),
      (speed / fast).toFixed(2),
    ]),
  )
}

console.log(`Node ${process.version}, one thread, median of ${rounds} rounds of ${turnMs} ms\n`)
const minted = await measure(minting)
print('mint', minted)
const verified = await measure(verifying)
print('verify', verified)
printGoal('mint at 0.75 × bare HMAC or more', minted.get('anteroom')! >= 0.75 * minted.get('bare HMAC')!)
printGoal('mint at 2 × fast-jwt or more', minted.get('anteroom')! >= 2 * minted.get('fast-jwt')!)
printGoal(
  'verify, uncached, at fast-jwt uncached or more',
  verified.get('anteroom')! >= verified.get('fast-jwt')!,
)
