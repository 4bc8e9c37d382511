/** What the environment may say, and the sentence for each thing it may not. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { ConfigError } from '../errors.ts'
import { describeSettings, envExample } from './describe.ts'
import { readConfig } from './read.ts'
import { assertPortsApart } from './safety.ts'
import { settingRows } from './settings.ts'

const refuses = (env: Record<string, string>): string => {
  try {
    readConfig(env)
  } catch (error) {
    assert.ok(error instanceof ConfigError)
    return error.message
  }
  throw new assert.AssertionError({ message: `accepted: ${JSON.stringify(env)}` })
}

const SECRET = 'Kx9-never-to-be-shown'
const wrong: [variable: string, values: string[]][] = [
  ['PORT', ['x', '-1', '65536', '1.5', '1e3', '0x10']],
  ['HTTPS_PORT', ['99999']],
  [
    'HOST',
    ['not a host', 'a..b', 'http://x', 'x'.repeat(300), '300.1.1.1', '1.2.3', '224.0.0.1', 'fe80::1%eth0'],
  ],
  [
    'PUBLIC_URL',
    [
      'meet.example',
      'ftp://meet.example',
      'ws://meet.example',
      'https:meet.example',
      'https://',
      'https://user:pass@meet.example',
      'https://user@meet.example',
      'https://meet.example/?x=1',
      'https://meet.example/?',
      'https://meet.example/#a',
      'https://meet.example#',
      'https://meet.example:99999',
      'https://300.1.1.1',
      'http://0.0.0.0:9000',
      'http://0:9000',
      'http://[::]:9000',
      'http://[fe80::1]',
      'http://224.0.0.1',
    ],
  ],
  ['VIDEOSDK_API_ENDPOINT', ['api.example', 'file:///etc', 'https://api.example/?x=1']],
  ['OPEN_GET_TOKEN', ['yes', 'TRUE', 'on', '2']],
  ['ALLOW_TOKENS_WITHOUT_EXPIRY', ['maybe']],
  [
    'TRUSTED_PROXIES',
    ['example.org', '10.0.0.0/33', '2001:db8::/129', '10.0.0/8', '10.0.0.0/', '1.2.3.4/8/8'],
  ],
  ['TRUSTED_PROXY_HEADER', ['x-real-ip']],
  ['MAX_CONNECTIONS_PER_ADDRESS', ['0']],
  ['OTEL_EXPORTER_OTLP_ENDPOINT', ['collector:4318', 'grpc://collector:4317', 'http://a:b@collector']],
  ['OTEL_EXPORTER_OTLP_HEADERS', ['authorization', '=value', 'a=b,', 'a b=c', 'a=%', 'a=%0d%0ab']],
  ['OTEL_TRACES_SAMPLER_ARG', ['-0.1', '1.5', '2', 'half', '1e-3', '.']],
  ['MODERATION', ['none', 'Open']],
  [
    'FILES_URL',
    [
      'recordings',
      'https://bucket.s3.amazonaws.com',
      'file://host/folder',
      'file:folder',
      's3:bucket',
      's3://',
      's3://AKIA:secret@bucket',
      's3://Bucket_1',
      's3://bucket:9000',
      's3://bucket/../other',
      's3://bucket/a//b',
      's3://bucket/.hidden',
      's3://bucket?region=EU_1',
      's3://bucket?endpoint=minio:9000',
      's3://bucket?endpoint=http://a:b@minio:9000',
      's3://bucket?pathStyle=yes',
      's3://bucket?secretAccessKey=Kx9-never-to-be-shown',
      's3://bucket#x',
    ],
  ],
  [
    'TRANSCRIPTION_URL',
    [
      'api.example/v1',
      'http://api.example/v1',
      'http://192.168.1.5/v1',
      'https://api.example',
      'https://api.example/v1/audio',
      'https://key@api.example/v1',
      'https://api.example/v1?key=1',
    ],
  ],
  ['TRANSCRIPTION_API_KEY', ['two words', 'line\nbreak']],
  ['LOBBY_TIMEOUT_SECONDS', ['0', '86401', 'ten']],
  ['JOIN_TIMEOUT_SECONDS', ['0', '3601']],
  ['SESSION_GRACE_SECONDS', ['-1']],
  ['CHAT_RETENTION_DAYS', ['-1', '3651', 'week']],
  ['WEBHOOK_RETENTION_DAYS', ['-1', '3651']],
  ['TRANSCRIPT_RETENTION_DAYS', ['-1', '1.5']],
  ['USAGE_RETENTION_DAYS', ['-1', '3651']],
  ['MEDIA_PORT', ['0', '70000']],
  ['MEDIA_WORKERS', ['0', '257']],
  ['MEDIA_LOG', ['verbose', 'debug:', 'debug:ice,', 'debug:ice:dtls', 'debug:tcp', 'warn ice']],
  [
    'ANNOUNCED_ADDRESS',
    [
      'no address',
      '300.1.1.1',
      '1.2.3',
      '01.2.3.4',
      '0.0.0.0',
      '::',
      '0.1.2.3',
      '224.0.0.1',
      'ff02::1',
      '169.254.1.1',
      'fe80::1',
      'fe80::1%eth0',
      '255.255.255.255',
      '240.0.0.1',
      '::ffff:192.0.2.1',
      '[fd00::2]',
      '192.0.2.1:40000',
      'a..b',
      '-a.example',
    ],
  ],
  [
    'TURN_URLS',
    [
      'https://turn.example',
      'turn.example',
      'turn://turn.example',
      'turn:',
      'turn:a b',
      'turn:user@turn.example',
      'turn:turn.example:0',
      'turn:turn.example:65536',
      'turn:turn.example?transport=sctp',
      'stun:turn.example?transport=udp',
      'turn:300.1.1.1',
      'turn:0.0.0.0',
      'turn:[::]',
      'turn:::1',
      'turn:[meet.example]',
      'turn:good.example,turn.example',
    ],
  ],
  ['MAX_MESSAGE_BYTES', ['1', '99999999999']],
  ['MAX_PARTICIPANTS', ['0']],
  ['MAX_CHAT_MESSAGE_BYTES', ['10']],
  ['LOG_LEVEL', ['loud']],
  ['LOG_FORMAT', ['text', 'JSON']],
]
for (const [variable, values] of wrong) {
  test(`${variable} with an invalid value is named in one sentence`, () => {
    for (const value of values) {
      const sentence = refuses({ [variable]: value })
      assert.ok(sentence.startsWith(`${variable} `), sentence)
      assert.equal(sentence.split('\n').length, 1)
    }
  })
}

test('an error does not show a wrong secret', () => {
  const sentence = refuses({ MASTER_KEY: SECRET })
  assert.match(sentence, /^MASTER_KEY must be 32 bytes/)
  assert.equal(sentence.includes(SECRET), false)
})

test('a misspelt setting stops the start and is corrected', () => {
  assert.match(refuses({ ANTEROOM_PORT: '1' }), /ANTEROOM_PORT is an unknown setting/)
  assert.match(refuses({ LOBBY_TIMEOUT_SECOND: '1' }), /did you mean LOBBY_TIMEOUT_SECONDS\?/)
  assert.match(refuses({ MEDIA_WORKER: '1' }), /did you mean MEDIA_WORKERS\?/)
  assert.match(refuses({ VIDEOSDK_SECRETKEY: 'x' }), /did you mean VIDEOSDK_SECRET_KEY\?/)
  assert.match(refuses({ MAX_PARTICPANT: '1' }), /did you mean MAX_PARTICIPANTS\?/)
  assert.match(refuses({ ANTEROOM_MEDIA_PORT: '1' }), /did you mean MEDIA_PORT\?/)
})

test('variables of other programs are ignored, even if their names are short or similar', () => {
  for (const variable of [
    ...['HOME', 'PATH', 'POST', 'HOSTS', 'MEDIA_ROOT', 'MEDIA_URL', 'HTTP_PORT', 'HTTPS_HOST', 'HTTPS_PROXY'],
    ...[
      'VIDEOSDK_TOKEN',
      'VIDEOSDK_SECRET',
      'TURN_USER',
      'WEBHOOK_HOST',
      'LOG_FILE',
      'PUBLIC_DIR',
      'MAX_MEMORY',
    ],
  ])
    assert.doesNotThrow(() => readConfig({ [variable]: 'x' }), variable)
})

test('each default is valid for its own row', () => {
  for (const [name, { env, schema, shownDefault }] of settingRows)
    if (schema.default !== undefined && schema.default !== '' && shownDefault === undefined)
      assert.doesNotThrow(() => readConfig({ [env]: String(schema.default) }), name)
})

test('chat cannot be kept longer than its session', () => {
  assert.match(
    refuses({ CHAT_RETENTION_DAYS: '91' }),
    /^CHAT_RETENTION_DAYS is 91, but RETENTION_DAYS deletes sessions with their chat after 90 days: choose 90 or less/,
  )
  for (const fine of [
    { CHAT_RETENTION_DAYS: '90' },
    { CHAT_RETENTION_DAYS: '0' },
    { CHAT_RETENTION_DAYS: '3650', RETENTION_DAYS: '0' },
  ])
    readConfig(fine)
})

test('settings that belong together must be set together', () => {
  assert.match(refuses({ VIDEOSDK_API_KEY: 'k' }), /VIDEOSDK_SECRET_KEY is not: set both or neither/)
  assert.match(refuses({ VIDEOSDK_SECRET_KEY: SECRET }), /VIDEOSDK_API_KEY is not/)
  assert.match(refuses({ TURN_URLS: 'turn:turn.example' }), /set TURN_SECRET/)
  assert.doesNotThrow(() => readConfig({ TURN_URLS: 'stun:stun.example' }))
  assert.match(refuses({ TLS_CERT: 'cert.pem' }), /TLS_CERT and TLS_KEY belong together/)
  assert.match(refuses({ MEDIA_PORT: '65535', MEDIA_WORKERS: '2' }), /^MEDIA_PORT .*65534 or less/)
})

test('a weak or sample secret is accepted on loopback only', () => {
  for (const secret of ['changeme', 'short-but-random-9f3k', 'x'.repeat(40)]) {
    const env = { VIDEOSDK_API_KEY: 'k', VIDEOSDK_SECRET_KEY: secret }
    assert.match(refuses({ ...env, HOST: '0.0.0.0' }), /^VIDEOSDK_SECRET_KEY is too weak/)
    assert.equal(refuses({ ...env, HOST: '0.0.0.0' }).includes(secret), false)
    assert.doesNotThrow(() => readConfig({ ...env, HOST: '127.0.0.1' }))
    assert.match(refuses({ ADMIN_KEY: secret, HOST: '0.0.0.0' }), /^ADMIN_KEY is too weak/)
    assert.doesNotThrow(() => readConfig({ ADMIN_KEY: secret }))
  }
})

test('without any variable, all settings have safe values and are frozen', () => {
  const config = readConfig({})
  assert.equal(config.host, '127.0.0.1')
  assert.deepEqual([config.port, config.httpsPort, config.mediaPort], [9000, 9443, 40_000])
  assert.deepEqual([config.openGetToken, config.allowTokensWithoutExpiry], [false, false])
  assert.equal(config.moderation, 'grant')
  assert.equal(config.apiKey, undefined)
  assert.ok(Object.isFrozen(config))
  // An empty value counts as unset.
  assert.deepEqual(readConfig({ PORT: '', MASTER_KEY: ' ' }), config)
})

test('a server that only this machine can reach has no rate limits, except those that are set', () => {
  const [own, named] = [readConfig({}), readConfig({ MAX_FAILED_TOKENS_PER_MINUTE: '7' })]
  assert.deepEqual(
    [own.maxHttpRequestsPerSecond, own.maxKeyRequestsPerSecond, own.maxFailedTokensPerMinute],
    [1_000_000, 1_000_000, 1_000_000],
  )
  assert.deepEqual([named.maxFailedTokensPerMinute, named.maxEntryRequestsPerMinute], [7, 1_000_000])
  for (const reached of [
    { HOST: '0.0.0.0' },
    { PUBLIC_URL: 'https://meet.example' },
    { TRUSTED_PROXIES: '127.0.0.1' },
  ]) {
    const { maxHttpRequestsPerSecond, maxFailedTokensPerMinute } = readConfig(reached)
    assert.deepEqual([maxHttpRequestsPerSecond, maxFailedTokensPerMinute], [200, 120])
  }
})

test('a node needs what all nodes share, and an address of one machine', () => {
  const whole = {
    NODE_ADDRESS: '127.0.0.2',
    DATABASE_URL: 'postgres://a:b@127.0.0.1/c',
    MASTER_KEY: Buffer.alloc(32, 7).toString('hex'),
    ADMIN_KEY: SECRET,
  }
  const { nodeAddress, nodeId, clusterPort } = readConfig(whole)
  assert.deepEqual([nodeAddress, nodeId, clusterPort], ['127.0.0.2', undefined, 9100])
  for (const variable of ['DATABASE_URL', 'MASTER_KEY', 'ADMIN_KEY'])
    assert.match(
      refuses({ ...whole, [variable]: '' }),
      new RegExp(`^NODE_ADDRESS is set but ${variable} is not: `),
    )
  for (const address of ['0.0.0.0', '::', 'node-1', '127.0.0.2:9100', '[::1]', '224.0.0.1'])
    assert.match(
      refuses({ ...whole, NODE_ADDRESS: address }),
      /^NODE_ADDRESS must be the bare IP address of one machine/,
    )
  assert.match(refuses({ NODE_ID: 'one' }), /^NODE_ID is set but NODE_ADDRESS is not: /)
  assert.match(refuses({ DRAIN_SECONDS: '60' }), /^DRAIN_SECONDS is set but NODE_ADDRESS is not: /)
  assert.match(refuses({ ...whole, DRAIN_SECONDS: '-1' }), /^DRAIN_SECONDS must /)
  assert.match(refuses({ ...whole, NODE_ID: 'a b' }), /^NODE_ID must be /)
})

test('values are read with their types', () => {
  const key = Buffer.alloc(32, 7)
  const config = readConfig({
    PORT: '8080',
    PUBLIC_URL: 'https://meet.example/rooms/',
    MASTER_KEY: key.toString('base64'),
    TURN_URLS: 'turn:a.example:3478, turns:b.example',
    TURN_SECRET: SECRET,
    OPEN_GET_TOKEN: 'true',
  })
  assert.equal(config.port, 8080)
  assert.equal(config.publicUrl, 'https://meet.example/rooms')
  assert.deepEqual(config.masterKey, key)
  assert.deepEqual(config.turnUrls, ['turn:a.example:3478', 'turns:b.example'])
  assert.deepEqual(readConfig({ MASTER_KEY: key.toString('hex') }).masterKey, key)
  for (const [given, read] of [
    ['http://localhost:9000', 'http://localhost:9000'],
    ['HTTPS://Meet.Example/', 'https://meet.example'],
    ['https://meet.example:443//', 'https://meet.example'],
    ['https://meet.example/a/../rooms//', 'https://meet.example/rooms'],
    ['https://b\u00fccher.example', 'https://xn--bcher-kva.example'],
    ['http://my_app:9000', 'http://my_app:9000'],
    ['http://[2001:db8::1]:9000', 'http://[2001:db8::1]:9000'],
  ] as const)
    assert.equal(readConfig({ PUBLIC_URL: given }).publicUrl, read)
  for (const url of [
    'turn:192.0.2.1',
    'turn:[2001:db8::1]:3478',
    'turns:turn.example:5349?transport=tcp',
    'turn:coturn_1?transport=udp',
    'stun:stun.example:19302',
  ])
    assert.deepEqual(readConfig({ TURN_URLS: url, TURN_SECRET: SECRET }).turnUrls, [url])
  for (const address of ['192.0.2.1', 'fd00::2', '127.0.0.1', 'meet.example', 'meet.example.', 'app_1'])
    assert.deepEqual(readConfig({ ANNOUNCED_ADDRESS: address }).announcedAddresses, [address])
  for (const address of ['0.0.0.0', '::', '::1', 'localhost', '192.0.2.1', 'fd00::2', 'app_1'])
    assert.equal(readConfig({ HOST: address }).host, address)
})

test('two listeners with the same port are named', () => {
  const sentence = (env: Record<string, string>): string => {
    try {
      assertPortsApart(readConfig({ MEDIA_WORKERS: '4', ...env }))
    } catch (error) {
      assert.ok(error instanceof ConfigError)
      return error.message
    }
    return ''
  }
  assert.match(sentence({ PORT: '9443' }), /^PORT and HTTPS_PORT are both 9443/)
  assert.match(sentence({ PORT: '40000' }), /^PORT is 40000, which is one of the 4 media ports/)
  assert.match(sentence({ HTTPS_PORT: '40003' }), /^HTTPS_PORT is 40003/)
  assert.equal(sentence({ HTTPS_PORT: '40004' }), '')
  assert.equal(sentence({ PORT: '0', HTTPS_PORT: '0' }), '')
})

test('.env.example and --help list all settings', async () => {
  assert.equal(await readFile(new URL('../../.env.example', import.meta.url), 'utf8'), envExample())
  for (const name of envExample().matchAll(/^# ([A-Z_]+)=/gm))
    assert.ok(describeSettings().includes(name[1]!))
})

test('a store of files is a folder, or a bucket with its region or endpoint', () => {
  const keys = { FILES_ACCESS_KEY_ID: 'id', FILES_SECRET_ACCESS_KEY: SECRET }
  const read = (FILES_URL: string) => {
    const isFolder = !FILES_URL.startsWith('s3:')
    const place = readConfig({ FILES_URL, ...(!isFolder && keys) }).filesUrl!
    assert.equal(String(place), FILES_URL)
    return JSON.parse(JSON.stringify(place)) as unknown
  }
  assert.deepEqual(read('/srv/recordings/'), { kind: 'folder', folder: '/srv/recordings' })
  assert.deepEqual(read('file:///srv/all%20recordings'), { kind: 'folder', folder: '/srv/all recordings' })
  assert.deepEqual(read('s3://my.bucket/a/b/?region=eu-central-1'), {
    kind: 's3',
    bucket: 'my.bucket',
    prefix: 'a/b',
    endpoint: 'https://s3.eu-central-1.amazonaws.com',
    region: 'eu-central-1',
    pathStyle: false,
  })
  assert.deepEqual(read('s3://bucket?endpoint=http://minio:9000/'), {
    kind: 's3',
    bucket: 'bucket',
    prefix: '',
    endpoint: 'http://minio:9000',
    region: 'us-east-1',
    pathStyle: true,
  })
  assert.match(refuses({ FILES_URL: 's3://bucket' }), /FILES_ACCESS_KEY_ID is not set/)
  assert.match(
    refuses({ FILES_URL: '/srv', ...keys }),
    /^FILES_ACCESS_KEY_ID is set but FILES_URL names no store/,
  )
  assert.ok(!refuses({ FILES_URL: `s3://bucket?secret=${SECRET}` }).includes(SECRET))
})

test('EMBED_ORIGINS takes origins and nothing that would end the header', () => {
  for (const wrong of [
    'app.example',
    'https://app.example/path',
    'https://app.example; script-src *',
    "'self'",
    'ftp://app.example',
    '*, https://app.example',
    'none, https://app.example',
    'https://user@app.example',
    'https://*.app.example',
    ' , ',
  ])
    assert.throws(() => readConfig({ EMBED_ORIGINS: wrong }), /EMBED_ORIGINS/, wrong)
  assert.deepEqual(readConfig({}).embedOrigins, ['*'])
  assert.deepEqual(readConfig({ EMBED_ORIGINS: 'none' }).embedOrigins, [])
  assert.deepEqual(
    readConfig({ EMBED_ORIGINS: 'https://App.example:443, http://localhost:5173' }).embedOrigins,
    ['https://app.example', 'http://localhost:5173'],
  )
})
