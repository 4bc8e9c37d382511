/** Compares the verifier with the reference, case by case. */
import { inspect, isDeepStrictEqual } from 'node:util'
import { Refusal } from '../../src/protocol/errors.ts'
import {
  assertMayUseRest,
  createVerifier,
  explainToken,
  refusalOfScope,
  refusalToJoin,
  type Grant,
  type SigningKey,
  type Verifier,
} from '../../src/token/token.ts'
import { keys, NOW_MS, settings, tokenCases, type TokenCase } from './token-corpus.ts'
import { judge, SCOPE, type Verdict } from './token-reference.ts'

export interface TokenReport {
  cases: number
  accepted: number
  refused: number
  /** Accepted, but the reference refuses. */
  wrongAccepts: string[]
  /** Refused, but the reference accepts. */
  wrongRefusals: string[]
  /** Refused by both with different codes, or accepted by both with different grants. */
  differences: string[]
  /** Errors that are not refusals. */
  crashes: string[]
  /** The number of cases of each family. */
  families: Map<string, number>
}

const byName = new Map<string, SigningKey>(keys.map((key) => [key.apiKey, key]))
const findKey = (apiKey: string): SigningKey | undefined => byName.get(apiKey)

export const verifierOf = (setting: number, cacheSize = 0): Verifier =>
  createVerifier({ findKey, now: () => NOW_MS, cacheSize, ...settings[setting]! })

const plain = settings.map((_, setting) => verifierOf(setting))
const cached = settings.map((_, setting) => verifierOf(setting, 512))

export async function attackTokens(seed: number, count: number): Promise<TokenReport> {
  const report: TokenReport = {
    cases: 0,
    accepted: 0,
    refused: 0,
    wrongAccepts: [],
    wrongRefusals: [],
    differences: [],
    crashes: [],
    families: new Map(),
  }
  for (const one of tokenCases(seed, count)) {
    report.cases++
    report.families.set(one.family, (report.families.get(one.family) ?? 0) + 1)
    const expected = await judge(one)
    if (expected.code === 'accepted') report.accepted++
    else report.refused++
    // Twice with a cache, so that the second answer may come from it.
    for (const verifier of [plain[one.setting]!, cached[one.setting]!, cached[one.setting]!])
      compare(one, expected, verifier, report)
    explain(one, expected, report)
  }
  return report
}

function compare(one: TokenCase, expected: Verdict, verifier: Verifier, report: TokenReport): void {
  const what = `${one.family} (setting ${one.setting}): ${show(one.token)}`
  let grant: Grant
  try {
    grant = verifier.verify(one.token)
  } catch (thrown) {
    if (!(thrown instanceof Refusal)) report.crashes.push(`${what}: ${String(thrown)}`)
    else if (expected.code === 'accepted') report.wrongRefusals.push(`${what}: ${thrown.reason}`)
    else if (thrown.code !== expected.code)
      report.differences.push(
        `${what}: ${thrown.code} (${thrown.reason}), not ${expected.code} (${expected.rule})`,
      )
    else if (leaks(one.token, thrown)) report.differences.push(`${what}: the refusal holds part of the token`)
    return
  }
  if (expected.code !== 'accepted') {
    report.wrongAccepts.push(`${what}: the reference says ${expected.code} (${expected.rule})`)
    return
  }
  const told = { ...expected.grant, ...grant }
  if (!isDeepStrictEqual(told, expected.grant) || !Object.isFrozen(grant))
    report.differences.push(`${what}: the grant is ${JSON.stringify(grant)}`)
  const join = (refusalToJoin(grant) ?? refusalOfScope(grant, SCOPE))?.code ?? 'allowed'
  const rest = decisionOf(() => assertMayUseRest(grant, SCOPE))
  if (join !== expected.join || rest !== expected.rest)
    report.differences.push(`${what}: join ${join}, REST ${rest}, not ${expected.join} and ${expected.rest}`)
}

/** The explanation of a token must agree with admission, and be as robust. */
function explain(one: TokenCase, expected: Verdict, report: TokenReport): void {
  try {
    const { joinRefusal } = explainToken(one.token, { findKey, now: NOW_MS, ...settings[one.setting]! })
    if (expected.code !== 'accepted' && joinRefusal?.code !== expected.code)
      report.differences.push(`${one.family}: explained as ${joinRefusal?.code}: ${show(one.token)}`)
  } catch (error) {
    report.crashes.push(`${one.family}: explaining it: ${String(error)}: ${show(one.token)}`)
  }
}

function decisionOf(check: () => void): string {
  try {
    check()
    return 'allowed'
  } catch (thrown) {
    return thrown instanceof Refusal ? thrown.code : String(thrown)
  }
}

/** Whether a refusal contains something that only the token could have revealed. */
function leaks(token: unknown, refusal: Refusal): boolean {
  if (typeof token !== 'string') return false
  const told = `${refusal.message} ${refusal.reason} ${refusal.cause === undefined ? '' : inspect(refusal.cause)}`
  return token.split('.').some((part) => part.length >= 16 && told.includes(part))
}

function show(token: unknown): string {
  return typeof token === 'string' ? JSON.stringify(token.slice(0, 600)) : `a ${typeof token}`
}
