/** The data for monitoring. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { createFakeSfu } from '../src/media/fake/sfu.ts'
import { sampleRtpParameters } from './support/rtp-samples.ts'
import { ADMIN_KEY, TestServer } from './support/test-server.ts'

const SCRAPER = 'a-token-for-scrapers-0001'

let server: TestServer

before(async () => {
  server = await TestServer.start({ metricsToken: SCRAPER, sessionGraceSeconds: 0 })
})
after(() => server.stop())

async function scrape(): Promise<string> {
  const answer = await fetch(`${server.url}/metrics`, { headers: { authorization: `Bearer ${SCRAPER}` } })
  assert.equal(answer.status, 200)
  assert.match(answer.headers.get('content-type')!, /^text\/plain; version=0\.0\.4/)
  return answer.text()
}

/** The value of a series, by its name and labels in the text; 0 if it does not exist yet. */
async function valueOf(series: string): Promise<number> {
  const line = (await scrape()).split('\n').find((one) => one.startsWith(`${series} `))
  return line === undefined ? 0 : Number(line.slice(series.length + 1))
}

/** Returns the status, and which pages may read the answer. */
async function ask(url: string, headers: Record<string, string> = {}): Promise<[number, string | null]> {
  const answer = await fetch(`${url}/metrics`, { headers })
  await answer.body?.cancel()
  return [answer.status, answer.headers.get('access-control-allow-origin')]
}

test('a metrics token that is set is always required, and no web page elsewhere can read the metrics', async () => {
  assert.deepEqual(await ask(server.url), [401, null])
  assert.deepEqual(await ask(server.url, { authorization: 'Bearer a-token-for-scrapers-0002' }), [401, null])
  assert.deepEqual(await ask(server.url, { authorization: `Bearer ${SCRAPER}` }), [200, null])
  assert.deepEqual(await ask(server.url, { authorization: `Bearer ${ADMIN_KEY}` }), [200, null])
})

test('without a metrics token only this machine reads the metrics, and only our own web pages', async () => {
  const open = await TestServer.start()
  try {
    const page = { origin: 'http://localhost:3000' }
    assert.deepEqual(await ask(open.url), [200, null])
    assert.deepEqual(await ask(open.url, page), [401, null])
    assert.deepEqual(await ask(open.url, { ...page, authorization: `Bearer ${ADMIN_KEY}` }), [200, null])
    assert.deepEqual(await ask(open.url, { 'x-forwarded-for': '127.0.0.1' }), [401, null])
  } finally {
    await open.stop()
  }
  const proxied = await TestServer.start({ trustedProxies: ['127.0.0.1'] })
  try {
    assert.deepEqual(await ask(proxied.url), [401, null])
  } finally {
    await proxied.stop()
  }
})

test('metrics count people inside, waiting, refused and gone', async () => {
  const meetingId = await server.createMeeting()
  const host = server.connect({ token: server.token(['allow_join']), meetingId, participantId: 'host' })
  const direct = await valueOf('anteroom_join_seconds_count{entry="direct"}')
  await host.join()
  const guest = server.connect({ token: server.token(['ask_join']), meetingId, participantId: 'guest' })
  await guest.enter()
  await host.hears('entryRequested')
  assert.equal(await valueOf('anteroom_meetings'), 1)
  assert.equal(await valueOf('anteroom_participants'), 1)
  assert.equal(await valueOf('anteroom_entry_requests'), 1)
  assert.equal(await valueOf('anteroom_sockets{kind="meeting"}'), 2)
  assert.equal(await valueOf('anteroom_join_seconds_count{entry="direct"}'), direct + 1)

  await host.request('respondEntry', { id: 'guest', decision: 'allowed' })
  await guest.hears('entryResponded')
  await guest.finishJoin()
  assert.equal(await valueOf('anteroom_participants'), 2)
  assert.equal(await valueOf('anteroom_entry_requests'), 0)
  assert.equal(await valueOf('anteroom_join_seconds_count{entry="admitted"}'), 1)

  const denied = server.connect({ token: server.token(['ask_join']), meetingId, participantId: 'denied' })
  await denied.enter()
  await host.hears('entryRequested', ({ id }) => id === 'denied')
  await host.request('respondEntry', { id: 'denied', decision: 'denied' })
  await denied.gone()
  assert.equal(await valueOf('anteroom_refusals_total{door="socket",code="ENTRY_DENIED"}'), 1)

  const forged = server.connect({ token: 'junk', meetingId, participantId: 'forged' })
  await forged.gone()
  assert.equal(await valueOf('anteroom_refusals_total{door="socket",code="INVALID_TOKEN"}'), 1)
  const twice = server.connect({ token: server.token(['ask_join', 'allow_mod']), meetingId })
  await twice.gone()
  assert.equal(await valueOf('anteroom_refusals_total{door="socket",code="INVALID_PERMISSIONS"}'), 1)

  const ended = server.sessionEnded(meetingId)
  const { status } = await server.rest(
    'POST',
    '/v2/sessions/end',
    { roomId: meetingId },
    server.token(['allow_join', 'allow_mod']),
  )
  assert.equal(status, 200)
  await ended
  assert.equal(await valueOf('anteroom_participants'), 0)
  assert.equal(await valueOf('anteroom_meetings'), 0)
})

