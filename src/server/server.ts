/**
 * Chooses implementations and connects them; the only file that knows them all.
 */
import { randomBytes, randomUUID } from 'node:crypto'
import { access, constants } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import type { Logger } from 'pino'
import { StartError } from '../errors.ts'
import type { Config } from '../config/read.ts'
import { openCore, type ServerCore } from './core.ts'
import type { Sfu } from '../media/sfu.ts'
import type { Store } from '../store/store.ts'
import { displayHost, inUrl, isLoopback, isReachedFromHereAlone, kindOf } from '../addresses.ts'
import { shownSettings } from '../config/describe.ts'
import { assertPortsApart } from '../config/safety.ts'
import { loadCertificate } from '../api/http/certificate.ts'
import { buildHttp, type HttpListener } from '../api/http/server.ts'
import { ChatPace } from '../api/limits/chat-pace.ts'
import { ChatSockets } from '../api/chat/sockets.ts'
import { Gate } from '../api/limits/gate.ts'
import { createOwner } from '../api/http/owner.ts'
import { MeetingSockets } from '../api/signalling/sockets.ts'
import { createAdmin } from '../api/rest/admin/admin.ts'
import { ADMIN_KEY_FILE, readAdminKey } from '../api/rest/admin/admin-key.ts'
import { createSignIn, newFirstLink } from '../api/rest/admin/sign-in.ts'
import { buildTokenServer } from '../api/token-server.ts'
import { createLog, logDestination } from '../log.ts'
import { createSfu } from '../media/create.ts'
import { mediaAddresses } from '../media/addresses.ts'
import { createInvites } from '../project/invites.ts'
import { createApiKeys } from '../project/api-keys.ts'
import { refusalOfOrigin } from '../project/origins.ts'
import { RevokedTokens } from '../project/revoked-tokens.ts'
import { Refusal } from '../protocol/errors.ts'
import { sweep } from '../project/retention.ts'
import { Door } from '../meeting/door/door.ts'
import { LiveMeetings } from '../meeting/live-meetings.ts'
import { Sampler } from '../metrics/history.ts'
import { createMetrics, type Metrics } from '../metrics/metrics.ts'
import { openTracing, type Tracing } from '../tracing/open.ts'
import { createVerifier, type Verifier } from '../token/token.ts'
import { readyMessage, type Ready, type ReadyFacts } from './welcome.ts'
import { createWebhooks, type Webhooks, type WebhooksOptions } from '../webhook/create.ts'
import { version } from '../version.ts'
import { locateWorker } from '../../scripts/media-worker/locate.mjs'

export interface RunningServer {
  /** Base addresses that answer, plain first. */
  urls: string[]
  /** The live meetings, for whoever listens to what happens in them; absent in a token server. */
  meetings?: LiveMeetings
  /** What is said when it is ready. */
  ready: Ready
  /** Cuts connections so that their clients come back, stops workers, closes the store. Idempotent. */
  close(): Promise<void>
}

/** Parts that a test may put in the place of the real ones. */
export interface Parts {
  sfu?: Sfu
  log?: Logger
  /** The clock, ms since the epoch. */
  now?: () => number
  /** The addresses of the receiver of a webhook, by its name. */
  resolve?: WebhooksOptions['resolve']
  /** Aborted when the program is told to stop: a start is given up, and what it had begun is closed. */
  stopping?: AbortSignal
  /** How whoever runs this server calls its commands; `anteroom` where nothing is said. */
  command?: string
  /** Stands between the server and its store. */
  through?: (store: Store) => Store
}

/** A new id, for what has no other name. */
const newId = (): string => randomBytes(12).toString('hex')
/** How soon a key that another process revoked is out of force here. */
const KEY_REFRESH_MS = 1000
const SWEEP_MS = 3600_000
const SWEEP_PAUSE_MS = 20
const workerScript = join(import.meta.dirname, '../../scripts/media-worker.mjs')

/**
 * @throws {StartError}
 * @throws the reason of `parts.stopping`, when the program is told to stop before the server is ready
 */
