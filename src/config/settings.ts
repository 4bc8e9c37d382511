/** The settings: one row per variable with its type, bounds, default and meaning. Everything else is derived from this table. */
import { availableParallelism } from 'node:os'
import { resolve } from 'node:path'
import { Type, type Static, type TSchema } from 'typebox'
import { brandColour, brandLinks, brandName } from './brand.ts'
import {
  acmeDirectory,
  acmeEmail,
  announcedAddresses,
  bearerKey,
  domainName,
  embedOrigins,
  filesUrl,
  headerPairs,
  httpUrl,
  listenHost,
  masterKey,
  MAX_PORT,
  mediaLog,
  metricsToken,
  nodeAddress,
  nodeId,
  oidcIssuer,
  oidcRoles,
  oidcScopes,
  portRange,
  postgresUrl,
  proxyRanges,
  share,
  speechUrl,
  turnUrls,
} from './formats.ts'

export interface Setting {
  env: string
  /**
   * Type, bounds and default. `description` gives meaning, unit and consequence for `--help` and `.env.example`.
   * `Type.Optional` if there is no default.
   */
  schema: TSchema & { default?: string | number | boolean; description?: string }
  /** Parses a value that a schema cannot describe, including the default. Throws what it must be: "must be …". */
  parse?: (text: string) => unknown
  /** The default as shown to people, if it depends on the machine. */
  shownDefault?: string
  /** Never printed, not even in an error. */
  secret?: true
}

