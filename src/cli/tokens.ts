/** `anteroom token …` */
import { readFileSync } from 'node:fs'
import { explainToken, mintToken, parseDuration, type Role } from '../token/token.ts'
import { readConfig } from '../config/read.ts'
import { Refusal } from '../protocol/errors.ts'
import { CommandError, exitCodes, type Command, type CommandInput } from './arguments.ts'
import { recordDeed } from './audit.ts'
import { RevokedTokens } from '../project/revoked-tokens.ts'
import { namedProject, withCore } from './core.ts'

const MAX_JTI_LENGTH = 256

const text = (value: CommandInput['values'][string]): string | undefined =>
  typeof value === 'string' ? value : undefined

export const tokenCommands: readonly Command[] = [
  {
    name: 'token mint',
    summary: 'creates a signed token',
    options: {
      permissions: {
        value: 'list',
        help: 'allow_join, allow_mod, ask_join; separated by commas; default allow_join',
      },
      meeting: { value: 'id', help: 'restricts the token to this meeting' },
      participant: { value: 'id', help: 'restricts the token to this participant' },
      roles: { value: 'list', help: 'rtc, crawler; separated by commas' },
      expires: { value: 'span', help: 'seconds, or 15m, 24h, 30d; default 24h' },
      'api-key': { value: 'key', help: 'the key that signs; default: the newest active one' },
    },
    run: ({ env, values }) =>
      withCore(env, async ({ keyRing }) => {
        const named = text(values['api-key'])
        const key = named === undefined ? keyRing.defaultKey() : keyRing.find(named)
        if (!key || key.revoked)
          throw new CommandError('There is no active API key with this id.', exitCodes.refused)
        let token: string
        try {
          token = mintToken({
            apiKey: key.apiKey,
            secret: key.secret,
            now: Date.now(),
            permissions: text(values.permissions)?.split(','),
            roomId: text(values.meeting),
            participantId: text(values.participant),
            roles: text(values.roles)?.split(',') as Role[] | undefined,
            expiresInSeconds: text(values.expires) === undefined ? undefined : parseDuration(values.expires),
          })
        } catch (error) {
          if (error instanceof TypeError) throw new CommandError(`${error.message}.`, exitCodes.usage)
          if (error instanceof Refusal) throw new CommandError(error.message, exitCodes.usage)
          throw error
        }
        return Promise.resolve({ json: { token }, text: token })
      }),
  },
  {
    name: 'token inspect',
    positionals: ['token'],
    summary: 'explains a token, claim by claim, and says whether it would be admitted',
    details: 'Give "-" to read the token from standard input. Exit code 3 if it would be refused.',
    run: ({ env, positionals: [given = ''] }) =>
      withCore(env, async ({ store, keyRing }) => {
        const revoked = new RevokedTokens({ store, now: Date.now })
        await revoked.refresh()
        const token = given === '-' ? readFileSync(0, 'utf8').trim() : given
        const { allowTokensWithoutExpiry } = readConfig(env)
        const explained = explainToken(token, {
          findKey: keyRing.find,
          isRevoked: (grant) => revoked.has(grant),
          now: Date.now(),
          allowWithoutExpiry: allowTokensWithoutExpiry,
        })
        const { joinRefusal, restRefusal, claims, signature, problem } = explained
        const lines = claims.map(({ name, value, meaning, problem: wrong }) => {
          const shown = value === undefined ? '' : ` ${JSON.stringify(value)}`
          return `${wrong ? '✗' : '✓'} ${name}${shown}\n    ${wrong ?? meaning}`
        })
        lines.push(
          '',
          joinRefusal
            ? `It would be refused: ${joinRefusal.number} ${joinRefusal.code}. ${problem ?? joinRefusal.message}`
            : 'The door lets it in.',
        )
        if (restRefusal && restRefusal.code !== joinRefusal?.code)
          lines.push(`REST refuses it: ${restRefusal.code}.`)
        return Promise.resolve({
          json: {
            claims,
            signature,
            join: joinRefusal
              ? { allowed: false, code: joinRefusal.number, name: joinRefusal.code, problem }
              : { allowed: true },
            rest: restRefusal ? { allowed: false, name: restRefusal.code } : { allowed: true },
          },
          text: lines.join('\n'),
          exitCode: joinRefusal ? exitCodes.refused : exitCodes.ok,
        })
      }),
  },
  {
    name: 'token revoke',
    positionals: ['jti'],
    summary:
      'revokes a token; a running server applies it within a second and disconnects everybody who used it',
    details: '"token inspect" shows the jti of a token.',
    options: { project: { value: 'id', help: 'the project of its key; default: the first' } },
    run: ({ env, values, positionals: [jti = ''] }) =>
      withCore(env, async (core) => {
        const { projectId } = await namedProject(core, values.project)
        if (jti === '' || jti.length > MAX_JTI_LENGTH)
          throw new CommandError(`A jti has 1 to ${MAX_JTI_LENGTH} characters.`, exitCodes.usage)
        const { store } = core
        const revoked = new RevokedTokens({ store, now: Date.now })
        await revoked.refresh()
        await revoked.add(projectId, `jti:${jti}`)
        await recordDeed(store, { action: 'token.revoke', subject: jti, projectId })
        return { json: { jti, projectId, revoked: true }, text: `revoked ${jti}` }
      }),
  },
]