export async function startServer(config: Config, parts: Parts = {}): Promise<RunningServer> {
  const {
    stopping,
    now = Date.now,
    log = createLog(config.logLevel, logDestination(config.logFormat)),
  } = parts
  assertPortsApart(config)
  const startedAt = now()
  const metrics = createMetrics({ version, now })
  const core = await openCore(config, {
    create: true,
    now,
    through: parts.through,
    onCommit: (...commit) => metrics.committed(...commit),
    onTrouble: (trouble, cause) => {
      metrics.storeAvailable(trouble === undefined)
      if (trouble) log.error({ trouble, err: cause }, 'the store cannot be written to')
      else log.warn('the store works again')
    },
  }).catch((error: unknown) => {
    metrics.close()
    throw error
  })
  const { store, keyRing, catalogue } = core
  let sfu: Sfu | undefined
  let tracing: Tracing | undefined
  try {
    stopping?.throwIfAborted()
    tracing = await traceTo(config, log)
    sfu = parts.sfu ?? (await openSfu(config, log, stopping))
    stopping?.throwIfAborted()
    return await connect(config, core, sfu, log)
  } catch (error) {
    metrics.close()
    await tracing?.close()
    await sfu?.close()
    await store.close()
    throw error
  }

  async function connect(
    settings: Config,
    ground: ServerCore,
    media: Sfu,
    logger: Logger,
  ): Promise<RunningServer> {
    const webhooks = openWebhooks(settings, store, parts, logger, metrics)
    await webhooks.refreshDefaults()
    let closing: Promise<void> | undefined
    const revokedTokens = new RevokedTokens({ store, now })
    await revokedTokens.refresh()
    const judge = createVerifier({
      findKey: keyRing.find,
      isRevoked: (grant) => revokedTokens.has(grant),
      now,
      allowWithoutExpiry: settings.allowTokensWithoutExpiry,
      cacheSize: 10_000,
    })
    const verifier: Verifier = {
      ...judge,
      get cached() {
        return judge.cached
      },
      verify: (token, options) => {
        const grant = judge.verify(token, options)
        keyRing.used(grant.apiKey)
        return grant
      },
    }
    const gate = new Gate({ settings, now })
    const chatPace = new ChatPace(settings.maxChatMessagesPerSecond, now)
    const door = new Door({
      verify: (token, options) => verifier.verify(token, options),
      refusalOfOrigin: (grant, origin, ownOrigin) =>
        refusalOfOrigin(keyRing.find(grant.apiKey)?.origins ?? null, origin, ownOrigin),
      findMeeting: (grant, anyId) => catalogue.find(grant.projectId, anyId),
      knows: (...who) => meetings.knows(...who),
      mediaStatus: () => media.status,
      randomId: () => randomBytes(5).toString('hex').slice(0, 8),
    })
    const sockets = new MeetingSockets({
      settings,
      gate,
      chatPace,
      door,
      now,
      onRefusal: (refusal) => metrics.refused('socket', refusal),
      onJoined: (entry, ms) => metrics.joined(entry, ms / 1000),
      log: logger,
    })
    const meetings: LiveMeetings = new LiveMeetings({
      settings: {
        moderation: settings.moderation,
        lobbyTimeoutMs: settings.lobbyTimeoutSeconds * 1000,
        sessionGraceMs: settings.sessionGraceSeconds * 1000,
        joinTimeoutMs: settings.joinTimeoutSeconds * 1000,
        maxParticipants: settings.maxParticipants,
        maxEntryRequests: settings.maxEntryRequests,
        maxProducers: settings.maxProducers,
        maxStoreKeys: settings.maxStoreKeys,
        maxFileBytes: settings.maxFileBytes,
        maxSessionFileBytes: settings.maxSessionFileBytes,
        maxChatMessageBytes: settings.maxChatMessageBytes,
        maxChatTopics: settings.maxChatTopics,
        maxChatSubscriptions: settings.maxChatSubscriptions,
        maxSessionChatBytes: settings.maxSessionChatBytes,
      },
      store,
      sfu: media,
      openAudience: sockets.openAudience,
      announce: (meeting, fact) => {
        const told = webhooks.announce(meeting, fact)
        // The line that ties a delivery to the request or connection that brought it about.
        for (const { deliveryId, event, meetingId, sessionId } of told)
          logger.info({ deliveryId, event, meetingId, sessionId }, 'an event is to be told')
        return told
      },
      refusalSince: (grant) => verifier.refusalSince(grant),
      now,
      newSessionId: newId,
      newSecretId: () => randomBytes(18).toString('base64url'),
      onError: (error, doing) => logger.error({ err: error }, doing),
    })
    const chatSockets = new ChatSockets({
      settings,
      pace: chatPace,
      openChat: (ticket, link) => meetings.openChat(ticket, link),
      onMessage: () => metrics.chatMessage(),
      onRefusal: (refusal) => metrics.refused('chat', refusal),
      log: logger,
    })
    metrics.askOf({
      meetings: () => meetings.counts(),
      sockets: () => ({ meeting: sockets.connections, chat: chatSockets.connections }),
      workers: () => media.usage(),
      webhooks: () => store.outbox.backlog(),
    })
    const sampler = new Sampler({
      metrics,
      write: (sample) => store.figures.addSample(sample),
      now,
      onError: (error) => logger.error({ err: error }, 'taking a sample'),
    })
    await meetings.resume()

    const signIn = createSignIn({ store, now, randomBytes })
    const firstLink = (await signIn.passwordSet()) ? undefined : await newFirstLink({ store, randomBytes })
    const { adminKey: given, dataDir: folder } = settings
    const adminKey = await readAdminKey({ given, folder, randomBytes })
    const certificate = await loadCertificate({
      certFile: settings.tlsCert,
      keyFile: settings.tlsKey,
      folder: settings.dataDir,
      names: certificateNames(settings),
      now,
    })
    const deps = {
      settings,
      store,
      verifier,
      keys: keyRing,
      apiKeys: createApiKeys({ store, now, randomBytes, randomUUID }),
      revokedTokens,
      shownSettings: () => shownSettings(settings),
      catalogue,
      invites: createInvites({
        store,
        keys: keyRing,
        revokedTokens,
        refusalOfRemoved: (meetingId, by) => meetings.refusalOfRemoved(meetingId, by),
        maxInvites: settings.maxInvites,
        now,
        randomBytes,
      }),
      live: meetings,
      door,
      mediaStatus: () => media.status,
      metrics,
      server: { version, startedAt, isStopping: () => closing !== undefined },
      signIn,
      gate,
      owner: createOwner({ settings, userId: process.getuid?.(), log: logger }),
      admin: createAdmin({ key: adminKey, signIn, settings, gate }),
      webhookKey: () => webhooks.publicKey(),
      newId,
      projectsChanged: () => webhooks.refreshDefaults(),
      now,
      log: logger,
    }
    const listeners: HttpListener[] = [
      buildHttp(deps),
      buildHttp(deps, { cert: certificate.cert, key: certificate.key }),
    ]
    const ports = [settings.port, settings.httpsPort]
    const urls: string[] = []
    try {
      for (const [at, listener] of listeners.entries()) {
        stopping?.throwIfAborted()
        sockets.attach(listener.server, meetings)
        chatSockets.attach(listener.server)
        const variable = at === 0 ? 'PORT' : 'HTTPS_PORT'
        const port = await listen(listener, settings.host, ports[at]!, variable)
        urls.push(`${at === 0 ? 'http' : 'https'}://${displayHost(settings.host)}:${port}`)
      }
    } catch (error) {
      await Promise.all(listeners.map((listener) => listener.close()))
      throw error
    }

    /** Of the store when keys, revoked tokens and projects were last read. */
    let keptUpWith: number | undefined
    /** What other processes did to keys and tokens holds here too; what was used is written now and then. */
    const keepUp = async (): Promise<void> => {
      const written = await store.version()
      if (written !== keptUpWith) {
        if (await keyRing.refresh()) verifier.clear()
        for (const token of await revokedTokens.refresh())
          await meetings.evictByCredential(token, new Refusal('INVALID_TOKEN', { reason: 'revoked' }))
        await webhooks.refreshDefaults()
        // Read before: what was written meanwhile is read the next time.
        keptUpWith = written
      }
      await keyRing.writeUses()
    }
    const refreshing = setInterval(() => {
      keepUp().catch((error: unknown) =>
        logger.error({ err: error }, 'failed to read keys, revoked tokens and projects again'),
      )
    }, KEY_REFRESH_MS)
    refreshing.unref()
    webhooks.start()

    let measuring = false
    const measure = (): void => {
      // A slow machine measures less often, and never twice at once.
      if (measuring) return
      measuring = true
      meetings
        .measure()
        .then((flow) => metrics.flows(flow))
        .catch((error: unknown) => logger.error({ err: error }, 'measuring media'))
        .finally(() => {
          measuring = false
        })
    }
    const upkeep = [
      ...(settings.statsIntervalSeconds > 0
        ? [setInterval(measure, settings.statsIntervalSeconds * 1000)]
        : []),
      setInterval(() => {
        sweep({ ...settings, store, now, pause: () => setTimeout(SWEEP_PAUSE_MS) }).catch((error: unknown) =>
          logger.error({ err: error }, 'deleting what is old'),
        )
      }, SWEEP_MS),
    ]
    for (const timer of upkeep) timer.unref()

    const close = async (): Promise<void> => {
      for (const timer of [refreshing, ...upkeep]) clearInterval(timer)
      sampler.close()
      await meetings.suspend()
      sockets.close()
      chatSockets.close()
      await Promise.all([webhooks.stop(), ...listeners.map((listener) => listener.close())])
      await tracing?.close()
      await media.close()
      await keyRing.writeUses(true)
      await store.close()
      metrics.close()
    }
    return {
      urls,
      meetings,
      ready: await readyNow(settings, ground, media, {
        command: parts.command ?? 'anteroom',
        urls,
        certificate: certificate.source,
        firstLink,
      }),
      close: () => (closing ??= close()),
    }
  }
}

