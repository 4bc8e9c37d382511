/** Signs operators in by OpenID Connect: the authorization code flow with PKCE, state and nonce. */
import * as client from 'openid-client'
import type { OperatorRole } from '../../../store/store.ts'
import { mayAct } from '../../../project/roles.ts'

export interface OidcSettings {
  oidcIssuer: string | undefined
  oidcClientId: string | undefined
  oidcClientSecret: string | undefined
  oidcScopes: string
  oidcRoleClaim: string
  oidcRoles: ReadonlyMap<string, OperatorRole>
  oidcName: string | undefined
}

/** Why somebody was not signed in; the page has a sentence for each. */
export const oidcProblems = ['away', 'refused', 'redirect', 'clock', 'state', 'role', 'invalid'] as const
export type OidcProblem = (typeof oidcProblems)[number]

export class OidcError extends Error {
  override readonly name = 'OidcError'
  readonly problem: OidcProblem

  constructor(problem: OidcProblem, cause?: unknown) {
    super(`sign-in by OpenID Connect failed: ${problem}`, { cause })
    this.problem = problem
  }
}

/** What the browser keeps while its user is at the provider. */
export interface OidcAttempt {
  state: string
  nonce: string
  verifier: string
}

/** Who signed in at the provider. */
export interface OidcPerson {
  /** The issuer and its name for the person, which never changes. */
  externalId: string
  name: string
  role: OperatorRole
}

export interface Oidc {
  /** What the button says. */
  name: string
  /** @throws {OidcError} */
  begin(redirectUri: string): Promise<{ address: string; attempt: OidcAttempt }>
  /** @param query of the address to which the provider sent the browser. @throws {OidcError} */
  finish(redirectUri: string, query: string, attempt: OidcAttempt): Promise<OidcPerson>
  /** Where the person leaves the provider too, if it has such a page. */
  leaveAt(returnTo: string): Promise<string | undefined>
}

const TIMEOUT_SECONDS = 10
/** How far the clocks may be apart. */
const TOLERANCE_SECONDS = 60
/** Keys and addresses of the provider are read again after this time. */
const FRESH_MS = 3_600_000
const LONGEST_NAME = 100

