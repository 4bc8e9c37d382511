/** What the server prints when it is ready: for people, and as the first line of a log for programs. */
import type { Config } from '../config/read.ts'

export interface ReadyFacts {
  config: Pick<
    Config,
    | 'allowTokensWithoutExpiry'
    | 'announcedAddresses'
    | 'domain'
    | 'moderation'
    | 'openGetToken'
    | 'outputsAllowPrivate'
    | 'publicUrl'
    | 'turnUrls'
    | 'webhookAllowPrivate'
  >
  /** How commands are called here: `anteroom`, or a replacement. */
  command: string
  /** Base addresses that answer, plain first. */
  urls: readonly string[]
  /**
   * The address for people at other machines; undefined if only this machine reaches the server, or PUBLIC_URL names
   * it.
   */
  elsewhere: string | undefined
  pageIsBuilt: boolean
  dataFolder: string
  /** Undefined if no key is active. */
  apiKey: string | undefined
  /** Where people find the secret: a file or a variable. */
  secretIn: string
  adminKeyIn: string
  /** The page's address with a code; undefined if there is a password. */
  firstLink: string | undefined
  media:
    | { available: true; workers: number; ports: readonly number[]; tried: boolean }
    | { available: false; reason: string }
  /** Why nothing can be recorded, and what to do about it. */
  recordingsOff: string | undefined
  certificate: 'given' | 'self-signed' | 'acme'
  /** Only this machine can reach the server. */
  onlyFromHere: boolean
  /** Media is announced at an address that only this machine reaches, although others can connect. */
  mediaOnlyHere: string | undefined
}

export interface Ready {
  /** For a terminal; contains the first link, which signs in once. */
  text: string
  /** For a log, which is stored and forwarded: contains no credentials. */
  fields: Record<string, unknown>
  /** What the reader of the log should do, one line each. */
  hints: { msg: string; cure: string }[]
}

export function readyMessage(facts: ReadyFacts): Ready {
  const { config, command, urls, elsewhere, media, certificate, firstLink, onlyFromHere } = facts
  const page = config.publicUrl ?? urls[0]!
  const off = offIn(facts)
  const warnings = warningsIn(facts)
  const mediaText = media.available
    ? `on, ${media.workers} worker${media.workers === 1 ? '' : 's'}, ports ${media.ports.join(', ')} (UDP and TCP)`
    : media.reason.replace(/^Media is /, '')
  const row = (name: string, text: string): string => `  ${name.padEnd(12)}  ${text}`
  const text = [
    'Anteroom is ready',
    '',
    row('meeting page', `${page}/`),
    row(
      '',
      `${onlyFromHere ? 'Start' : 'Sign in to the dashboard, start'} a meeting there, and give others the link from "Invite".`,
    ),
    ...(facts.pageIsBuilt ? [] : [row('', '(not built yet: npm run page)')]),
    ...(elsewhere === undefined ? [] : [row('elsewhere', `${elsewhere}/  (from other machines)`)]),
    row('dashboard', `${page}${firstLink ?? '/dashboard'}`),
    ...(firstLink === undefined ? [] : [row('', '(signs in once, to set a password)')]),
    row(
      'addresses',
      `${urls.join('  ')}${certificate === 'self-signed' ? '  (self-signed certificate)' : ''}`,
    ),
    ...(config.domain !== undefined && certificate === 'self-signed'
      ? [
          row(
            '',
            `(getting a certificate for ${config.domain} in the background; the log says when it is there)`,
          ),
        ]
      : []),
    row('API key', facts.apiKey ?? `none active: ${command} keys create`),
    row('secret', `in ${facts.secretIn}`),
    row('admin key', `in ${facts.adminKeyIn}`),
    row('data', `in ${facts.dataFolder}`),
    row('media', mediaText),
    ...(media.available && !media.tried
      ? [row('', '(ANNOUNCED_ADDRESS is not an address of this machine, so it could not be tried from here)')]
      : []),
    ...(off.length > 0 ? ['', '  Off now, and how to switch it on:'] : []),
    ...off.map((line) => `  - ${line}`),
    ...(warnings.length > 0 ? [''] : []),
    ...warnings.map((line) => `  ! ${line}`),
    '',
  ]
  return {
    text: text.join('\n'),
    fields: {
      page: `${page}/`,
      urls,
      dataFolder: facts.dataFolder,
      media: mediaText,
      ...(elsewhere !== undefined && { elsewhere: `${elsewhere}/` }),
      ...(!facts.pageIsBuilt && { pageMissing: 'npm run page builds it' }),
      off,
      warnings,
    },
    hints:
      firstLink === undefined
        ? []
        : [{ msg: 'the dashboard has no password yet', cure: howToSignIn(command) }],
  }
}

function howToSignIn(command: string): string {
  const inContainer =
    command === 'anteroom' ? ' (in a container: docker exec <container> anteroom admin reset)' : ''
  return `run "${command} admin reset"${inContainer}: it prints a link that signs in once, to set a password`
}

function offIn({ config, certificate, onlyFromHere, recordingsOff }: ReadyFacts): string[] {
  return [
    recordingsOff,
    onlyFromHere &&
      'other machines: set HOST=0.0.0.0, and ANNOUNCED_ADDRESS to the address at which they reach this one; or DOMAIN to its public name, for HTTPS too',
    certificate === 'self-signed' &&
      (config.publicUrl === undefined || config.publicUrl.startsWith('http:')) &&
      'HTTPS that browsers trust, needed for camera and microphone on other machines: set DOMAIN, or TLS_CERT and TLS_KEY, or PUBLIC_URL behind a proxy',
    config.turnUrls.length === 0 &&
      'TURN, for people in networks that block media: set TURN_URLS and TURN_SECRET',
  ].filter((line) => typeof line === 'string')
}

function warningsIn({ config, onlyFromHere, mediaOnlyHere }: ReadyFacts): string[] {
  return [
    mediaOnlyHere !== undefined &&
      `media is announced at ${mediaOnlyHere}, which only this machine can reach: set ANNOUNCED_ADDRESS to the address at which others reach it`,
    onlyFromHere &&
      'anybody at this machine gets tokens, starts meetings and reads metrics without credentials: set PUBLIC_URL if a proxy is in front of this server',
    config.openGetToken && 'OPEN_GET_TOKEN=true: anybody who reaches this server gets a token',
    config.allowTokensWithoutExpiry && 'ALLOW_TOKENS_WITHOUT_EXPIRY=true: a leaked token works for ever',
    config.webhookAllowPrivate &&
      'WEBHOOK_ALLOW_PRIVATE=true: anybody who creates a meeting can have events sent into the private network',
    config.outputsAllowPrivate &&
      'OUTPUTS_ALLOW_PRIVATE=true: anybody who may start a livestream or a recording reaches the private network',
    config.moderation === 'open' && 'MODERATION=open: everybody may mute and remove everybody',
  ].filter((line) => typeof line === 'string')
}