/** Undefined where no collector is set. */
async function traceTo(
  { traceEndpoint: endpoint, traceHeaders: headers = {}, traceService: serviceName, traceShare }: Config,
  log: Logger,
): Promise<Tracing | undefined> {
  if (endpoint === undefined) return undefined
  return openTracing({
    endpoint,
    headers,
    serviceName,
    version,
    share: traceShare,
    onTrouble: (cause) =>
      cause
        ? log.warn({ reason: cause.message }, 'the collector takes no traces')
        : log.info('the collector takes traces again'),
  })
}

/** What tells backends of what happens here; yet to be started. */
function openWebhooks(
  settings: Config,
  store: Store,
  { now = Date.now, resolve }: Parts,
  log: Logger,
  metrics: Metrics,
): Webhooks {
  return createWebhooks({
    outbox: store.outbox,
    secrets: store.secrets,
    projects: store.projects,
    timeoutMs: settings.webhookTimeoutSeconds * 1000,
    giveUpAfterMs: settings.webhookRetryHours * 3_600_000,
    allowPrivate: settings.webhookAllowPrivate,
    now,
    random: Math.random,
    newDeliveryId: randomUUID,
    ...(resolve && { resolve }),
    onSettled: ({ deliveryId, event, meetingId, attempts }, { state, status }) => {
      metrics.delivered(state === 'waiting' ? 'retried' : state)
      const told = { deliveryId, event, meetingId, attempts: attempts + 1, status }
      if (state === 'parked') log.warn(told, 'a webhook delivery was given up')
      else log.info(told, state === 'delivered' ? 'an event was delivered' : 'an event is tried again later')
    },
    onError: (error, doing) => log.error({ err: error }, doing),
  })
}