/** Undefined if it is not set up. */
export function createOidc(settings: OidcSettings, now: () => number): Oidc | undefined {
  const { oidcIssuer: issuer, oidcClientId: clientId, oidcClientSecret: secret } = settings
  if (issuer === undefined || clientId === undefined) return undefined
  let found: { at: number; config: Promise<client.Configuration> } | undefined

  const discover = async (): Promise<client.Configuration> => {
    const config = await client.discovery(
      new URL(issuer),
      clientId,
      {
        [client.clockTolerance]: TOLERANCE_SECONDS,
        // The library reads the machine's clock; this server's counts, which a test moves.
        // eslint-disable-next-line no-restricted-properties -- for the difference
        [client.clockSkew]: Math.round((now() - Date.now()) / 1000),
      },
      secret === undefined ? client.None() : client.ClientSecretBasic(secret),
      {
        timeout: TIMEOUT_SECONDS,
        // The settings take http for this machine alone.
        // eslint-disable-next-line @typescript-eslint/no-deprecated -- marked to be noticed, and meant here
        ...(issuer.startsWith('http:') && { execute: [client.allowInsecureRequests] }),
      },
    )
    config.timeout = TIMEOUT_SECONDS
    return config
  }
  const configured = async (): Promise<client.Configuration> => {
    if (!found || Math.abs(now() - found.at) > FRESH_MS) found = { at: now(), config: discover() }
    try {
      return await found.config
    } catch (error) {
      found = undefined
      throw new OidcError('away', error)
    }
  }

  return {
    name: settings.oidcName ?? new URL(issuer).host,
    begin: async (redirectUri) => {
      const config = await configured()
      const attempt: OidcAttempt = {
        state: client.randomState(),
        nonce: client.randomNonce(),
        verifier: client.randomPKCECodeVerifier(),
      }
      const address = client.buildAuthorizationUrl(config, {
        redirect_uri: redirectUri,
        scope: settings.oidcScopes,
        state: attempt.state,
        nonce: attempt.nonce,
        code_challenge: await client.calculatePKCECodeChallenge(attempt.verifier),
        code_challenge_method: 'S256',
      })
      return { address: address.href, attempt }
    },
    finish: async (redirectUri, query, { state, nonce, verifier }) => {
      const config = await configured()
      const asked = new URLSearchParams(query)
      if (asked.get('state') !== state) throw new OidcError('state')
      let claims: Record<string, unknown>
      try {
        const tokens = await client.authorizationCodeGrant(config, new URL(`${redirectUri}?${asked}`), {
          expectedState: state,
          expectedNonce: nonce,
          pkceCodeVerifier: verifier,
          idTokenExpected: true,
        })
        claims = { ...tokens.claims()! }
        if (
          valueAt(claims, settings.oidcRoleClaim) === undefined &&
          config.serverMetadata().userinfo_endpoint
        )
          claims = {
            ...(await client.fetchUserInfo(config, tokens.access_token, String(claims.sub))),
            ...claims,
          }
      } catch (error) {
        throw new OidcError(problemOf(error), error)
      }
      const role = highestRole(valueAt(claims, settings.oidcRoleClaim), settings.oidcRoles)
      const externalId = `${String(claims.iss)}#${String(claims.sub)}`
      if (!role) throw new OidcNoRole(externalId)
      return { externalId, name: nameIn(claims), role }
    },
    leaveAt: async (returnTo) => {
      const config = await configured().catch(() => undefined)
      if (!config?.serverMetadata().end_session_endpoint) return undefined
      return client.buildEndSessionUrl(config, { post_logout_redirect_uri: returnTo }).href
    },
  }
}

/** Somebody whom the provider knows, and to whom it gives no role here. */
export class OidcNoRole extends OidcError {
  readonly externalId: string

  constructor(externalId: string) {
    super('role')
    this.externalId = externalId
  }
}

/** Follows dots, as in `realm_access.roles`, unless the claim has the whole name. */
function valueAt(claims: Record<string, unknown>, claim: string): unknown {
  if (claim in claims) return claims[claim]
  return claim
    .split('.')
    .reduce<unknown>(
      (value, part) =>
        typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[part] : undefined,
      claims,
    )
}

/** The highest role that a claim gives: one text, or a list of them. */
export function highestRole(
  value: unknown,
  roles: ReadonlyMap<string, OperatorRole>,
): OperatorRole | undefined {
  const given = (Array.isArray(value) ? value : [value]).flatMap((one) =>
    typeof one === 'string' ? (roles.get(one) ?? []) : [],
  )
  return given.toSorted((one, other) => (mayAct(one, other) ? -1 : 1))[0]
}

function nameIn({ name, preferred_username: username, email, sub }: Record<string, unknown>): string {
  const [first] = [name, username, email, sub].filter(
    (text): text is string => typeof text === 'string' && text.trim() !== '',
  )
  // One line of readable text, as every name of an operator.
  return first!
    .replaceAll(/[\p{C}\s]+/gu, ' ')
    .trim()
    .slice(0, LONGEST_NAME)
}

function problemOf(error: unknown): OidcProblem {
  if (error instanceof client.AuthorizationResponseError) return 'refused'
  if (error instanceof client.ResponseBodyError) {
    // Providers answer so for an address that is not the one of the first step.
    const text = `${error.error} ${error.error_description ?? ''}`
    return /redirect/i.test(text) ? 'redirect' : error.status >= 500 ? 'away' : 'invalid'
  }
  const { code } = error as { code?: string }
  if (code === 'OAUTH_JWT_TIMESTAMP_CHECK_FAILED') return 'clock'
  if (code === 'OAUTH_TIMEOUT' || (error as Error).name === 'TypeError' || code === undefined) return 'away'
  return 'invalid'
}
