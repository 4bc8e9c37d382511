/** The pages on the wire: their size, coding, caching and headers. */
import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { fetchRaw, firstScreens, weigh } from '../../../test/support/page-weight.ts'
import { TestServer } from '../../../test/support/test-server.ts'
import { DASHBOARD_HEADERS, pageHeaders } from './page.ts'

const KB = 1000
const server = await TestServer.start()
after(() => server.stop())

const html = { accept: 'text/html' }
const start = await weigh(server.url, '/')
const script = start.paths.find((path) => path.endsWith('.js'))!
const decoded = (bytes: Buffer, coding: string | undefined): Buffer =>
  coding === 'br' ? brotliDecompressSync(bytes) : coding === 'gzip' ? gunzipSync(bytes) : bytes

test('the start page is under 25 kB with Brotli, the other first screens under 100 kB, and under 200 kB with what a meeting needs', async () => {
  const limits: Record<string, number> = {
    'start page': 25,
    'before joining': 99,
    'in a meeting': 196,
    dashboard: 100,
  }
  for (const [name, { path, later }] of Object.entries(firstScreens)) {
    const { paths, raw, gzip, br } = await weigh(server.url, path, later)
    assert.ok(paths.length >= 5, `${name}: ${paths.join()}`)
    assert.ok(br < gzip && gzip < raw / 2, `${name}: ${br} as br, ${gzip} as gzip, ${raw} as it is`)
    assert.ok(br < limits[name]! * KB, `${name}: ${br} bytes`)
  }
})

test('the start page loads nothing of the meeting or the dashboard, and the dashboard nothing of the meeting', async () => {
  const meeting = await weigh(server.url, '/m/aaaa-bbbb-cccc', ['inside'])
  const dashboard = await weigh(server.url, '/dashboard')
  // Text from mediasoup-client, socket.io-client and the meeting screen.
  for (const mark of ['rtcp-mux', 'engine.io', 'bar-react']) {
    assert.ok(meeting.scripts.includes(mark), mark)
    assert.ok(!start.scripts.includes(mark) && !dashboard.scripts.includes(mark), mark)
  }
  assert.ok(dashboard.scripts.includes('/v2/admin/status') && !start.scripts.includes('/v2/admin/status'))
})

test('a page and its parts have the same bytes in each encoding that the client accepts', async () => {
  for (const path of ['/', '/m/aaaa-bbbb-cccc', '/dashboard', ...start.paths.slice(1)]) {
    const plain = await fetchRaw(server.url + path, html)
    assert.deepEqual([plain.status, plain.headers['content-encoding']], [200, undefined], path)
    for (const [accepted, coding] of [
      ['gzip, deflate, br, zstd', 'br'],
      ['gzip, deflate', 'gzip'],
      ['br;q=0.1, gzip', 'gzip'],
      ['br;q=0, *', 'gzip'],
      ['identity;q=0, br', 'br'],
      ['zstd', undefined],
      ['identity, gzip;q=0.5', undefined],
      ['gzip;q=0, br;q=0, *', undefined],
    ] as const) {
      const label = `${path} for ${accepted}`
      const answer = await fetchRaw(server.url + path, { ...html, 'accept-encoding': accepted })
      assert.deepEqual([answer.status, answer.headers['content-encoding']], [200, coding], label)
      assert.equal(answer.headers['content-type'], plain.headers['content-type'], label)
      assert.equal(answer.headers['content-length'], String(answer.bytes.length), label)
      assert.match(String(answer.headers.vary), /accept-encoding/, label)
      assert.ok(decoded(answer.bytes, coding).equals(plain.bytes), label)
    }
    for (const accepted of ['identity;q=0', '*;q=0', 'identity;q=0, zstd']) {
      const answer = await fetchRaw(server.url + path, { ...html, 'accept-encoding': accepted })
      assert.deepEqual(
        [answer.status, (JSON.parse(answer.bytes.toString()) as { code: string }).code],
        [406, 'NOT_ACCEPTABLE'],
        `${path} for ${accepted}`,
      )
    }
  }
})

test('HEAD answers like GET, without the body', async () => {
  for (const path of ['/', '/dashboard', script]) {
    for (const coding of ['br', 'gzip', 'identity']) {
      const headers = { ...html, 'accept-encoding': coding }
      const got = await fetchRaw(server.url + path, headers)
      const head = await fetchRaw(server.url + path, headers, 'HEAD')
      const same = ({ headers: all }: typeof got) => ({ ...all, date: '', 'x-request-id': '' })
      assert.equal(head.bytes.length, 0)
      assert.deepEqual(same(head), same(got), `${path} as ${coding}`)
    }
  }
})