export async function startTokenServer(config: Config): Promise<RunningServer> {
  const log = createLog(config.logLevel, logDestination(config.logFormat))
  if (config.apiEndpoint === undefined || config.apiKey === undefined) {
    throw new StartError(
      'The token server needs VIDEOSDK_API_ENDPOINT, VIDEOSDK_API_KEY and VIDEOSDK_SECRET_KEY: set the address of the meeting service and the key it knows.',
    )
  }
  const listener = buildTokenServer({
    settings: config,
    endpoint: config.apiEndpoint,
    key: config.apiKey,
    gate: new Gate({ settings: config, now: Date.now }),
    owner: createOwner({ settings: config, userId: process.getuid?.(), log }),
    now: Date.now,
    log,
  })
  const port = await listen(listener, config.host, config.port, 'PORT')
  const url = `http://${displayHost(config.host)}:${port}`
  return {
    urls: [url],
    ready: {
      text: `Anteroom token server\n  address   ${url}\n  upstream  ${config.apiEndpoint}\n  API key   ${config.apiKey.apiKey}`,
      fields: { urls: [url], upstream: config.apiEndpoint },
      hints: [],
    },
    close: async () => {
      await listener.close()
    },
  }
}

async function openSfu(config: Config, log: Logger, stopping: AbortSignal | undefined): Promise<Sfu> {
  const worker = locateWorker()
  const isOurs = worker?.source !== 'env' && config.prepareMedia
  return createSfu({
    workerBin: worker?.bin,
    preparation: isOurs ? { script: workerScript, find: () => locateWorker()?.bin } : undefined,
    workers: config.mediaWorkers,
    firstPort: config.mediaPort,
    listenAddress: config.host,
    announcedAddress: config.announcedAddress,
    workerLog: config.mediaLog,
    stopping,
    log,
  })
}

