/** Opens the ports: REST, pages and sockets, without TLS and with it. */
import { randomBytes, randomUUID } from 'node:crypto'
import type { Server as HttpsServer } from 'node:https'
import { displayHost } from '../addresses.ts'
import type { HttpContext } from '../api/context.ts'
import { readLogo } from '../api/rest/brand/logo.ts'
import { createOwner } from '../api/http/owner.ts'
import { buildHttp, type HttpListener } from '../api/http/server.ts'
import type { Gate } from '../api/limits/gate.ts'
import { createAdmin } from '../api/rest/admin/admin.ts'
import { readAdminKey } from '../api/rest/admin/admin-key.ts'
import { mustEnrol } from '../api/rest/admin/second-factor-routes.ts'
import { createOidc } from '../api/rest/admin/oidc.ts'
import { createSignIn, newFirstLink, sharedFirstLink } from '../api/rest/admin/sign-in.ts'
import { shownSettings } from '../config/describe.ts'
import { createApiKeys } from '../project/api-keys.ts'
import { createInvites } from '../project/invites.ts'
import { version } from '../version.ts'
import type { Webhooks } from '../webhook/create.ts'
import { download } from '../webhook/download.ts'
import type { Access } from './access.ts'
import { newId, type Ground } from './ground.ts'
import { routeUpgrades } from '../api/http/upgrade-router.ts'
import type { CertificateStatus } from '../protocol/rest/watching.ts'
import { openCertificate } from './certificate.ts'
import { routeOf, serveCarried } from './cluster.ts'
import { hlsCapture } from './outputs.ts'
import { listen } from './listen.ts'
import { passMediaOn } from './media-on-https.ts'
import type { MeetingDoors } from './meetings.ts'

/** Of an image for a watermark. */
const MAX_DOWNLOAD_BYTES = 1024 * 1024

export interface HttpParts extends Access, MeetingDoors {
  gate: Gate
  webhooks: Webhooks
  state: HttpContext['server']['state']
}

export interface OpenPorts {
  /** Base addresses that answer, plain first. */
  urls: string[]
  certificate: () => CertificateStatus
  /** Link that signs in once, if there is no password yet. */
  firstLink: string | undefined
  close(): Promise<void>
}

/** @throws {StartError} a port cannot be opened, or a certificate not be used; then none is open */
export async function openPorts(ground: Ground, parts: HttpParts): Promise<OpenPorts> {
  const { config: settings, core, media, metrics, cluster, now, startedAt, log } = ground
  const { store, keyRing, catalogue } = core
  const {
    door,
    meetings,
    everywhere,
    sockets,
    chatSockets,
    whiteboardSockets,
    checkSockets,
    streams,
    verifier,
    revokedTokens,
    gate,
    webhooks,
    outputs,
    jobs,
    state,
  } = parts
  const signIn = createSignIn({ store, now, randomBytes })
  const makeFirstLink = settings.nodeAddress === undefined ? newFirstLink : sharedFirstLink
  const { password } = await signIn.firstOwner()
  const firstLink = password === null ? await makeFirstLink({ store, randomBytes }) : undefined
  const { adminKey: given, dataDir: folder } = settings
  const adminKey = await readAdminKey({ given, folder, randomBytes })
  const tls = await openCertificate(ground)
  const { brandName: name, brandLogo, brandColour: colour, brandLinks: links } = settings
  const logo = brandLogo === undefined ? undefined : readLogo(brandLogo)
  const context: HttpContext = {
    settings,
    brand: { name, logo, colour, links },
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
      refusalOfRemoved: (meetingId, by) => everywhere.refusalOfRemoved(meetingId, by),
      maxInvites: settings.maxInvites,
      now,
      randomBytes,
    }),
    meetings: everywhere,
    outputsFolder: outputs.folder,
    keptFiles: outputs.kept,
    jobs,
    download: (address: string) =>
      download(address, {
        allowPrivate: settings.webhookAllowPrivate,
        timeoutMs: settings.webhookTimeoutSeconds * 1000,
        maxBytes: MAX_DOWNLOAD_BYTES,
        ...(ground.parts.resolve && { resolve: ground.parts.resolve }),
      }),
    hls: outputs.engines.hls,
    captureHls: hlsCapture(ground, outputs),
    door,
    streams,
    mediaStatus: () => media.status,
    certificate: () => tls.status,
    nodes: () => cluster?.nodes(),
    metrics,
    server: { version, startedAt, state },
    ...(cluster && { orderDrain: (...order) => cluster.order(...order) }),
    signIn,
    oidc: createOidc(settings, now),
    gate,
    owner: createOwner({ settings, userId: process.getuid?.(), log }),
    admin: createAdmin({
      key: adminKey,
      signIn,
      settings,
      gate,
      mustEnrol: (operator) => mustEnrol(store, operator),
    }),
    webhookKey: () => webhooks.publicKey(),
    newId,
    randomBytes,
    projectsChanged: () => webhooks.refreshDefaults(),
    now,
    log,
  }
  const listeners: { http: HttpListener; port: number; variable: string; scheme: string }[] = [
    {
      http: buildHttp(context, { plain: tls.plainDoor }),
      port: settings.port,
      variable: 'PORT',
      scheme: 'http',
    },
    {
      http: buildHttp(context, { tls: tls.options }),
      port: settings.httpsPort,
      variable: 'HTTPS_PORT',
      scheme: 'https',
    },
  ]
  if (settings.mediaTcpOnHttps)
    passMediaOn(listeners[1]!.http.server as HttpsServer, {
      targetOf: (usernameFragment) => media.tcpTarget(usernameFragment),
      firstBytesMs: settings.headersTimeoutSeconds * 1000,
    })
  const close = async (): Promise<void> => {
    tls.close()
    await Promise.all(listeners.map(({ http }) => http.close()))
  }
  const route = cluster && routeOf({ cluster, gate, verifier, catalogue, log })
  const urls: string[] = []
  try {
    if (cluster) {
      const { server } = cluster.peers
      sockets.attach(server, meetings)
      chatSockets.attach(server)
      whiteboardSockets.attach(server)
      serveCarried(cluster, gate)
      await cluster.peers.listen()
      await cluster.begin()
    }
    for (const { http, port: asked, variable, scheme } of listeners) {
      ground.parts.stopping?.throwIfAborted()
      sockets.attach(http.server, meetings)
      chatSockets.attach(http.server)
      whiteboardSockets.attach(http.server)
      checkSockets.attach(http.server)
      if (route) routeUpgrades(http.server, route)
      const port = await listen(http, settings.host, asked, variable)
      urls.push(`${scheme}://${displayHost(settings.host)}:${port}`)
    }
  } catch (error) {
    await close()
    throw error
  }
  await tls.keep(listeners[1]!.http.server as HttpsServer)
  return { urls, certificate: () => tls.status, firstLink, close }
}