test('requests are counted by route and status, and no label contains an id', async () => {
  const meetingId = await server.createMeeting({ customRoomId: 'a-customers-own-id' })
  const series = 'anteroom_http_requests_total{method="GET",route="/v2/rooms/:id",status="200"}'
  const there = await valueOf(series)
  await server.rest('GET', `/v2/rooms/${meetingId}`)
  await server.rest('GET', '/v2/rooms/a-customers-own-id')
  assert.equal(await valueOf(series), there + 2)
  for (const path of ['/nowhere', '/nowhere/else', '/v2/nothing']) await server.rest('GET', path)
  const text = await scrape()
  // Usage is shown per API key, as soon as it is counted.
  const others = text.split('\n').filter((line) => !line.startsWith('anteroom_usage_'))
  assert.doesNotMatch(others.join('\n'), /a-customers-own-id|nowhere|test-key|guest/)
  assert.ok(!text.includes(meetingId))
  assert.match(text, /anteroom_http_requests_total\{method="GET",route="none",status="404"\} 3/)
  assert.match(text, /anteroom_refusals_total\{door="http",code="NOT_FOUND"\} 3/)
  assert.ok((await valueOf('anteroom_store_writes_total')) > 0)
  assert.ok((await valueOf('anteroom_store_commit_seconds_count')) > 0)
})

test('every metric of the sample Grafana dashboard exists', async () => {
  const text = await scrape()
  const dashboard = await readFile(new URL('../docs/grafana-dashboard.json', import.meta.url), 'utf8')
  const named = new Set(dashboard.match(/\b(anteroom|process|nodejs)_[a-z_]+/g))
  assert.ok(named.size >= 15, 'the dashboard shows what there is')
  for (const name of named) {
    const metric = name.replace(/_(bucket|sum|count)$/, '')
    assert.ok(text.includes(`# TYPE ${name} `) || text.includes(`# TYPE ${metric} histogram`), name)
  }
})

test('the Prometheus rules are the alarms of docs/operating.md, and use existing metrics', async () => {
  const read = (name: string): Promise<string> =>
    readFile(new URL(`../docs/${name}`, import.meta.url), 'utf8')
  const [rules, operating, text] = [
    await read('prometheus-alerts.yaml'),
    await read('operating.md'),
    await scrape(),
  ]
  const conditions = [...rules.matchAll(/^ +expr: '(.+)'$/gm)].map(([, condition]) => condition!)
  assert.equal(conditions.length, rules.split('- alert:').length - 1)
  assert.ok(conditions.length >= 15)
  for (const condition of conditions) {
    assert.ok(operating.includes(`| \`${condition}\``), condition)
    for (const [name] of condition.matchAll(/\b(anteroom|process)_[a-z_]+/g)) {
      const metric = name.replace(/_bucket$/, '')
      assert.ok(text.includes(`# TYPE ${metric} `), name)
    }
  }
})

/** The status of the workers of one meeting with this many members each. */
function workersOf(members: number[], more: Record<string, number>[] = []): object[] {
  return members.map((count, index) => ({
    index,
    port: 40_000 + index,
    cpuPercent: 0,
    routers: 1,
    members: count,
    producers: 0,
    consumers: 0,
    pipesIn: 0,
    pipesOut: 0,
    ...more[index],
  }))
}