async function listen(listener: HttpListener, host: string, port: number, variable: string): Promise<number> {
  try {
    await listener.listen({ host, port })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EADDRINUSE') {
      throw new StartError(`Port ${port} is in use: stop what uses it, or choose another in ${variable}.`, {
        cause: error,
      })
    }
    if (code === 'EACCES') {
      throw new StartError(
        `Port ${port} may not be opened by this user: choose one above 1023 in ${variable}.`,
        { cause: error },
      )
    }
    if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
      throw new StartError(`${host} is no address of this machine: change HOST.`, { cause: error })
    }
    if (code === undefined) throw error
    throw new StartError(
      `${host} port ${port} cannot be listened on (${code}): change HOST or ${variable}.`,
      {
        cause: error,
      },
    )
  }
  const address = listener.server.address()
  return typeof address === 'object' && address !== null ? address.port : port
}

function certificateNames(config: Config): string[] {
  const names = ['localhost', '127.0.0.1']
  if (!isLoopback(config.host) && kindOf(config.host) !== 'any') names.push(config.host)
  if (config.announcedAddress !== undefined) names.push(config.announcedAddress)
  if (config.publicUrl !== undefined) names.push(new URL(config.publicUrl).hostname.replace(/^\[|\]$/g, ''))
  return [...new Set(names)]
}

async function readyNow(
  config: Config,
  { keyRing, secretIn }: ServerCore,
  { status }: Sfu,
  facts: Pick<ReadyFacts, 'command' | 'urls' | 'certificate' | 'firstLink'>,
): Promise<Ready> {
  const pageIsBuilt = await access(join(config.pageFolder, 'index.html'), constants.R_OK).then(
    () => true,
    () => false,
  )
  const announced = config.announcedAddress ?? config.host
  const onlyFromHere = isReachedFromHereAlone(config)
  return readyMessage({
    ...facts,
    config,
    elsewhere: await elsewhereAddress(config, facts.urls),
    pageIsBuilt,
    dataFolder: resolve(config.dataDir),
    apiKey: keyRing.defaultKey()?.apiKey,
    secretIn,
    adminKeyIn: config.adminKey === undefined ? join(config.dataDir, ADMIN_KEY_FILE) : 'ADMIN_KEY',
    media: status,
    onlyFromHere,
    mediaOnlyHere: status.available && isLoopback(announced) && !onlyFromHere ? announced : undefined,
  })
}

/** Where people elsewhere find the page, with TLS, without which browsers give it neither camera nor microphone. */
async function elsewhereAddress(config: Config, urls: readonly string[]): Promise<string | undefined> {
  const secure = urls.find((url) => url.startsWith('https:'))
  if (config.publicUrl !== undefined || kindOf(config.host) !== 'any' || secure === undefined)
    return undefined
  const name = config.announcedAddress ?? (await mediaAddresses(config.host, undefined))[0]?.announced
  if (name === undefined || isLoopback(name)) return undefined
  return `https://${inUrl(name)}:${new URL(secure).port || '443'}`
}
