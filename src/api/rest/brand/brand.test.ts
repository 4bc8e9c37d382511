/** The brand on the wire, and the logos that are refused. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { TestServer } from '../../../../test/support/test-server.ts'
import { branded } from './brand.ts'
import { readLogo } from './logo.ts'

const folder = await mkdtemp(join(tmpdir(), 'anteroom-brand-'))
after(() => rm(folder, { recursive: true, force: true }))

const SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 120 40"><script>alert(1)</script></svg>'
const html = { headers: { accept: 'text/html' } }

async function file(name: string, content: string | Buffer): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, content)
  return path
}

test('a logo that is missing, too large or no picture stops the start with one sentence', async () => {
  const huge = '<svg xmlns="http://www.w3.org/2000/svg" width="5000" height="40"></svg>'
  for (const [path, sentence] of [
    [join(folder, 'missing.png'), /^BRAND_LOGO must be a file that can be read, not ".*missing\.png"\.$/],
    [folder, /^BRAND_LOGO must be /],
    [await file('empty.png', ''), /^BRAND_LOGO must be an SVG, PNG, JPEG or WebP picture/],
    [await file('page.svg', '<!doctype html><p>no picture'), /^BRAND_LOGO must be an SVG/],
    [await file('old.gif', Buffer.from('R0lGODlhAQABAAAAACw=', 'base64')), /^BRAND_LOGO must be an SVG/],
    [await file('huge.svg', huge), /^BRAND_LOGO must be .* at most 4096 pixels/],
    [await file('heavy.svg', SVG + ' '.repeat(256 * 1024)), /^BRAND_LOGO must be at most 256 KiB/],
  ] as const)
    assert.throws(() => readLogo(path), { name: 'StartError', message: sentence }, path)
  await assert.rejects(TestServer.start({ brandLogo: join(folder, 'missing.png') }), /BRAND_LOGO/)
})

test('what a name and a link hold is text in the page, whatever it is', () => {
  const page = branded('<head><title>Anteroom</title></head>', {
    name: '</title><script>"$&\'',
    logo: undefined,
    colour: undefined,
    links: [{ label: '"><b>', url: '/a' }],
  })
  assert.equal(
    page,
    "<head><title>&lt;/title&gt;&lt;script&gt;&quot;$&amp;'</title>" +
      '<meta name="anteroom-brand" content="{&quot;name&quot;:&quot;&lt;/title&gt;&lt;script&gt;\\&quot;$&amp;\'&quot;,' +
      '&quot;links&quot;:[{&quot;label&quot;:&quot;\\&quot;&gt;&lt;b&gt;&quot;,&quot;url&quot;:&quot;/a&quot;}]}" /></head>',
  )
})

test('the page is served with name, icon, colour and links, and its policy allows that style alone', async () => {
  const server = await TestServer.start({
    brandName: 'Acme Meet',
    brandLogo: await file('logo.svg', SVG),
    brandColour: '#e30613',
    brandLinks: [{ label: 'Imprint', url: 'https://acme.example/imprint' }],
  })
  try {
    for (const path of ['/', '/m/aaaa-bbbb-cccc', '/check']) {
      const answer = await fetch(server.url + path, html)
      const page = await answer.text()
      assert.match(page, /<title>Acme Meet<\/title>/, path)
      assert.match(page, /&quot;label&quot;:&quot;Imprint&quot;/, path)
      assert.match(page, /&quot;width&quot;:120,&quot;height&quot;:40/, path)
      const [, style] = /<style>(.*?)<\/style>/.exec(page)!
      assert.match(style!, /--accent:light-dark\(#cc0511,#ec535c\)/, path)
      const hash = createHash('sha256').update(style!).digest('base64')
      const policy = answer.headers.get('content-security-policy')!
      assert.ok(policy.includes(`style-src 'self' 'sha256-${hash}';`), policy)
    }
    const page = await (await fetch(server.url, html)).text()
    const [, icon] = /<link rel="icon" type="image\/svg\+xml" href="(.*?)"/.exec(page)!
    const logo = await fetch(server.url + icon!)
    assert.equal(await logo.text(), SVG)
    assert.equal(logo.headers.get('content-type'), 'image/svg+xml')
    assert.equal(logo.headers.get('cache-control'), 'public, max-age=31536000, immutable')
    assert.equal(logo.headers.get('x-content-type-options'), 'nosniff')
    // Opened by itself, an SVG is a document: its scripts do not run.
    assert.match(logo.headers.get('content-security-policy')!, /^default-src 'none'.*sandbox$/)
    assert.equal((await fetch(`${server.url}/brand/logo-AAAAAAAAAAAAAAAA`)).status, 404)
    assert.doesNotMatch(await (await fetch(`${server.url}/dashboard`, html)).text(), /Acme/)
  } finally {
    await server.stop()
  }
})