test('the current state and the last minutes are shown to the operator only', async () => {
  for (const path of ['/v2/admin/status', '/v2/admin/history']) {
    assert.equal((await fetch(server.url + path)).status, 401, path)
    assert.equal((await server.rest('GET', path)).status, 401, path)
  }
  const get = async (path: string): Promise<any> => {
    const answer = await fetch(server.url + path, { headers: { authorization: `Bearer ${ADMIN_KEY}` } })
    assert.equal(answer.status, 200)
    return answer.json()
  }
  const meetingId = await server.createMeeting()
  const guest = server.connect({ token: server.token(['allow_join']), meetingId })
  await guest.join()
  const { startedAt, uptimeSeconds, memoryBytes, eventLoopLagMs, version, alerts, certificate, ...status } =
    await get('/v2/admin/status')
  assert.deepEqual(status, {
    state: 'serving',
    meetings: 1,
    participants: 1,
    entryRequests: 0,
    media: {
      available: true,
      workersWanted: server.config.mediaWorkers,
      placement: 'auto',
      workers: workersOf([1]),
    },
    store: { available: true },
    webhooks: { waiting: 0, parked: 0, oldestAt: null },
  })
  assert.match(version, /^\d+\.\d+\.\d+/)
  assert.equal(certificate.source, 'self-signed')
  // The machine may be busy and its disk nearly full, and the media server of the tests has fewer workers than wanted.
  assert.deepEqual(
    alerts.filter(({ name }: { name: string }) => !['disk', 'overload', 'workers'].includes(name)),
    [],
  )
  const text = await scrape()
  for (const name of ['clock', 'webhooks', 'store', 'certificate', 'node'])
    assert.ok(text.includes(`anteroom_alert{name="${name}"} 0\n`), name)
  assert.ok(startedAt <= Date.now() && uptimeSeconds >= 0 && memoryBytes > 0 && eventLoopLagMs >= 0)

  assert.deepEqual(await get('/v2/admin/history'), { data: [] })
  const refused = await fetch(`${server.url}/v2/admin/history?from=2&to=1`, {
    headers: { authorization: `Bearer ${ADMIN_KEY}` },
  })
  assert.equal(refused.status, 400)
  guest.close()
})

test('a meeting on several media workers is counted on each of them', async () => {
  const wide = await TestServer.start(
    { mediaWorkers: 3, mediaPlacement: 'spread' },
    { sfu: createFakeSfu({ workers: 2, placement: 'spread' }) },
  )
  try {
    const meetingId = await wide.createMeeting()
    const people = Array.from({ length: 3 }, () =>
      wide.connect({ token: wide.token(['allow_join']), meetingId }),
    )
    for (const person of people) await person.join()
    const { transports } = people[0]!
    await people[0]!.request('produce', {
      transportId: transports.send,
      kind: 'audio',
      rtpParameters: sampleRtpParameters('audio'),
    })
    const read = async (path: string): Promise<Response> =>
      fetch(wide.url + path, { headers: { authorization: `Bearer ${ADMIN_KEY}` } })
    const status = async (): Promise<{ media: object }> => (await read('/v2/admin/status')).json()
    const expected = workersOf(
      [2, 1],
      [
        // The first member sends; one receives on each worker, and the other worker gets the stream once.
        { producers: 1, consumers: 1, pipesOut: 1 },
        { consumers: 1, pipesIn: 1 },
      ],
    )
    while (JSON.stringify(await status()).split('"consumers":1').length < 3) await delay(10)
    assert.deepEqual((await status()).media, {
      available: true,
      workersWanted: 3,
      placement: 'spread',
      workers: expected,
    })
    const text = await (await read('/metrics')).text()
    for (const line of [
      'anteroom_media_workers_wanted 3',
      'anteroom_media_placement{placement="spread"} 1',
      'anteroom_media_worker_members{worker="0"} 2',
      'anteroom_media_worker_streams{worker="0",direction="in"} 1',
      'anteroom_media_worker_streams{worker="1",direction="out"} 1',
      'anteroom_media_worker_pipes{worker="0",direction="out"} 1',
      'anteroom_media_worker_pipes{worker="1",direction="in"} 1',
    ])
      assert.ok(text.includes(`${line}\n`), line)
    const inspected = await (await read(`/v2/admin/debug/meetings/${meetingId}`)).json()
    const workers = inspected.members.map((member: { transports: { worker: number }[] }) =>
      member.transports.map(({ worker }) => worker),
    )
    assert.deepEqual(workers, [
      [0, 0],
      [1, 1],
      [0, 0],
    ])
  } finally {
    await wide.stop()
  }
})

test('the server is live, and ready until media is off', async () => {
  const live = await fetch(`${server.url}/health/live`)
  assert.deepEqual([live.status, await live.json()], [200, { status: 'ok' }])
  const ready = await fetch(`${server.url}/health/ready`)
  assert.deepEqual([ready.status, await ready.json()], [200, { ready: true, missing: [], troubled: [] }])

  const deaf = await TestServer.start(
    {},
    { sfu: createFakeSfu({ unavailable: 'Media is off: there is no worker.' }) },
  )
  try {
    const answer = await fetch(`${deaf.url}/health/ready`)
    assert.equal(answer.status, 503)
    assert.deepEqual(await answer.json(), {
      ready: false,
      missing: [{ part: 'media', reason: 'Media is off: there is no worker.' }],
      troubled: [],
    })
    assert.equal((await fetch(`${deaf.url}/health/live`)).status, 200)
  } finally {
    await deaf.stop()
  }
})
