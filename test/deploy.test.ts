/** What is in `deploy/` and `compose.cluster.yaml` fits together, and names settings that exist. */
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { settingNames } from '../src/config/describe.ts'

const root = join(import.meta.dirname, '..')
const read = (path: string): string => readFileSync(join(root, path), 'utf8')
const all = (text: string, pattern: RegExp): string[] =>
  [...text.matchAll(pattern)].map(([, found]) => found!)
const settings = new Set(settingNames())
const HAPROXY = 'deploy/compose/haproxy.cfg'
const CHART = 'deploy/helm/anteroom'

test('compose.cluster.yaml: addresses and ports of the nodes are those that are published and balanced', () => {
  const text = read('compose.cluster.yaml')
  const [, shared] = /^x-settings: &settings\n((?: {2}.*\n)+)/m.exec(text)!
  for (const name of all(shared!, /^ {2}([A-Z_]+):/gm)) assert.ok(settings.has(name), name)

  const services = text.split(/^ {2}(?=[\w-]+:$)/m)
  const nodes = services.filter((service) => /^node-\d:\n {4}<<: \*node/.test(service))
  assert.equal(nodes.length, 3)
  const addresses = nodes.map((node) => {
    for (const name of all(node, /^ {6}([A-Z_]+):/gm)) assert.ok(settings.has(name), name)
    const [address] = all(node, /NODE_ADDRESS: (\S+)/g)
    assert.deepEqual(all(node, /ipv4_address: (\S+)/g), [address])
    const first = Number(all(node, /MEDIA_PORT: '(\d+)'/g)[0])
    const range = `${first}-${first + 1}`
    assert.deepEqual(all(node, /- (\d.*)/g), [`${range}:${range}/udp`, `${range}:${range}/tcp`])
    return address!
  })
  assert.match(shared!, /MEDIA_WORKERS: '2'/)
  assert.match(shared!, /PIPE_PORTS: 41000-41999/)
  assert.equal(new Set(addresses).size, 3)
  assert.deepEqual(
    all(read(HAPROXY), /^ +server node-\d (\S+)$/gm),
    addresses.map((address) => `${address}:9000`),
  )
  const haproxy = services.find((service) => service.startsWith('haproxy:'))!
  assert.deepEqual(all(shared!, /TRUSTED_PROXIES: (\S+)/g), all(haproxy, /ipv4_address: (\S+)/g))
})

test(
  'HAProxy accepts the file of compose.cluster.yaml',
  { skip: spawnSync('haproxy', ['-v']).error && 'HAProxy is not installed' },
  () => {
    execFileSync('haproxy', ['-c', '-f', join(root, HAPROXY)], { stdio: 'ignore' })
  },
)

test('the Helm chart: each block of a template ends, and includes what is defined', () => {
  const names = globSync('templates/*', { cwd: join(root, CHART) })
  const defined = new Set(names.flatMap((name) => all(read(join(CHART, name)), /\{\{-? define "([\w.]+)"/g)))
  for (const name of names) {
    const text = read(join(CHART, name))
    for (const included of all(text, /include "([\w.]+)"/g)) assert.ok(defined.has(included), included)
    let open = 0
    for (const word of all(text, /\{\{-? (define|if|with|range|else|end)\b/g)) {
      open += word === 'end' ? -1 : word === 'else' ? 0 : 1
      assert.ok(open >= 0, `${name} ends a block that it does not begin`)
    }
    assert.equal(open, 0, `${name} does not end a block`)
    assert.equal(text.split('{{').length, text.split('}}').length, name)
  }
})

test('the Helm chart: templates use each value that is there, no other, and settings that exist', () => {
  const templates = globSync('templates/*', { cwd: join(root, CHART) })
    .map((name) => read(join(CHART, name)))
    .join('\n')
  const values = new Set<string>()
  let group = ''
  for (const line of read(join(CHART, 'values.yaml')).split('\n')) {
    const [, indent, key] = /^( *)(\w+):/.exec(line) ?? []
    if (key === undefined || indent!.length > 2) continue
    if (indent === '') group = key
    values.add(indent === '' ? key : `${group}.${key}`)
  }
  const used = new Set(all(templates, /\.Values\.([\w.]+)/g))
  for (const path of used) assert.ok(values.has(path), `${path} is not in values.yaml`)
  for (const path of values) {
    const isGroup = [...values].some((other) => other.startsWith(`${path}.`))
    const isWritten = used.has(path) || used.has(path.split('.')[0]!)
    assert.ok(isGroup || isWritten, `no template uses ${path}`)
  }
  // Whoever is drained has time to be drained, and five seconds to end.
  const [more] = all(templates, /terminationGracePeriodSeconds: \{\{ add \.Values\.drainSeconds (\d+) \}\}/g)
  assert.ok(Number(more) >= 5)
  assert.match(templates, /- name: DRAIN_SECONDS\n\s+value: \{\{ \.Values\.drainSeconds \| quote \}\}/)
  // Both ways between nodes are set, and not published to clients.
  for (const [name, value] of [
    ['CLUSTER_PORT', 'clusterPort'],
    ['PIPE_PORTS', 'pipePorts'],
  ])
    assert.ok(
      templates.includes(`- name: ${name}\n              value: {{ .Values.${value} | quote }}`),
      name,
    )
  const named = all(templates, /- name: ([A-Z][A-Z_]+)$/gm)
  assert.ok(named.length >= 10)
  for (const name of named) assert.ok(settings.has(name), name)
})
