/** Runs the programs whose languages this machine has, and verifies their tokens. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import jsonwebtoken from 'jsonwebtoken'
import { codeFor, languages, type Claims, type Language } from './code.ts'

const run = promisify(execFile)
const API_KEY = 'key-1'
const SECRET = 'a secret of at least thirty-two characters'
const env = { ...process.env, VIDEOSDK_API_KEY: API_KEY, VIDEOSDK_SECRET_KEY: SECRET }

/** The file of a program, and what runs it. The program for PHP is read, not run. */
const programs: Record<Exclude<Language, 'PHP'>, [file: string, program: string, ...args: string[]]> = {
  curl: ['token.sh', 'sh'],
  Node: ['token.mjs', process.execPath],
  Python: ['token.py', 'python3'],
  Go: ['token.go', 'go', 'run'],
  Java: ['Token.java', 'java'],
}
const CHECKS: Record<string, string[]> = {
  sh: ['-c', 'command -v openssl'],
  python3: ['--version'],
  go: ['version'],
  java: ['--version'],
}

let folder: string
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'anteroom-code-'))
})
after(() => rm(folder, { recursive: true, force: true }))

const tricky: Claims = {
  permissions: ['allow_join', 'allow_mod'],
  roles: ['crawler', 'rtc'],
  roomId: 'abcd-efgh-ijkl',
  participantId: `O'Neil \\ "Zoë" 100% $HOME \`x\``,
}
const plain: Claims = { permissions: ['ask_join'] }

for (const [language, [file, program, ...args]] of Object.entries(programs)) {
  const isHere = await run(program, CHECKS[program] ?? ['--version']).then(
    () => true,
    () => false,
  )
  if (!isHere) continue
  test(`the program for ${language} mints what was chosen`, async () => {
    for (const claims of [tricky, plain]) {
      const path = join(folder, file)
      const code = codeFor(language as Language, {
        claims,
        expiresInSeconds: 600,
        origin: 'https://a.example',
      })
      assert.ok(!code.includes(SECRET))
      await writeFile(path, code)
      const { stdout } = await run(program, [...args, path], { env })
      const minted = jsonwebtoken.verify(stdout.trim(), SECRET, { algorithms: ['HS256'] })
      const { iat, exp, jti, ...others } = minted as jsonwebtoken.JwtPayload
      const version = claims.roles && { version: 2 }
      assert.deepEqual(others, { apikey: API_KEY, ...version, ...claims })
      assert.equal(exp! - iat!, 600)
      assert.match(jti!, /^[0-9a-f-]{32,36}$/)
    }
  })
}

test('the program for PHP contains each claim as a literal', () => {
  const code = codeFor('PHP', { claims: tricky, expiresInSeconds: 600, origin: 'https://a.example' })
  assert.ok(code.includes(`'participantId' => 'O\\'Neil \\\\ "Zoë" 100% $HOME \`x\`',`), code)
  assert.ok(code.includes(`'permissions' => ['allow_join', 'allow_mod'],`))
  assert.ok(code.includes(`'exp' => $now + 600,`))
})

test('a token for one meeting is for joining alone, as the server mints it', () => {
  for (const language of languages) {
    const claims = { permissions: ['allow_join'], roomId: 'abcd-efgh-ijkl' }
    const code = codeFor(language, { claims, expiresInSeconds: 60, origin: 'https://a.example' })
    assert.match(code, /rtc/, language)
    assert.match(code, /version/, language)
  }
})