export const settings = {
  port: {
    env: 'PORT',
    schema: Type.Integer({
      minimum: 0,
      maximum: MAX_PORT,
      default: 9000,
      description: 'port of the HTTP listener',
    }),
  },
  host: {
    env: 'HOST',
    schema: Type.String({
      default: '127.0.0.1',
      description: 'address to listen on; 0.0.0.0 or :: accepts connections from other machines',
    }),
    parse: listenHost,
  },
  httpsPort: {
    env: 'HTTPS_PORT',
    schema: Type.Integer({
      minimum: 0,
      maximum: MAX_PORT,
      default: 9443,
      description: 'port of the HTTPS listener; published browser clients need it',
    }),
  },
  publicUrl: {
    env: 'PUBLIC_URL',
    schema: Type.Optional(
      Type.String({
        description: 'public address of this server, if a proxy is in front of it',
      }),
    ),
    parse: httpUrl,
  },
  embedOrigins: {
    env: 'EMBED_ORIGINS',
    schema: Type.String({
      default: '*',
      description:
        'origins that may show the page in a frame and command it, separated by commas, e.g. https://app.example; * for every origin, none for no other',
    }),
    parse: embedOrigins,
  },
  brandName: {
    env: 'BRAND_NAME',
    schema: Type.Optional(
      Type.String({
        description: 'name on the page and in its title, instead of Anteroom; docs/branding.md',
      }),
    ),
    parse: brandName,
  },
  brandLogo: {
    env: 'BRAND_LOGO',
    schema: Type.Optional(
      Type.String({
        description: 'file of the logo and icon: SVG, PNG, JPEG or WebP, at most 256 KiB; read at the start',
      }),
    ),
    parse: (text: string): string => resolve(text),
  },
  brandColour: {
    env: 'BRAND_COLOUR',
    schema: Type.Optional(
      Type.String({
        description:
          'colour of buttons and links, e.g. #0e6e64; each theme makes it darker or lighter until it can be read',
      }),
    ),
    parse: brandColour,
  },
  brandLinks: {
    env: 'BRAND_LINKS',
    schema: Type.String({
      default: '',
      description:
        'links on the page, as label=address separated by commas, e.g. Imprint=https://example.org/imprint,Help=mailto:help@example.org',
    }),
    parse: brandLinks,
  },
  trustedProxies: {
    env: 'TRUSTED_PROXIES',
    schema: Type.String({
      default: '',
      description:
        'addresses and CIDR ranges of proxies whose forwarding header is trusted, separated by commas',
    }),
    parse: proxyRanges,
  },
  trustedProxyHeader: {
    env: 'TRUSTED_PROXY_HEADER',
    schema: Type.Enum(['x-forwarded-for', 'forwarded'], {
      default: 'x-forwarded-for',
      description: 'the forwarding header of these proxies; all others are ignored',
    }),
  },
  domain: {
    env: 'DOMAIN',
    schema: Type.Optional(
      Type.String({
        description:
          'public name of this server, e.g. meet.example.org: gets a certificate for it by ACME and renews it; changes the defaults of HOST (every address), PORT (80), HTTPS_PORT (443), PUBLIC_URL and ANNOUNCED_ADDRESS',
      }),
    ),
    parse: domainName,
  },
  acmeDirectory: {
    env: 'ACME_DIRECTORY',
    schema: Type.String({
      default: 'https://acme-v02.api.letsencrypt.org/directory',
      description:
        'directory of the ACME server that issues the certificate of DOMAIN; with DOMAIN you agree to its terms',
    }),
    parse: acmeDirectory,
  },
  acmeEmail: {
    env: 'ACME_EMAIL',
    schema: Type.Optional(
      Type.String({ description: 'where the ACME server may write to about the certificate of DOMAIN' }),
    ),
    parse: acmeEmail,
  },
  acmeCa: {
    env: 'ACME_CA',
    schema: Type.Optional(
      Type.String({
        description: 'PEM file of authorities to trust for ACME_DIRECTORY, besides the known ones',
      }),
    ),
  },
  tlsCert: {
    env: 'TLS_CERT',
    schema: Type.Optional(
      Type.String({ description: 'PEM file of the certificate; default: a self-signed certificate' }),
    ),
  },
  tlsKey: {
    env: 'TLS_KEY',
    schema: Type.Optional(Type.String({ description: 'PEM file of its private key' })),
  },
  dataDir: {
    env: 'DATA_DIR',
    schema: Type.String({
      default: './data',
      description: 'folder of the database, the master key and the certificate',
    }),
    parse: (text: string): string => resolve(text),
  },
  databaseUrl: {
    env: 'DATABASE_URL',
    schema: Type.Optional(
      Type.String({
        description:
          'postgres://user:password@host:5432/database of PostgreSQL 14 or newer; default: SQLite in the data folder',
      }),
    ),
    parse: postgresUrl,
    secret: true,
  },
  masterKey: {
    env: 'MASTER_KEY',
    schema: Type.Optional(
      Type.String({
        description:
          '32 bytes in base64 or hex that seal secrets at rest; default: a file in the data folder',
      }),
    ),
    parse: masterKey,
    secret: true,
  },
  adminKey: {
    env: 'ADMIN_KEY',
    schema: Type.Optional(
      Type.String({
        description: 'key with which scripts manage this server; default: a file in the data folder',
      }),
    ),
    secret: true,
  },
  nodeAddress: {
    env: 'NODE_ADDRESS',
    schema: Type.Optional(
      Type.String({
        description:
          'IP address under which other nodes reach this one; makes this server one of several nodes over one PostgreSQL; needs DATABASE_URL, MASTER_KEY and ADMIN_KEY',
      }),
    ),
    parse: nodeAddress,
  },
  nodeId: {
    env: 'NODE_ID',
    schema: Type.Optional(
      Type.String({ description: 'name of this node among the others; default: NODE_ADDRESS' }),
    ),
    parse: nodeId,
  },
  clusterPort: {
    env: 'CLUSTER_PORT',
    schema: Type.Integer({
      minimum: 1,
      maximum: MAX_PORT,
      default: 9100,
      description: 'port on NODE_ADDRESS for the other nodes; never open it to the internet',
    }),
  },
  edges: {
    env: 'EDGES',
    schema: Type.Enum(['auto', 'spread', 'off'], {
      default: 'auto',
      description:
        'auto: a meeting that fills its share of a node goes on at other nodes; spread: the media of participants is at the node that they reached; off: a meeting stays on one node',
    }),
  },
  edgeShare: {
    env: 'EDGE_SHARE',
    schema: Type.Integer({
      minimum: 1,
      maximum: 100_000,
      default: 250,
      description:
        'with EDGES=auto, how many streams of one meeting a media worker of a node carries before the meeting goes on at another node',
    }),
  },
  pipePorts: {
    env: 'PIPE_PORTS',
    schema: Type.String({
      default: '41000-41999',
      description:
        'UDP ports on NODE_ADDRESS for media between nodes, as first-last; open them to the other nodes alone',
    }),
    parse: portRange,
  },
  clusterAlone: {
    env: 'CLUSTER_ALONE',
    schema: Type.Union([Type.Literal('suspend'), Type.Literal('stay')], {
      default: 'suspend',
      description:
        'what a node does with its meetings when it reaches neither the database nor any other node: let them go, as it may be the one that is cut off, or keep them, so that a failure of the database and of the last other node ends none; then a meeting may be in two halves until the network is repaired',
    }),
  },
  drainSeconds: {
    env: 'DRAIN_SECONDS',
    schema: Type.Integer({
      minimum: 0,
      maximum: 86_400,
      default: 0,
      description:
        'how long a node that is told to stop waits for its meetings to end before the last one moves to another node; 0: they move at once',
    }),
  },
  videosdkApiKey: {
    env: 'VIDEOSDK_API_KEY',
    schema: Type.Optional(
      Type.String({ description: 'an API key to accept, so that tokens minted elsewhere keep working' }),
    ),
  },
  videosdkSecretKey: {
    env: 'VIDEOSDK_SECRET_KEY',
    schema: Type.Optional(Type.String({ description: 'its secret' })),
    secret: true,
  },
  apiEndpoint: {
    env: 'VIDEOSDK_API_ENDPOINT',
    schema: Type.Optional(
      Type.String({ description: 'for "anteroom token-server": the meeting service that it calls' }),
    ),
    parse: httpUrl,
  },
  openGetToken: {
    env: 'OPEN_GET_TOKEN',
    schema: Type.Boolean({
      default: false,
      description: 'true: GET /get-token needs no credentials, from any machine',
    }),
  },
  allowTokensWithoutExpiry: {
    env: 'ALLOW_TOKENS_WITHOUT_EXPIRY',
    schema: Type.Boolean({ default: false, description: 'true: accept tokens without exp' }),
  },
  moderation: {
    env: 'MODERATION',
    schema: Type.Enum(['grant', 'open'], {
      default: 'grant',
      description: 'grant: moderating needs allow_mod; open: everybody moderates',
    }),
  },
  lobbyTimeoutSeconds: {
    env: 'LOBBY_TIMEOUT_SECONDS',
    schema: Type.Integer({
      minimum: 1,
      maximum: 86_400,
      default: 600,
      description: 'an unanswered entry request is denied after this',
    }),
  },
  joinTimeoutSeconds: {
    env: 'JOIN_TIMEOUT_SECONDS',
    schema: Type.Integer({
      minimum: 1,
      maximum: 3600,
      default: 60,
      description: 'an admitted connection that has not joined loses its seat after this',
    }),
  },
  sessionGraceSeconds: {
    env: 'SESSION_GRACE_SECONDS',
    schema: Type.Integer({
      minimum: 0,
      maximum: 86_400,
      default: 10,
      description: 'how long a session outlives its last participant',
    }),
  },
  mediaPort: {
    env: 'MEDIA_PORT',
    schema: Type.Integer({
      minimum: 1,
      maximum: MAX_PORT,
      default: 40_000,
      description: 'UDP and TCP port of the first media worker; the others follow',
    }),
  },
  mediaWorkers: {
    env: 'MEDIA_WORKERS',
    schema: Type.Integer({
      minimum: 1,
      maximum: 256,
      default: availableParallelism(),
      description: 'number of media workers',
    }),
    shownDefault: 'cores',
  },
  mediaTcpOnHttps: {
    env: 'MEDIA_TCP_ON_HTTPS',
    schema: Type.Boolean({
      default: false,
      description:
        'whether media over TCP also passes through the HTTPS port, for networks in which nothing else is open; not behind a proxy that does TLS',
    }),
  },
  mediaPlacement: {
    env: 'MEDIA_PLACEMENT',
    schema: Type.Enum(['auto', 'spread'], {
      default: 'auto',
      description:
        'auto: a meeting goes on to another media worker when it fills its share of one; spread: each participant goes where the meeting has fewest, for tests',
    }),
  },
  prepareMedia: {
    env: 'PREPARE_MEDIA',
    schema: Type.Boolean({
      default: true,
      description: 'whether the server downloads or builds a missing media worker in the background',
    }),
  },
  announcedAddresses: {
    env: 'ANNOUNCED_ADDRESS',
    schema: Type.Optional(
      Type.String({
        description:
          'IP addresses or host names to which clients send media, separated by commas; default: HOST, or the first address of the machine in each family, with DOMAIN the public one',
      }),
    ),
    parse: announcedAddresses,
  },
  turnUrls: {
    env: 'TURN_URLS',
    schema: Type.String({
      default: '',
      description: 'TURN servers for our own client, separated by commas; they need TURN_SECRET',
    }),
    parse: turnUrls,
  },
  turnSecret: {
    env: 'TURN_SECRET',
    schema: Type.Optional(
      Type.String({ description: 'secret shared with the TURN servers, for short-lived credentials' }),
    ),
    secret: true,
  },
  maxMessageBytes: {
    env: 'MAX_MESSAGE_BYTES',
    schema: Type.Integer({
      minimum: 16_384,
      maximum: 16_777_216,
      default: 262_144,
      description: 'largest message on a socket; a message four times as large ends the connection',
    }),
  },
  maxRequestsPerSecond: {
    env: 'MAX_REQUESTS_PER_SECOND',
    schema: Type.Integer({
      minimum: 1,
      maximum: 10_000,
      default: 50,
      description: 'requests of one connection, on average; bursts up to four times as many',
    }),
  },
  maxWaitingPerAddress: {
    env: 'MAX_WAITING_PER_ADDRESS',
    schema: Type.Integer({
      minimum: 1,
      maximum: 100_000,
      default: 50,
      description: 'connections of one address that are not admitted yet',
    }),
  },
  maxChecks: {
    env: 'MAX_CHECKS',
    schema: Type.Integer({
      minimum: 0,
      maximum: 1000,
      default: 4,
      description: 'checks of a connection by the page /check at the same time; 0 switches them off',
    }),
  },
  maxWhepViewers: {
    env: 'MAX_WHEP_VIEWERS',
    schema: Type.Integer({
      minimum: 0,
      maximum: 10_000,
      default: 200,
      description: 'programs that watch a meeting by WHEP at the same time; 0 switches WHEP off',
    }),
  },
  maxConnections: {
    env: 'MAX_CONNECTIONS',
    schema: Type.Integer({
      minimum: 10,
      maximum: 1_000_000,
      default: 10_000,
      description: 'connections in total, over both listeners',
    }),
  },
  maxConnectionsPerAddress: {
    env: 'MAX_CONNECTIONS_PER_ADDRESS',
    schema: Type.Integer({
      minimum: 1,
      maximum: 1_000_000,
      default: 1000,
      description: 'connections of one address; an IPv6 address counts by its /64',
    }),
  },
  maxHttpRequestsPerSecond: {
    env: 'MAX_HTTP_REQUESTS_PER_SECOND',
    schema: Type.Integer({
      minimum: 1,
      maximum: 1_000_000,
      default: 200,
      description:
        'requests of one address, on average; bursts up to four times as many; no limit if only this machine can reach the server',
    }),
  },
  maxKeyRequestsPerSecond: {
    env: 'MAX_KEY_REQUESTS_PER_SECOND',
    schema: Type.Integer({
      minimum: 1,
      maximum: 1_000_000,
      default: 500,
      description:
        'requests with tokens of one API key, on average; bursts up to four times as many; no limit if only this machine can reach the server',
    }),
  },
  maxFailedTokensPerMinute: {
    env: 'MAX_FAILED_TOKENS_PER_MINUTE',
    schema: Type.Integer({
      minimum: 1,
      maximum: 1_000_000,
      default: 120,
      description:
        'refused tokens, keys and secrets of one address; no limit if only this machine can reach the server',
    }),
  },
  maxEntryRequestsPerMinute: {
    env: 'MAX_ENTRY_REQUESTS_PER_MINUTE',
    schema: Type.Integer({
      minimum: 1,
      maximum: 1_000_000,
      default: 120,
      description: 'entry requests of one address; no limit if only this machine can reach the server',
    }),
  },
  maxMediaOpeningsPerMinute: {
    env: 'MAX_MEDIA_OPENINGS_PER_MINUTE',
    schema: Type.Integer({
      minimum: 10,
      maximum: 1_000_000,
      default: 120,
      description: 'streams and transports that one connection opens',
    }),
  },
  headersTimeoutSeconds: {
    env: 'HEADERS_TIMEOUT_SECONDS',
    schema: Type.Integer({
      minimum: 1,
      maximum: 3600,
      default: 10,
      description: 'how long a client may take to send the headers of a request',
    }),
  },
  requestTimeoutSeconds: {
    env: 'REQUEST_TIMEOUT_SECONDS',
    schema: Type.Integer({
      minimum: 1,
      maximum: 3600,
      default: 30,
      description: 'how long a request may take to arrive, its body included',
    }),
  },
  maxBodyBytes: {
    env: 'MAX_BODY_BYTES',
    schema: Type.Integer({
      minimum: 1_048_576,
      maximum: 17_179_869_184,
      default: 268_435_456,
      description: 'total size of request bodies over 16 KiB that arrive at the same time',
    }),
  },
  maxBodyBytesPerAddress: {
    env: 'MAX_BODY_BYTES_PER_ADDRESS',
    schema: Type.Integer({
      minimum: 262_144,
      maximum: 17_179_869_184,
      default: 16_777_216,
      description: 'the same for one address; a single body is always accepted',
    }),
  },
  maxEntryRequests: {
    env: 'MAX_ENTRY_REQUESTS',
    schema: Type.Integer({
      minimum: 1,
      maximum: 100_000,
      default: 100,
      description: 'entry requests of one meeting that wait at the same time',
    }),
  },
  maxParticipants: {
    env: 'MAX_PARTICIPANTS',
    schema: Type.Integer({
      minimum: 1,
      maximum: 100_000,
      default: 100,
      description: 'participants of one meeting',
    }),
  },
  maxProducers: {
    env: 'MAX_PRODUCERS',
    schema: Type.Integer({
      minimum: 1,
      maximum: 1000,
      default: 8,
      description: 'streams that one participant sends at the same time',
    }),
  },
  maxVideoStreams: {
    env: 'MAX_VIDEO_STREAMS',
    schema: Type.Integer({
      minimum: 1,
      maximum: 1000,
      default: 25,
      description:
        'cameras that one client of anteroom/client, which the page is, receives at once, the speakers first',
    }),
  },
  maxInvites: {
    env: 'MAX_INVITES',
    schema: Type.Integer({
      minimum: 1,
      maximum: 100_000,
      default: 1000,
      description: 'valid invites of one meeting',
    }),
  },
  maxStoreKeys: {
    env: 'MAX_STORE_KEYS',
    schema: Type.Integer({
      minimum: 1,
      maximum: 100_000,
      default: 2000,
      description: 'keys in the realtime store of one session, and the same number of observed keys',
    }),
  },
  maxChatMessageBytes: {
    env: 'MAX_CHAT_MESSAGE_BYTES',
    schema: Type.Integer({
      minimum: 1024,
      maximum: 1_048_576,
      default: 65_536,
      description: 'largest chat message, text and payload together',
    }),
  },
  maxChatMessagesPerSecond: {
    env: 'MAX_CHAT_MESSAGES_PER_SECOND',
    schema: Type.Integer({
      minimum: 1,
      maximum: 100_000,
      default: 20,
      description:
        'chat requests of one participant, and messages of one token over REST, on average; bursts up to four times as many',
    }),
  },
  maxChatTopics: {
    env: 'MAX_CHAT_TOPICS',
    schema: Type.Integer({
      minimum: 1,
      maximum: 100_000,
      default: 2000,
      description: 'chat topics of one session that have subscribers',
    }),
  },
  maxChatSubscriptions: {
    env: 'MAX_CHAT_SUBSCRIPTIONS',
    schema: Type.Integer({
      minimum: 1,
      maximum: 10_000,
      default: 100,
      description: 'chat topics that one participant subscribes to',
    }),
  },
  maxSessionChatBytes: {
    env: 'MAX_SESSION_CHAT_BYTES',
    schema: Type.Integer({
      minimum: 65_536,
      maximum: 10_737_418_240,
      default: 67_108_864,
      description: 'stored chat of one session; a message counts at least 256 bytes',
    }),
  },
  maxFileBytes: {
    env: 'MAX_FILE_BYTES',
    schema: Type.Integer({
      minimum: 0,
      maximum: 104_857_600,
      default: 5_242_880,
      description: 'largest file that is shared in a meeting, also in the chat of the page; 0: none',
    }),
  },
  maxSessionFileBytes: {
    env: 'MAX_SESSION_FILE_BYTES',
    schema: Type.Integer({
      minimum: 1024,
      maximum: 10_737_418_240,
      default: 104_857_600,
      description: 'all files of one session together',
    }),
  },
  maxFileUploadsPerMinute: {
    env: 'MAX_FILE_UPLOADS_PER_MINUTE',
    schema: Type.Integer({
      minimum: 1,
      maximum: 100_000,
      default: 30,
      description: 'files that one participant shares',
    }),
  },
  maxSessionFileUploadsPerMinute: {
    env: 'MAX_SESSION_FILE_UPLOADS_PER_MINUTE',
    schema: Type.Integer({
      minimum: 1,
      maximum: 100_000,
      default: 300,
      description: 'files that are shared in one session',
    }),
  },
  transcriptionUrl: {
    env: 'TRANSCRIPTION_URL',
    schema: Type.Optional(
      Type.String({
        description:
          'base of an OpenAI-compatible API that turns speech into text, ending in /v1; http only on this machine; default: no transcription',
      }),
    ),
    parse: speechUrl,
  },
  transcriptionApiKey: {
    env: 'TRANSCRIPTION_API_KEY',
    schema: Type.Optional(Type.String({ description: 'key for that API, sent as a bearer token' })),
    parse: bearerKey,
    secret: true,
  },
  transcriptionModel: {
    env: 'TRANSCRIPTION_MODEL',
    schema: Type.String({ default: 'whisper-1', description: 'model of that API that recognises speech' }),
  },
  transcriptionModelFolder: {
    env: 'TRANSCRIPTION_MODEL_FOLDER',
    schema: Type.Optional(
      Type.String({
        description:
          'folder with a speech model, which recognises on this machine by sherpa-onnx-node; with TRANSCRIPTION_URL too, that API writes summaries alone',
      }),
    ),
  },
  summaryModel: {
    env: 'SUMMARY_MODEL',
    schema: Type.Optional(
      Type.String({
        description: 'language model of that API that writes summaries of transcripts; default: no summaries',
      }),
    ),
  },
  maxCompositions: {
    env: 'MAX_COMPOSITIONS',
    schema: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 1000,
        description:
          'recordings, HLS and livestreams that are drawn at the same time; those of a meeting that look alike count once; default: one for each two cores, at least one',
      }),
    ),
  },
  maxJobs: {
    env: 'MAX_JOBS',
    schema: Type.Integer({
      minimum: 1,
      maximum: 64,
      default: 1,
      description: 'files that are merged or converted at the same time, at low priority; the others wait',
    }),
  },
  diskReserveMegabytes: {
    env: 'DISK_RESERVE_MEGABYTES',
    schema: Type.Integer({
      minimum: 0,
      maximum: 10_000_000,
      default: 500,
      description: 'what recordings leave free on the disk; they end there, playable',
    }),
  },
  chromiumBin: {
    env: 'CHROMIUM_BIN',
    schema: Type.Optional(
      Type.String({
        description: 'Chromium, which draws recordings, HLS and livestreams; default: the one in PATH',
      }),
    ),
  },
  ffmpegBin: {
    env: 'FFMPEG_BIN',
    schema: Type.Optional(
      Type.String({
        description: 'ffmpeg, with ffprobe beside it, which writes their files; default: the one in PATH',
      }),
    ),
  },
  filesUrl: {
    env: 'FILES_URL',
    schema: Type.Optional(
      Type.String({
        description:
          'where files of outputs are put when these have ended: file:///folder, or s3://bucket/prefix?region=…&endpoint=https://… of a store that speaks S3; default: they stay in the data folder',
      }),
    ),
    parse: filesUrl,
  },
  filesAccessKeyId: {
    env: 'FILES_ACCESS_KEY_ID',
    schema: Type.Optional(Type.String({ description: 'access key of that store' })),
    parse: bearerKey,
    secret: true,
  },
  filesSecretAccessKey: {
    env: 'FILES_SECRET_ACCESS_KEY',
    schema: Type.Optional(Type.String({ description: 'its secret' })),
    parse: bearerKey,
    secret: true,
  },
  outputsAllowPrivate: {
    env: 'OUTPUTS_ALLOW_PRIVATE',
    schema: Type.Boolean({
      default: false,
      description:
        'true: livestreams may go to private addresses, and a templateUrl may lead to them, for development',
    }),
  },
  statsIntervalSeconds: {
    env: 'STATS_INTERVAL_SECONDS',
    schema: Type.Integer({
      minimum: 0,
      maximum: 3600,
      default: 10,
      description: 'how often the quality of media is measured; 0: never',
    }),
  },
  statsRetentionDays: {
    env: 'STATS_RETENTION_DAYS',
    schema: Type.Integer({
      minimum: 0,
      maximum: 3650,
      default: 7,
      description: 'how long these measurements are kept; 0: for ever',
    }),
  },
  outputRetentionDays: {
    env: 'OUTPUT_RETENTION_DAYS',
    schema: Type.Integer({
      minimum: 0,
      maximum: 3650,
      default: 0,
      description: 'how long recordings, HLS and livestreams are kept after they ended; 0: for ever',
    }),
  },
  transcriptRetentionDays: {
    env: 'TRANSCRIPT_RETENTION_DAYS',
    schema: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 3650,
        description:
          'how long transcripts are kept after they ended; 0: for ever; default: as OUTPUT_RETENTION_DAYS',
      }),
    ),
  },
  retentionDays: {
    env: 'RETENTION_DAYS',
    schema: Type.Integer({
      minimum: 0,
      maximum: 3650,
      default: 90,
      description: 'how long records of sessions and expired invites are kept; 0: for ever',
    }),
  },
  chatRetentionDays: {
    env: 'CHAT_RETENTION_DAYS',
    schema: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 3650,
        description:
          'how long chat messages are kept, no longer than their session; 0: as long as it; default: as RETENTION_DAYS',
      }),
    ),
  },
  webhookRetentionDays: {
    env: 'WEBHOOK_RETENTION_DAYS',
    schema: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 3650,
        description:
          'how long webhook deliveries are kept after they were delivered or given up; 0: for ever; default: as RETENTION_DAYS',
      }),
    ),
  },
  usageRetentionDays: {
    env: 'USAGE_RETENTION_DAYS',
    schema: Type.Integer({
      minimum: 0,
      maximum: 3650,
      default: 0,
      description: 'how long the usage of each day and month is kept; 0: for ever',
    }),
  },
  oidcIssuer: {
    env: 'OIDC_ISSUER',
    schema: Type.Optional(
      Type.String({
        description: 'address of an OpenID Connect provider by which operators sign in to the dashboard',
      }),
    ),
    parse: oidcIssuer,
  },
  oidcClientId: {
    env: 'OIDC_CLIENT_ID',
    schema: Type.Optional(
      Type.String({ minLength: 1, description: 'the id of this server at the provider' }),
    ),
  },
  oidcClientSecret: {
    env: 'OIDC_CLIENT_SECRET',
    schema: Type.Optional(
      Type.String({ minLength: 1, description: 'its secret; none: a public client, which PKCE protects' }),
    ),
    secret: true,
  },
  oidcScopes: {
    env: 'OIDC_SCOPES',
    schema: Type.String({
      default: 'openid profile email',
      description: 'what the provider is asked for; with what puts the roles into the claim',
    }),
    parse: oidcScopes,
  },
  oidcRoleClaim: {
    env: 'OIDC_ROLE_CLAIM',
    schema: Type.String({
      minLength: 1,
      default: 'roles',
      description: 'the claim with the roles or groups of a person; dots lead into objects',
    }),
  },
  oidcRoles: {
    env: 'OIDC_ROLES',
    schema: Type.String({
      default: 'owner=owner,operator=operator,viewer=viewer',
      description:
        'value of the claim=role here, separated by commas; the highest counts, and whoever has none is refused',
    }),
    parse: oidcRoles,
  },
  oidcName: {
    env: 'OIDC_NAME',
    schema: Type.Optional(
      Type.String({ minLength: 1, maxLength: 60, description: 'name of the provider on the sign-in button' }),
    ),
  },
  auditRetentionDays: {
    env: 'AUDIT_RETENTION_DAYS',
    schema: Type.Integer({
      minimum: 0,
      maximum: 3650,
      default: 365,
      description: 'how long entries of the audit log are kept; 0: for ever',
    }),
  },
  webhookAllowPrivate: {
    env: 'WEBHOOK_ALLOW_PRIVATE',
    schema: Type.Boolean({
      default: false,
      description: 'true: webhooks may go to private addresses, for development',
    }),
  },
  webhookTimeoutSeconds: {
    env: 'WEBHOOK_TIMEOUT_SECONDS',
    schema: Type.Integer({
      minimum: 1,
      maximum: 60,
      default: 10,
      description: 'how long the receiver of a webhook may take to answer',
    }),
  },
  webhookRetryHours: {
    env: 'WEBHOOK_RETRY_HOURS',
    schema: Type.Integer({
      minimum: 0,
      maximum: 720,
      default: 24,
      description: 'how long delivery of an event is retried automatically',
    }),
  },
  metricsToken: {
    env: 'METRICS_TOKEN',
    schema: Type.Optional(
      Type.String({
        description:
          'bearer token for /metrics; without it, only the owner at this machine and the admin key can read metrics',
      }),
    ),
    parse: metricsToken,
    secret: true,
  },
  traceEndpoint: {
    env: 'OTEL_EXPORTER_OTLP_ENDPOINT',
    schema: Type.Optional(
      Type.String({
        description: 'OpenTelemetry collector that accepts traces by OTLP over HTTP; default: no tracing',
      }),
    ),
    parse: httpUrl,
  },
  traceHeaders: {
    env: 'OTEL_EXPORTER_OTLP_HEADERS',
    schema: Type.Optional(
      Type.String({ description: 'headers for the collector: name=value pairs, separated by commas' }),
    ),
    parse: headerPairs,
    secret: true,
  },
  traceService: {
    env: 'OTEL_SERVICE_NAME',
    schema: Type.String({ default: 'anteroom', description: 'name of this server in traces' }),
  },
  traceShare: {
    env: 'OTEL_TRACES_SAMPLER_ARG',
    schema: Type.String({
      default: '1',
      description: 'share of traces that are kept, from 0 to 1; an incoming traceparent overrides it',
    }),
    parse: share,
  },
  logLevel: {
    env: 'LOG_LEVEL',
    schema: Type.Enum(['silent', 'fatal', 'error', 'warn', 'info', 'debug', 'trace'], {
      default: 'info',
      description: 'how much is logged',
    }),
  },
  mediaLog: {
    env: 'MEDIA_LOG',
    schema: Type.String({
      default: 'error',
      description:
        'log level of the media workers: none, error, warn or debug; warn and debug take subjects after a colon, as in debug:ice,dtls',
    }),
    parse: mediaLog,
  },
  logFormat: {
    env: 'LOG_FORMAT',
    schema: Type.Enum(['auto', 'pretty', 'json'], {
      default: 'auto',
      description:
        'pretty: for people; json: one object per line; auto: pretty if standard output is a terminal, else json',
    }),
  },
} as const satisfies Record<string, Setting>

type Value<Row extends Setting> =
  | (Row extends { parse: (text: string) => infer Parsed } ? Parsed : Static<Row['schema']>)
  | (Row['schema'] extends { '~optional': true } ? undefined : never)

/** The value of each setting. */
export type Values = { -readonly [Name in keyof typeof settings]: Value<(typeof settings)[Name]> }

/** Each setting with its name in the program. */
export const settingRows: readonly (readonly [name: keyof Values, row: Setting])[] = Object.entries(
  settings,
) as [keyof Values, Setting][]