test('a range of a script is a range of the encoded bytes; a page is sent whole', async () => {
  for (const coding of ['br', 'identity']) {
    const headers = { ...html, 'accept-encoding': coding }
    const whole = await fetchRaw(server.url + script, headers)
    const part = await fetchRaw(server.url + script, { ...headers, range: 'bytes=10-19' })
    assert.equal(part.status, 206)
    assert.equal(part.headers['content-range'], `bytes 10-19/${whole.bytes.length}`)
    assert.equal(part.headers['content-encoding'], whole.headers['content-encoding'])
    assert.ok(part.bytes.equals(whole.bytes.subarray(10, 20)))
    const beyond = await fetchRaw(server.url + script, { ...headers, range: 'bytes=99999999-' })
    assert.equal(beyond.status, 416)
    assert.equal((await fetchRaw(server.url, { ...headers, range: 'bytes=0-9' })).status, 200)
  }
})

test('scripts and styles may be cached for good; pages are revalidated and not sent again while unchanged', async () => {
  for (const path of start.paths.slice(1)) {
    const { headers } = await fetchRaw(server.url + path, { 'accept-encoding': 'br' })
    assert.equal(headers['cache-control'], 'public, max-age=31536000, immutable', path)
    assert.match(path, /-[\w-]{8}\.\w+$/)
    const again = await fetchRaw(server.url + path, {
      'accept-encoding': 'br',
      'if-none-match': headers.etag!,
    })
    assert.equal(again.status, 304)
  }
  const tags = new Set<string>()
  for (const coding of ['br', 'gzip', 'identity']) {
    const asked = { ...html, 'accept-encoding': coding }
    const { headers } = await fetchRaw(server.url, asked)
    assert.equal(headers['cache-control'], 'no-cache')
    tags.add(headers.etag!)
    for (const known of [headers.etag!, `W/${headers.etag}`, `"other", ${headers.etag}`, '*']) {
      const again = await fetchRaw(server.url, { ...asked, 'if-none-match': known })
      assert.deepEqual([again.status, again.bytes.length], [304, 0], known)
      assert.deepEqual(
        [again.headers.etag, again.headers.vary, again.headers['cache-control']],
        [headers.etag, headers.vary, 'no-cache'],
      )
    }
    assert.equal((await fetchRaw(server.url, { ...asked, 'if-none-match': '"other"' })).status, 200)
  }
  assert.equal(tags.size, 3)
  // The dashboard is not cached at all.
  const { headers } = await fetchRaw(`${server.url}/dashboard`, html)
  assert.deepEqual([headers['cache-control'], headers.etag], ['no-store', undefined])
})

test('a new build with the same size and date is another page', async () => {
  const pageFolder = await mkdtemp(join(tmpdir(), 'anteroom-page-'))
  const packed = new Date('1985-10-26T08:15:00Z')
  const tagOf = async (text: string): Promise<string> => {
    await mkdir(join(pageFolder, 'assets'), { recursive: true })
    await writeFile(join(pageFolder, 'index.html'), text)
    await utimes(join(pageFolder, 'index.html'), packed, packed)
    const other = await TestServer.start({ pageFolder })
    try {
      return (await fetchRaw(other.url, html)).headers.etag!
    } finally {
      await other.stop()
    }
  }
  try {
    assert.notEqual(
      await tagOf('<script src="/assets/a-1.js">'),
      await tagOf('<script src="/assets/a-2.js">'),
    )
  } finally {
    await rm(pageFolder, { recursive: true })
  }
})

test('the security headers of a page are sent in every encoding, with 304 and with refusals', async () => {
  for (const [path, expected] of [
    ['/', pageHeaders(['*'], ["script-src 'self' 'wasm-unsafe-eval'"])],
    ['/dashboard', DASHBOARD_HEADERS],
  ] as const) {
    for (const asked of [
      {},
      { 'accept-encoding': 'br' },
      { 'accept-encoding': 'gzip' },
      { 'accept-encoding': 'identity;q=0' },
      { 'if-none-match': '*' },
    ]) {
      const { headers } = await fetchRaw(server.url + path, { ...html, ...asked })
      for (const [name, value] of Object.entries(expected))
        assert.equal(headers[name], value, `${path} ${JSON.stringify(asked)} ${name}`)
    }
  }
  for (const coding of ['br', 'gzip', 'identity']) {
    const { headers } = await fetchRaw(server.url + script, { 'accept-encoding': coding })
    assert.equal(headers['x-content-type-options'], 'nosniff')
    // Of the worker that it may be.
    assert.equal(
      headers['content-security-policy'],
      "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'",
    )
  }
})

test('the sites of EMBED_ORIGINS may frame the page, and no others', () => {
  const framers = (origins: string[]): string =>
    pageHeaders(origins)['content-security-policy'].split('; ').at(-1)!
  assert.equal(framers([]), "frame-ancestors 'self'")
  assert.equal(framers(['https://a.example']), "frame-ancestors 'self' https://a.example")
  assert.equal(framers(['*']), 'frame-ancestors *')
})

test('the answer at a page address varies by the accepted type', async () => {
  for (const accept of ['text/html', 'application/json']) {
    const { headers } = await fetchRaw(server.url, { accept })
    assert.match(String(headers.vary), /\baccept\b(?!-)/, accept)
  }
})
